import Foundation
import Testing

@Suite("README")
struct ReadmeTests {
    @Test("Its five lines are those that are compiled")
    func fiveLines() throws {
        let here = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        let compiled = try String(contentsOf: here.appendingPathComponent("Example.swift"), encoding: .utf8)
        let readme = try String(contentsOf: here.appendingPathComponent("../../README.md").standardized, encoding: .utf8)
        let parts = compiled.components(separatedBy: "    // README ")
        try #require(parts.count == 3)
        let lines = parts[1].components(separatedBy: "\n").dropFirst().map { $0.hasPrefix("    ") ? String($0.dropFirst(4)) : $0 }
        #expect(readme.contains("```swift\nimport SafeScanApple\n\n\(lines.joined(separator: "\n"))```\n"))
    }
}
