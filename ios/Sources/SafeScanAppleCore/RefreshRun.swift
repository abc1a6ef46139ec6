import Foundation
import SafeScanCore

/// A task that the system gives an app in the background.
package protocol RefreshTask: Sendable {
    /// Has `expired` called, from any thread, shortly before the system stops the process.
    func whenExpired(_ expired: @escaping @Sendable () -> Void)
    func complete(success: Bool)
}

/// Sends and fetches within the time that the system gives, and tells it exactly once how that went: the system kills an
/// app that does not, and one that does so twice.
package struct RefreshRun: Sendable {
    /// The system gives half a minute, of which opening takes a part; a run takes seconds.
    package static let deadlineMs: UInt32 = 20_000

    private let task: any RefreshTask
    private let isComplete = Guarded(false)

    /// To be made at once when the system gives the task: its end may come at any time.
    package init(_ task: any RefreshTask) {
        self.task = task
        // What is under way cannot be stopped; it ends at its deadline, and what was not sent is sent by a later run.
        task.whenExpired { [self] in complete(success: false) }
    }

    package func run(deadlineMs: UInt32 = deadlineMs, core: @Sendable () async throws -> SafeScan) async {
        complete(success: await synchronise(deadlineMs, core))
    }

    private func complete(success: Bool) {
        let isFirst = isComplete.with { isComplete in
            defer { isComplete = true }
            return !isComplete
        }
        if isFirst { task.complete(success: success) }
    }

    /// Whether everything is done that can be: false if another run soon may do more.
    private func synchronise(_ deadlineMs: UInt32, _ core: @Sendable () async throws -> SafeScan) async -> Bool {
        do {
            return try await core().runOnce(deadlineMs: deadlineMs).finished
        } catch SafeScanError.Unauthorized, SafeScanError.InvalidInput {
            // Another run would fare no better: the app must give a token, or no server is configured.
            return true
        } catch {
            return false
        }
    }
}
