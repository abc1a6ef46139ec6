/// The system's leave to go on for a while in the background.
@MainActor
package protocol BackgroundTime: AnyObject {
    /// Asks for time until `end`; nil if there is none. `expired` is called when the time is over.
    func begin(_ name: String, expired: @escaping @MainActor @Sendable () -> Void) -> Int?
    func end(_ id: Int)
}

/// Time in the background for one piece of work. It is ended exactly once, by whoever comes first: the work, or the system,
/// which kills an app that does not give the time back. The work itself cannot be stopped; it goes on when the app does.
@MainActor
package final class BackgroundTask {
    private let time: any BackgroundTime
    private var id: Int?

    package init(_ name: String, of time: any BackgroundTime) {
        self.time = time
        // Kept alive by the system until it is ended.
        id = time.begin(name) { self.end() }
    }

    package var isRunning: Bool { id != nil }

    package func end() {
        guard let id else { return }
        self.id = nil
        time.end(id)
    }
}
