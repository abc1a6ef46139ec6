import Foundation
import SafeScanCore
import Testing

@Suite("Errors", .timeLimit(.minutes(2)))
struct ErrorTests {
    /// A call that must be refused, and the words that its reason must begin with.
    struct BadInput: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let reason: String
        let call: @Sendable (SafeScan) async throws -> Void

        init(_ name: String, _ reason: String, _ call: @escaping @Sendable (SafeScan) async throws -> Void) {
            self.testDescription = name
            self.reason = reason
            self.call = call
        }

        static let all: [BadInput] = [
            .init("empty code", "text is empty") { try await $0.record("") },
            .init("oversized code", "text is longer than 4296 characters") {
                try await $0.record(String(repeating: "語", count: 4_297))
            },
            .init("NUL in a code", "text contains a NUL") { try await $0.record("a\0b") },
            .init("one bad scan of many", "text is empty") {
                _ = try await $0.recordScans(scans: [NewScan(text: "https://example.com/"), NewScan(text: "")])
            },
            .init("oversized metadata", "metadata is longer than 16384 bytes") {
                try await $0.record("x", metadata: String(repeating: "m", count: 16 * 1_024 + 1))
            },
            .init("negative time", "scanned_at is not between") {
                _ = try await $0.recordScan(scan: NewScan(text: "x", scannedAt: -1))
            },
            .init("smallest time", "scanned_at is not between") {
                try await $0.record("x", scannedAt: .distantPast)
            },
            .init("greatest time", "scanned_at is not between") {
                _ = try await $0.recordScan(scan: NewScan(text: "x", scannedAt: .max))
            },
            .init("vote from the future", "voted_at is not between") {
                let vote = NewVote(code: .text(text: "https://example.com/"), choice: .safe, votedAt: .max)
                _ = try await $0.submitVote(vote: vote)
            },
            .init("empty page", "limit is not between 1 and 500") {
                _ = try await $0.history(ScanQuery(limit: 0))
            },
            .init("oversized page", "limit is not between 1 and 500") {
                _ = try await $0.history(ScanQuery(limit: 501))
            },
            .init("oversized page of events", "max is not between 1 and 500") {
                _ = try await $0.nextEvents(max: 501)
            },
            .init("empty key", "key is empty") { try await $0.kvSet(key: "", value: "v") },
            .init("oversized key", "key is longer than 1024 bytes") {
                try await $0.kvSet(key: String(repeating: "k", count: 1_025), value: "v")
            },
            .init("NUL in a key", "key contains a NUL") { _ = try await $0.kvGet(key: "k\0") },
            .init("oversized value", "value is longer than 16777216 bytes") {
                try await $0.kvSet(key: "k", value: String(repeating: "v", count: 16 * 1_024 * 1_024 + 1))
            },
            .init("oversized cache key", "key is longer than 1024 bytes") {
                try $0.cacheSet(key: String(repeating: "k", count: 1_025), value: "v")
            },
            .init("wrong scan id", "scan_id is not 16 hexadecimal digits") { _ = try await $0.scan(id: "one") },
            .init("wrong hash", "qr_hash is not 64 hexadecimal digits") {
                _ = try await $0.rating(code: .hash(qrHash: String(repeating: "g", count: 64)))
            },
            .init("wrong operation id", "operation_id is no UUID") { _ = try await $0.retryOperation(id: "one") },
            .init("reputation that is no number", "weight") { try await $0.setReputation(weight: .nan) },
        ]
    }

    @Test("Bad input is refused by name, changes nothing, and the next call works", arguments: BadInput.all)
    func badInput(input: BadInput) async throws {
        try await withCore { core in
            let error = try await failure { try await input.call(core) }
            guard case .InvalidInput(let reason) = error else { throw error }
            #expect(reason.hasPrefix(input.reason))
            #expect(error.localizedDescription == reason)
            let statistics = try await core.statistics()
            #expect([statistics.scans, statistics.votes, statistics.kvEntries] == [0, 0, 0])
            try await core.record("https://example.com/")
        }
    }

    @Test("The largest that is allowed is kept whole")
    func largest() async throws {
        try await withCore { core in
            let text = String(repeating: "語", count: 4_296)
            #expect(try await core.record(text).text == text)
            let key = String(repeating: "k", count: 1_024), value = String(repeating: "v", count: 16 * 1_024 * 1_024)
            try await core.kvSet(key: key, value: value)
            #expect(try await core.kvGet(key: key) == value)
        }
    }

    @Test("A panic inside is an error, and the next call works")
    func panic() async throws {
        try await withCore { core in
            let error = try await failure { try await core.testPanic() }
            guard case .Internal(let reason) = error else { throw error }
            #expect(error.localizedDescription == reason)
            try await core.record("https://example.com/")
            #expect(try await core.statistics().scans == 1)
        }
    }

    @Test("A relative directory is refused")
    func relativeDirectory() async throws {
        let error = try await failure { try await SafeScan.open(config: SafeScanConfig(directory: "scans")) }
        #expect(error == .InvalidInput(reason: "directory is not an absolute path"))
    }

    @Test("A directory that is a file is refused, and the file is left alone")
    func directoryIsFile() async throws {
        let folder = TemporaryFolder()
        let content = Data("mine".utf8)
        try FileManager.default.createDirectory(at: folder.url, withIntermediateDirectories: true)
        let file = folder.url.appendingPathComponent("file")
        try content.write(to: file)
        let error = try await failure { try await SafeScan.open(in: file) }
        guard case .InvalidInput(let reason) = error else { throw error }
        #expect(reason.hasPrefix("directory"))
        #expect(try Data(contentsOf: file) == content)
    }

    @Test("A newer version's database is refused and left alone")
    func newerDatabase() async throws {
        let folder = TemporaryFolder()
        let config = SafeScanConfig(directory: folder.path)
        try await SafeScan.with(config) { _ = try await $0.record("https://example.com/") }
        var database = try Data(contentsOf: folder.database)
        let versionPlace = 60..<64
        let version = Data(database[versionPlace])
        database.replaceSubrange(versionPlace, with: withUnsafeBytes(of: UInt32(9_999).bigEndian) { Data($0) })
        try database.write(to: folder.database)

        let error = try await failure { try await SafeScan.open(config: config) }
        guard case .StorageIncompatible = error else { throw error }
        #expect(try Data(contentsOf: folder.database) == database)

        // With its own version again, everything is there.
        database.replaceSubrange(versionPlace, with: version)
        try database.write(to: folder.database)
        #expect(try await SafeScan.with(config) { try await $0.statistics().scans } == 1)
    }

    @Test("Storage that fails says so, and works again afterwards")
    func failingStorage() async throws {
        try await withCore { core in
            core.testFailStorage(fail: true)
            let error = try await failure { try await core.record("https://example.com/") }
            guard case .StorageUnavailable = error else { throw error }
            core.testFailStorage(fail: false)
            try await core.record("https://example.com/")
            #expect(try await core.statistics().scans == 1)
        }
    }
}
