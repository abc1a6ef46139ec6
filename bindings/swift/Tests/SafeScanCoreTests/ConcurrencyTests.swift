import Foundation
import SafeScanCore
import Testing

@Suite("Many at once", .timeLimit(.minutes(2)))
struct ConcurrencyTests {
    @Test("A hundred concurrent calls keep a hundred scans")
    func hundredAtOnce() async throws {
        try await withCore { core in
            let texts = (0..<100).map { "https://example.com/\($0)" }
            try await withThrowingTaskGroup(of: Scan.self) { group in
                for text in texts { group.addTask { try await core.record(text) } }
                for try await scan in group { #expect(texts.contains(scan.text)) }
            }
            let history = try await wholeHistory(of: core)
            #expect(history.map(\.text).sorted() == texts.sorted())
            #expect(Set(history.map(\.id)).count == 100)
        }
    }

    @Test("A thousand scans by eight tasks are all there, newest first, and after a reopening as well")
    func thousandByEight() async throws {
        let folder = TemporaryFolder()
        let config = SafeScanConfig(directory: folder.path)
        let before = try await SafeScan.with(config) { core in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for task in 0..<8 {
                    group.addTask {
                        for number in 0..<125 { try await core.record("https://example.com/\(task)/\(number)") }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await core.statistics().scans == 1_000)
            return try await wholeHistory(of: core)
        }
        #expect(before.count == 1_000)
        #expect(Set(before.map(\.text)).count == 1_000)
        #expect(strictlyDescending(before))

        let after = try await SafeScan.with(config) { try await wholeHistory(of: $0) }
        #expect(after == before)
    }

    @Test("The same directory twice is the same core")
    func sameDirectory() async throws {
        let folder = TemporaryFolder()
        let first = try await SafeScan.open(in: folder.url)
        let second = try await SafeScan.open(in: folder.url)
        let scan = try await first.record("https://example.com/")
        // Memory is shared, not only files.
        try first.cacheSet(key: "k", value: "v")
        #expect(try await second.scan(id: scan.id) == scan)
        #expect(try second.cacheGet(key: "k") == "v")

        let other = SafeScanConfig(directory: folder.path, votesPerMinute: 3)
        let refused = try await failure { try await SafeScan.open(config: other) }
        guard case .InvalidInput = refused else { throw refused }

        try await first.shutdown()
        guard case .Stopped = try await failure({ try await second.statistics() }) else {
            Issue.record("a core that was shut down should say so")
            return
        }
    }

    @Test("A core can be used from an actor")
    func actors() async throws {
        actor Screen {
            private let core: SafeScan
            private(set) var shown: [Scan] = []
            init(core: SafeScan) { self.core = core }
            func scan(_ text: String) async throws {
                shown.append(try await core.record(text))
            }
        }
        try await withCore { core in
            let screen = Screen(core: core)
            try await screen.scan("https://example.com/")
            let shown = await screen.shown
            #expect(try await wholeHistory(of: core) == shown)
            #expect(shown.count == 1)
        }
    }
}
