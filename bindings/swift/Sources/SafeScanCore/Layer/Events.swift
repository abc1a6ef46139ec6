extension SafeScan {
    /// Everything that happens in the core, in the order of the commits. Any number of loops: each sees everything from
    /// the moment on at which it took its stream. Ends when the core is shut down.
    ///
    /// ```swift
    /// for await event in core.events {
    ///     if case .scansAdded(let count, _) = event { badge += Int(count) }
    /// }
    /// ```
    ///
    /// A stream that is taken while events lie there that no stream of events has fetched begins with them: the first
    /// one misses nothing since the core was opened, and one that takes over from another misses nothing either, but for
    /// what that one had fetched and not come to (up to a hundred events).
    ///
    /// Each loop takes a stream of its own. The core keeps the last 1,024 events for a slow loop; `CoreEvent.missed`
    /// stands in for older ones. A loop whose task is cancelled ends at once.
    ///
    /// To show a state rather than its changes, follow `ratings(of:)`, `syncStatus` or `operations`.
    public var events: AsyncStream<CoreEvent> {
        let reader = eventReader()
        let portions = Portions(of: reader)
        return AsyncStream { await portions.next() } onCancel: { reader.finish() }
    }
}

/// Events one by one, fetched in portions, each when the one before is used up: a slow loop fills no memory here.
private actor Portions {
    private let reader: EventReader
    private var fetched: ArraySlice<CoreEvent> = []

    init(of reader: EventReader) {
        self.reader = reader
    }

    func next() async -> CoreEvent? {
        if fetched.isEmpty {
            // An error means that the core is gone, and with it the events.
            fetched = ((try? await reader.next()) ?? [])[...]
        }
        return fetched.popFirst()
    }
}
