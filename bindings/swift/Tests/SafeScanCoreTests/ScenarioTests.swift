import Foundation
import Testing

@Suite("Behaviour as data", .timeLimit(.minutes(1)))
struct ScenarioTests {
    /// Every file is a test of its own.
    struct File: Sendable, CustomTestStringConvertible {
        let url: URL
        var testDescription: String { url.lastPathComponent }

        static let all: [File] = {
            let folder = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../../scenarios").standardized
            let files = try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            return (files ?? []).filter { $0.pathExtension == "json" }
                .sorted { $0.path < $1.path }
                .map(File.init)
        }()
    }

    @Test("There are scenarios")
    func some() {
        #expect(!File.all.isEmpty)
    }

    @Test("Scenario", arguments: File.all)
    func scenario(file: File) async throws {
        try await Scenario(file.url).run()
    }
}
