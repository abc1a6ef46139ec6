import Foundation
import SafeScanCore
import Testing

@Suite("Events and the log", .timeLimit(.minutes(1)))
struct ObservationTests {
    @Test("Events come in order, and end with the core")
    func stream() async throws {
        let folder = TemporaryFolder()
        let core = try await SafeScan.open(in: folder.url)
        let first = try await core.record("https://example.com/1")
        let second = try await core.record("https://example.com/2")
        try await core.vote(.safe, on: second.text)
        let reader = Task { () -> [CoreEvent] in
            var events: [CoreEvent] = []
            for await event in core.events { events.append(event) }
            return events
        }
        _ = try await core.deleteScan(id: first.id)
        try await core.shutdown()

        let changes = await reader.value.filter { if case .healthChanged = $0 { false } else { true } }
        #expect(changes == [
            .scansAdded(count: 1, latest: first.id), .scansAdded(count: 1, latest: second.id),
            .voteChanged(qrHash: second.qrHash), .scansRemoved(count: 1),
        ])
    }

    @Test("A cancelled loop ends though nothing happens any more, and the core goes away with its last holder")
    func cancelled() async throws {
        let folder = TemporaryFolder()
        weak var released: SafeScan?
        do {
            let core = try await SafeScan.open(in: folder.url)
            released = core
            let (seen, saw) = AsyncStream<CoreEvent>.makeStream()
            let loop = Task { for await event in core.events { saw.yield(event) } }
            let scan = try await core.record("https://example.com/")
            var events = seen.makeAsyncIterator()
            #expect(await events.next() == .scansAdded(count: 1, latest: scan.id))
            // Calls that give the loop time to ask for the next event, which never comes.
            for _ in 0..<20 { _ = try await core.statistics() }
            loop.cancel()
            try await endingInTime(core) { await loop.value }
            try await core.shutdown()
        }
        // The last reference goes away a moment after the loop, on a thread of its own.
        while released != nil, !Task.isCancelled { await Task.yield() }
        #expect(released == nil)
        #expect(try await SafeScan.with(SafeScanConfig(folder: folder.url)) { try await $0.statistics().scans } == 1)
    }

    @Test("Every loop sees everything")
    func twoLoops() async throws {
        try await withCore { core in
            var first = core.events.makeAsyncIterator()
            var second = core.events.makeAsyncIterator()
            let scan = try await core.record("https://example.com/")
            #expect(await first.next() == .scansAdded(count: 1, latest: scan.id))
            #expect(await second.next() == .scansAdded(count: 1, latest: scan.id))
        }
    }

    @Test("What happens between two loops is told to the second, whatever states are followed meanwhile")
    func takingOver() async throws {
        try await withCore { core in
            var ratings = try core.ratings(of: "https://example.com/").makeAsyncIterator()
            #expect(await ratings.next() != nil)
            let scan = try await core.record("https://example.com/")
            try await core.vote(.safe, on: scan.text)
            #expect(await ratings.next()?.safeVotes == 1)
            for await event in core.events {
                #expect(event == .scansAdded(count: 1, latest: scan.id))
                break
            }
        }
    }

    /// Passes on what it is told, and throws if it is told to.
    final class Recorder: EventListener, LogSink {
        let events: AsyncStream<CoreEvent>
        let lines: AsyncStream<String>
        private let heard: AsyncStream<CoreEvent>.Continuation
        private let logged: AsyncStream<String>.Continuation
        private let failing: Bool

        init(failing: Bool = false) {
            (events, heard) = AsyncStream.makeStream()
            (lines, logged) = AsyncStream.makeStream()
            self.failing = failing
        }

        func onEvent(event: CoreEvent) throws {
            heard.yield(event)
            if failing { throw ListenerError.Failed(reason: "a test asked for it") }
        }

        func log(level: LogLevel, target: String, text: String) throws {
            logged.yield("\(target): \(text)")
            // Not the declared error: that must do no harm either.
            if failing { throw CancellationError() }
        }
    }

    @Test("A listener is told of every event, whether or not it throws", arguments: [false, true])
    func listener(failing: Bool) async throws {
        try await withCore { core in
            let recorder = Recorder(failing: failing)
            try core.setListener(listener: recorder)
            let first = try await core.record("https://example.com/1")
            let second = try await core.record("https://example.com/2")
            var events = recorder.events.makeAsyncIterator()
            #expect(await events.next() == .scansAdded(count: 1, latest: first.id))
            #expect(await events.next() == .scansAdded(count: 1, latest: second.id))
        }
    }

    @Test("The log goes to the sink, without content, whether or not the sink throws", arguments: [false, true])
    func log(failing: Bool) async throws {
        try await withCore { core in
            let recorder = Recorder(failing: failing)
            try core.setLogSink(level: .trace, sink: recorder)
            let secret = "https://example.com/secret"
            let scan = try await core.record(secret)
            var lines: [String] = []
            for turn in 0..<2 {
                _ = try await failure { try await core.record("\(secret)\(turn)\0") }
                for await line in recorder.lines {
                    lines.append(line)
                    if line.hasPrefix("engine") { break }
                }
            }
            #expect(lines.filter { $0.hasPrefix("engine") }.count == 2)
            #expect(!lines.contains { $0.contains("secret") || $0.contains(scan.id) || $0.contains(scan.qrHash) })
        }
    }
}
