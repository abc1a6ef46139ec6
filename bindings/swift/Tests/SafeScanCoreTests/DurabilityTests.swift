import Foundation
import SafeScanCore
import Testing

@Suite("What is written stays", .timeLimit(.minutes(5)))
struct DurabilityTests {
    @Test("Tasks cancelled while they write leave whole batches")
    func cancelled() async throws {
        let folder = TemporaryFolder()
        let config = SafeScanConfig(directory: folder.path)
        let size = 50
        let finished = try await SafeScan.with(config) { core in
            let writers = (0..<20).map { batch in
                Task { () -> Int in
                    _ = try await core.recordScans(
                        scans: (0..<size).map { NewScan(text: "https://example.com/\(batch)/\($0)") })
                    return batch
                }
            }
            for writer in writers {
                await Task.yield()
                writer.cancel()
            }
            var finished: [Int] = []
            for writer in writers {
                if let batch = try? await writer.value { finished.append(batch) }
            }
            return finished
        }
        let (history, intact) = try await SafeScan.with(config) { core in
            (try await wholeHistory(of: core), try await core.checkIntegrity().intact)
        }
        let batches = Dictionary(grouping: history) { $0.text.split(separator: "/")[2] }
        #expect(batches.values.allSatisfy { Set($0.map(\.text)).count == size })
        #expect(finished.allSatisfy { batches["\($0)"] != nil })
        #expect(strictlyDescending(history))
        #expect(intact)
    }

    @Test("A killed phone loses nothing it has acknowledged, and ends like one that was never killed")
    func killed() async throws {
        // Ahead of the clock until the test is over: until then, ratings are computed for this moment.
        let now = Date().unixMillis + 240_000
        let unharmed = TemporaryFolder()
        let expected = try Program.phone(in: unharmed, now: now).finish()
        #expect(expected.last?.contains(#""intact":true"#) == true)

        let folder = TemporaryFolder()
        let texts = try Program.payloadTexts()
        for _ in 0..<12 {
            let phone = try Program.phone(in: folder, now: now)
            let last = try phone.kill(afterLines: .random(in: 1...40))
            let done = try #require(last.flatMap(acknowledged), "the phone was not killed while it wrote")
            try await SafeScan.with(SafeScanConfig(directory: folder.path)) { core in
                let history = try await wholeHistory(of: core)
                #expect(history.count > done)
                #expect(history.reversed().map(\.text) == Array(texts.prefix(history.count)))
                for text in texts.prefix(done + 1) where try classifyQr(text: text) == .webLink {
                    #expect(try await core.myVote(code: .text(text: text), userId: "ada") != nil)
                }
                #expect(try await core.checkIntegrity().intact)
            }
        }
        let lines = try Program.phone(in: folder, now: now).finish()
        #expect(ratings(lines) == ratings(expected))
        #expect(!ratings(lines).isEmpty)
        #expect(lines.last?.contains(#""intact":true"#) == true)
    }

    private func acknowledged(_ line: String) -> Int? {
        (try? JSONDecoder().decode([String: Int].self, from: Data(line.utf8)))?["done"]
    }

    private func ratings(_ lines: [String]) -> [String] {
        lines.filter { $0.contains(#""rating":"#) }
    }
}
