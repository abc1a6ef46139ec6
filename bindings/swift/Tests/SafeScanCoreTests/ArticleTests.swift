import Articles
import Foundation
import SafeScanCore
import Testing

@Suite("Articles", .timeLimit(.minutes(1)))
struct ArticleTests {
    static let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    @Test("The documentation's code is code that compiles", arguments: ["Start", "Offline", "Live"])
    func compiles(article: String) throws {
        let text = try String(
            contentsOf: Self.package.appendingPathComponent("Sources/SafeScanCore/SafeScanCore.docc/\(article).md"), encoding: .utf8)
        let examples = try String(
            contentsOf: Self.package.appendingPathComponent("Sources/Articles/Articles.swift"), encoding: .utf8)
        let blocks = text.components(separatedBy: "```swift\n").dropFirst().map { $0.components(separatedBy: "```")[0] }
        try #require(!blocks.isEmpty)
        for block in blocks {
            // In the examples each stands in a function.
            let lines = block.split(separator: "\n", omittingEmptySubsequences: false).map { $0.isEmpty ? "" : "    \($0)" }
            #expect(examples.contains(lines.joined(separator: "\n")), "Articles.swift has nothing like this:\n\(block)")
        }
    }

    @Test("What the articles begin with does what they say")
    func start() async throws {
        try await withCore { core in
            try await scannedAndVoted(core: core)
            #expect(try await core.rating(of: "https://example.com/menu").safeVotes == 1)
            try await core.record("https://example.com/trap", verdict: .unsafe)
            #expect(try await unsafeHistory(core: core).map(\.text) == ["https://example.com/trap"])
            try await recorded(text: "", core: core)
            try await givenUp(core: core)
            try await slept(core: core)
        }
    }
}
