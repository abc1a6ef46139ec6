#if canImport(UIKit)
    import BackgroundTasks
    import Foundation
    import SafeScanAppleCore
    import SafeScanCore

    /// The identifier of a background refresh is not among those that the app's Info.plist permits.
    public struct RefreshNotPermittedError: LocalizedError, Equatable {
        /// The identifier.
        public let identifier: String

        public var errorDescription: String? {
            "'\(identifier)' is not among BGTaskSchedulerPermittedIdentifiers in Info.plist"
        }
    }

    /// Sends and fetches now and then while the app is not used: `schedule` it at every launch. While the app is in use the
    /// core does this by itself.
    ///
    /// ```swift
    /// func application(_ app: UIApplication, didFinishLaunchingWithOptions options: LaunchOptions?) -> Bool {
    ///     try? SafeScanRefresh.schedule("com.example.app.safescan") { try await App.core() }
    ///     return true
    /// }
    /// ```
    ///
    /// Info.plist names the identifier in `BGTaskSchedulerPermittedIdentifiers`, and `fetch` in `UIBackgroundModes`.
    public enum SafeScanRefresh {
        /// Has the system run it about once in `interval` seconds, when it sees fit. Once per launch, and before the launch
        /// is finished: later the system ends the app.
        ///
        /// - Parameter core: Opens the core with the app's configuration, its token set; the refresh may be the first to
        ///   call it.
        /// - Throws: ``RefreshNotPermittedError``, or `BGTaskScheduler.Error`: `.unavailable` where the user has switched
        ///   background refresh off, and in simulators.
        @MainActor
        public static func schedule(
            _ identifier: String, every interval: TimeInterval = 6 * 60 * 60,
            core: @escaping @Sendable () async throws -> SafeScan
        ) throws {
            let permitted = BGTaskScheduler.shared.register(forTaskWithIdentifier: identifier, using: .main) { task in
                // The system forgets a request when it grants it. One that it refuses now is made at the next launch.
                try? request(identifier, after: interval)
                let run = RefreshRun(SystemRefreshTask(task: task))
                Task { await run.run(core: core) }
            }
            guard permitted else { throw RefreshNotPermittedError(identifier: identifier) }
            try request(identifier, after: interval)
        }

        /// Takes back what is scheduled; the next launch schedules anew.
        public static func cancel(_ identifier: String) {
            BGTaskScheduler.shared.cancel(taskRequestWithIdentifier: identifier)
        }

        private static func request(_ identifier: String, after interval: TimeInterval) throws {
            let request = BGAppRefreshTaskRequest(identifier: identifier)
            request.earliestBeginDate = Date(timeIntervalSinceNow: interval)
            try BGTaskScheduler.shared.submit(request)
        }
    }

    /// The system's task. Its two members may be used from any thread.
    private struct SystemRefreshTask: RefreshTask, @unchecked Sendable {
        let task: BGTask

        func whenExpired(_ expired: @escaping @Sendable () -> Void) { task.expirationHandler = expired }
        func complete(success: Bool) { task.setTaskCompleted(success: success) }
    }
#endif
