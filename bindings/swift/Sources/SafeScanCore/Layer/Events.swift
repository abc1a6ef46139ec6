extension SafeScan {
    /// Everything that happens in the core, in the order of the commits, from the oldest event that nobody has read
    /// yet. Ends when the core is shut down.
    ///
    /// ```swift
    /// for await event in core.events {
    ///     if case .scansAdded(let count, _) = event { badge += Int(count) }
    /// }
    /// ```
    ///
    /// One loop per app: a new one takes over, and the one before ends. The core keeps the last 1,024 events for a slow
    /// loop; `CoreEvent.missed` stands in for older ones. A loop whose task is cancelled ends at once. Events that
    /// happen before the next loop begins may be gone with it, so the next one should begin by reading the state anew.
    public var events: AsyncStream<CoreEvent> {
        let reader = EventReader(core: self)
        return AsyncStream { await reader.next() }
    }
}

/// Fetches events in portions, each when the one before is used up: a slow consumer fills no memory here.
private actor EventReader {
    private let core: SafeScan
    private var fetched: ArraySlice<CoreEvent> = []

    init(core: SafeScan) {
        self.core = core
    }

    func next() async -> CoreEvent? {
        if fetched.isEmpty {
            fetched = await fetch()[...]
        }
        return fetched.popFirst()
    }

    /// The next portion; empty at the end.
    private func fetch() async -> [CoreEvent] {
        // A call of the core cannot be cancelled from here, but waiting for a stream can: the consumer leaves at once,
        // and the call ends with the next event, the next reader, or the shutdown.
        let answer = AsyncStream<[CoreEvent]> { [core] answer in
            Task {
                // An error means that the core is gone, and with it the events.
                answer.yield((try? await core.nextEvents()) ?? [])
                answer.finish()
            }
        }
        for await events in answer { return events }
        return []
    }
}
