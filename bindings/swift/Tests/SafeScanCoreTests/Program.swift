import Foundation
import SafeScanCore

/// One of this package's executables, running as a process of its own.
struct Program {
    private let process = Process()
    private let output = Pipe()

    private static let payloads = URL(fileURLWithPath: #filePath)
        .appendingPathComponent("../../../../../demo/payloads.jsonl").standardized

    /// The folder of everything that was built: the tests' own program lies there as well.
    private static var products: URL {
        #if os(macOS)
            let bundle = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") } ?? .main
            return bundle.bundleURL.deletingLastPathComponent()
        #else
            return URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        #endif
    }

    init(_ name: String, _ arguments: [String] = []) throws {
        process.executableURL = Self.products.appendingPathComponent(name)
        process.arguments = arguments
        process.standardOutput = output
        try process.run()
    }

    static func phone(in folder: TemporaryFolder, now: UnixMillis) throws -> Program {
        try Program(
            "DemoPhone", ["--directory", folder.path, "--payloads", payloads.path, "--now", "\(now)"])
    }

    static func payloadTexts() throws -> [String] {
        struct Payload: Decodable { let text: String }
        let lines = try Data(contentsOf: payloads).split(separator: UInt8(ascii: "\n"))
        return try lines.map { try JSONDecoder().decode(Payload.self, from: $0).text }
    }

    /// Waits for the end and gives the lines it printed.
    func finish() throws -> [String] {
        let printed = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationReason == .exit, process.terminationStatus == 0 else {
            throw Mismatch("the program ended with status \(process.terminationStatus)")
        }
        return lines(printed)
    }

    /// Kills it once it has printed so many lines; gives the last whole line it printed until it was dead.
    func kill(afterLines count: Int) throws -> String? {
        let reading = output.fileHandleForReading
        var printed = Data()
        while printed.count(where: { $0 == UInt8(ascii: "\n") }) < count {
            let more = reading.availableData
            if more.isEmpty { throw Mismatch("the program ended before it could be killed") }
            printed += more
        }
        _ = Foundation.kill(process.processIdentifier, SIGKILL)
        printed += reading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationReason == .uncaughtSignal else {
            throw Mismatch("the program ended before it could be killed")
        }
        // What comes after the last line break was cut short by the kill.
        return lines(printed[...(printed.lastIndex(of: UInt8(ascii: "\n")) ?? 0)]).last
    }

    private func lines(_ data: Data) -> [String] {
        String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}
