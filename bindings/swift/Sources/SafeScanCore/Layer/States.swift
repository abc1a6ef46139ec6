extension SafeScan {
    /// A state of the core: what `read` gives now, and again after each portion of events with any `isNews` among them.
    /// It is handed the news, the first time none. Nothing is missed in between, for the events are read from before the
    /// first reading on; and a slow loop gets the latest state when it comes back, not all those that it was too slow for.
    ///
    /// What cannot be read at the moment is read again with the next news: files come back, and a stream must not end for
    /// them.
    func states<State: Equatable & Sendable>(
        isNews: @escaping @Sendable (CoreEvent) -> Bool,
        read: @escaping @Sendable ([CoreEvent]) async throws -> State
    ) -> AsyncStream<State> {
        let reader = eventReader(newsOnly: true)
        let states = States(reader: reader, isNews: isNews, read: read)
        return AsyncStream { await states.next() } onCancel: { reader.finish() }
    }
}

/// Events fetched at once: as many as the core gives. A slow loop has most of them behind it in one step.
private let portion: UInt32 = 500

private actor States<State: Equatable & Sendable> {
    private let reader: EventReader
    private let isNews: @Sendable (CoreEvent) -> Bool
    private let read: @Sendable ([CoreEvent]) async throws -> State
    private var began = false
    private var last: State?

    init(
        reader: EventReader,
        isNews: @escaping @Sendable (CoreEvent) -> Bool,
        read: @escaping @Sendable ([CoreEvent]) async throws -> State
    ) {
        self.reader = reader
        self.isNews = isNews
        self.read = read
    }

    /// The next state that differs from the one before; nil at the end.
    func next() async -> State? {
        while !Task.isCancelled {
            var news: [CoreEvent] = []
            if began {
                news = await nextNews()
                if news.isEmpty { return nil }
            }
            began = true
            let state = await unlessCancelled { [read, news] in try? await read(news) }
            if let state, state != last {
                last = state
                return state
            }
        }
        return nil
    }

    /// Waits for news; none at the end.
    private func nextNews() async -> [CoreEvent] {
        while let events = try? await reader.next(max: portion), !events.isEmpty {
            let news = events.filter { isNews($0) || $0.mayChangeAnything }
            if !news.isEmpty { return news }
        }
        return []
    }
}

extension CoreEvent {
    /// Whether every state should be read anew.
    fileprivate var mayChangeAnything: Bool {
        switch self {
        case .missed, .repaired, .erased: true
        // Files that come back, for example.
        case .healthChanged(let health): health.service == .localStorage
        default: false
        }
    }
}

/// What `call` returns, or nil as soon as the task is cancelled: a call of the core then goes on to its end, but nobody
/// waits for it.
private func unlessCancelled<Value: Sendable>(_ call: @escaping @Sendable () async -> Value?) async -> Value? {
    let answers = AsyncStream<Value?> { answer in
        Task {
            answer.yield(await call())
            answer.finish()
        }
    }
    for await answer in answers { return answer }
    return nil
}
