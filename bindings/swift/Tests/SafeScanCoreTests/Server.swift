import Foundation
import SafeScanCore

/// The reference server as a process of its own, on an empty folder, with the faults that it is told to have; ends with
/// the last reference to it.
final class Server: @unchecked Sendable {
    let url: String
    private let process = Process()
    private let folder = TemporaryFolder()

    /// Real servers ask devices to wait two seconds between runs: tests have better things to do.
    private static let config = """
        [requests]
        min_interval_ms = 20
        [auth]
        mode = "tokens"
        [[auth.tokens]]
        token = "token-of-ada"
        account = "ada"
        [[auth.tokens]]
        token = "token-of-bob"
        account = "bob"
        """

    init(faults: String = "") throws {
        let program = ProcessInfo.processInfo.environment["SAFESCAN_SERVER"] ?? ""
        guard FileManager.default.isExecutableFile(atPath: program) else {
            throw Mismatch(
                """
                SAFESCAN_SERVER ('\(program)') names no server. Build one with 'cargo build -p safescan-server', and set it \
                to target/debug/safescan-server with the whole path; scripts/test does both.
                """)
        }
        try FileManager.default.createDirectory(at: folder.url, withIntermediateDirectories: true)
        let config = folder.url.appendingPathComponent("server.toml")
        try Self.config.write(to: config, atomically: true, encoding: .utf8)
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = [
            "--data", folder.url.appendingPathComponent("data").path, "--config", config.path,
            "--listen", "127.0.0.1:0", "--log-level", "warn", "--faults", faults,
        ]
        process.standardOutput = output
        try process.run()

        var line = Data()
        while line.last != UInt8(ascii: "\n") {
            let more = output.fileHandleForReading.availableData
            if more.isEmpty { throw Mismatch("the server did not start") }
            line += more
        }
        let said = String(decoding: line, as: UTF8.self)
        guard let address = said.range(of: "http://") else { throw Mismatch("the server said '\(said)'") }
        url = said[address.lowerBound...].trimmingCharacters(in: .whitespacesAndNewlines)
    }

    deinit {
        guard process.isRunning else { return }
        _ = Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// Runs `body` on a device of this account's.
    func withDevice(of account: String, _ body: (SafeScan) async throws -> Void) async throws {
        try await withDevice(of: account, SyncConfig(baseUrl: url, allowPlainLoopback: true), body)
    }

    /// The same on one that shares settings, and goes to the server only when it is told to.
    func withQuietDevice(of account: String, _ body: (SafeScan) async throws -> Void) async throws {
        let sync = SyncConfig(baseUrl: url, shareSettings: true, onlyWhenAsked: true, allowPlainLoopback: true)
        try await withDevice(of: account, sync, body)
    }

    private func withDevice(
        of account: String, _ sync: SyncConfig, _ body: (SafeScan) async throws -> Void
    ) async throws {
        let folder = TemporaryFolder()
        try await SafeScan.with(SafeScanConfig(directory: folder.path, sync: sync)) { core in
            try await core.setAuthToken(token: "token-of-\(account)")
            try await endingInTime(core) { try await body(core) }
        }
    }
}
