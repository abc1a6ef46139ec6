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
package enum RefreshRun {
    /// The system gives half a minute, of which opening takes a part; a run takes seconds.
    package static let deadlineMs: UInt32 = 20_000

    package static func run(
        _ task: some RefreshTask, deadlineMs: UInt32 = deadlineMs, core: @Sendable () async throws -> SafeScan
    ) async {
        let isOpen = Guarded(true)
        @Sendable func complete(success: Bool) {
            let isFirst = isOpen.with { isOpen in
                defer { isOpen = false }
                return isOpen
            }
            if isFirst { task.complete(success: success) }
        }
        // What is under way cannot be stopped; it ends at its deadline, and what was not sent is sent by a later run.
        task.whenExpired { complete(success: false) }
        complete(success: await synchronise(deadlineMs, core))
    }

    /// Whether everything is done that can be: false if another run soon may do more.
    private static func synchronise(_ deadlineMs: UInt32, _ core: () async throws -> SafeScan) async -> Bool {
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
