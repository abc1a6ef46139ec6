import Foundation
import SafeScanCore
import Testing

@Suite("States that are followed", .timeLimit(.minutes(1)))
struct StateTests {
    let text = "https://example.com/menu"

    @Test("A rating comes as it is, and then whenever it changes, to every loop")
    func ratings() async throws {
        try await withCore { core in
            try await core.vote(.safe, on: text)
            var first = try core.ratings(of: text).makeAsyncIterator()
            var second = try core.ratings(of: .hash(qrHash: hashQrData(text: text).uppercased())).makeAsyncIterator()
            #expect(await first.next()?.safeVotes == 1)
            #expect(await second.next()?.safeVotes == 1)
            try await core.vote(.safe, on: text, userId: "ada")
            #expect(await first.next()?.safeVotes == 2)
            #expect(await second.next()?.safeVotes == 2)
            try await core.eraseAllData()
            #expect(await first.next()?.source == .neutral)
        }
    }

    @Test("Nothing is missed between the first reading and the first change")
    func nothingMissed() async throws {
        try await withCore { core in
            for number in 0..<100 {
                let text = "\(text)/\(number)"
                async let vote = core.vote(.safe, on: text, userId: "\(number)")
                var ratings = try core.ratings(of: text).makeAsyncIterator()
                _ = try await next(of: &ratings) { $0.safeVotes == 1 }
                _ = try await vote
            }
        }
    }

    @Test("A cancelled loop ends though nothing happens, and leaves those beside it as they are")
    func cancelled() async throws {
        try await withCore { core in
            var staying = try core.ratings(of: text).makeAsyncIterator()
            #expect(await staying.next() != nil)
            let (seen, saw) = AsyncStream<Rating>.makeStream()
            let leaving = Task { for await rating in try core.ratings(of: text) { saw.yield(rating) } }
            var ratings = seen.makeAsyncIterator()
            #expect(await ratings.next() != nil)
            leaving.cancel()
            try await leaving.value
            try await core.vote(.safe, on: text, userId: "ada")
            #expect(await staying.next()?.safeVotes == 1)
        }
    }

    @Test("A loop that ends, however it ends, leaves no watch behind")
    func watches() async throws {
        try await withCore { core in
            let (seen, saw) = AsyncStream<Rating>.makeStream()
            let loop = Task { for await rating in try core.ratings(of: text) { saw.yield(rating) } }
            var ratings = seen.makeAsyncIterator()
            #expect(await ratings.next() != nil)
            #expect(try await tells(core))
            loop.cancel()
            try await loop.value
            // The last reference goes away a moment after the loop, on a thread of its own.
            while try await tells(core) { try Task.checkCancellation() }

            for await _ in try core.ratings(of: text) { break }
            while try await tells(core) { try Task.checkCancellation() }
            // Never begun.
            _ = try core.ratings(of: text)
            while try await tells(core) { try Task.checkCancellation() }
        }
    }

    /// Whether the core tells of a change of the code's rating.
    private func tells(_ core: SafeScan) async throws -> Bool {
        let reader = core.eventReader(newsOnly: true)
        try await core.vote(.safe, on: text, userId: "\(UUID())")
        try await core.kvSet(key: "end", value: "")
        var told = false
        while true {
            for event in try await reader.next() {
                if case .ratingChanged = event { told = true }
                if case .keyValueChanged = event { return told }
            }
        }
    }

    @Test("A slow loop gets the latest, however much it was too slow for")
    func slow() async throws {
        try await withCore { core in
            func votes(on text: String, by voters: Range<Int>) async throws {
                _ = try await core.submitVotes(
                    votes: voters.map { NewVote(code: .text(text: text), choice: .safe, userId: "\($0)") })
            }
            var ratings = try core.ratings(of: text).makeAsyncIterator()
            #expect(await ratings.next()?.totalVotes == 0)
            try await votes(on: text, by: 0..<100)
            #expect(await ratings.next()?.totalVotes == 100)
            // More events than the core keeps: the change is not among them.
            try await votes(on: text, by: 100..<101)
            try await votes(on: "https://example.com/other", by: 0..<1_100)
            #expect(await ratings.next()?.totalVotes == 101)
        }
    }

    @Test("Codes that nobody may watch are refused, private ones stay neutral, and streams end with the core")
    func ends() async throws {
        let folder = TemporaryFolder()
        let core = try await SafeScan.open(in: folder.url)
        guard case .InvalidInput = try await failure({ try core.ratings(of: "") }) else {
            Issue.record("an empty text should be refused")
            return
        }
        var ratings = try core.ratings(of: "WIFI:T:WPA;S:Guest;P:secret;;").makeAsyncIterator()
        var status = core.syncStatus.makeAsyncIterator()
        var operations = core.operations.makeAsyncIterator()
        #expect(await ratings.next()?.source == .neutral)
        #expect(await status.next() == SyncStatus(
            state: .disabled, cause: .notConfigured, realtime: .disabled, pending: 0, lastReport: nil))
        #expect(await operations.next() == [])
        try await core.shutdown()
        #expect(await ratings.next() == nil)
        #expect(await status.next() == nil)
        #expect(await operations.next() == nil)
        guard case .Stopped = try await failure({ try core.ratings(of: text) }) else {
            Issue.record("a core that was shut down should say so")
            return
        }
    }
}
