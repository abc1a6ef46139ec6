import Foundation
import SafeScanCore
import Testing

@Suite("Moving in from AsyncStorage", .timeLimit(.minutes(1)))
struct ImportTests {
    let app = TemporaryFolder()
    var source: AsyncStorageSource { AsyncStorageSource(directory: app.path, bundleId: "example.app") }
    var folder: URL {
        app.url.appendingPathComponent("Library/Application Support/example.app/RCTAsyncLocalStorage_V1")
    }

    func write(_ manifest: String) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data(manifest.utf8).write(to: folder.appendingPathComponent("manifest.json"))
    }

    @Test("What AsyncStorage left is taken over, and goes when the app says so")
    func takenOver() async throws {
        let scan = #"[{\"qrData\": \"https://example.com/menu\", \"timestamp\": 1700000000000}]"#
        try write(#"{"theme": "dark", "long": null, "@safe_scan_history": "\#(scan)"}"#)
        // Named by the MD5 of "long".
        let long = String(repeating: "x", count: 2_000)
        try Data(long.utf8).write(to: folder.appendingPathComponent("0f5264038205edfb1ac05fbb0e8c5e94"))
        try await withCore { core in
            let report = try await core.importAsyncStorage(source: source)
            let progress = try await core.nextEvents().compactMap { event in
                if case .importProgress(let done, let total) = event { (done: done, total: total) } else { nil }
            }
            // All of the originals: the manifest's file and that of the long value.
            #expect(progress.last?.done == progress.last?.total)
            #expect(progress.last.map { $0.total > long.utf8.count } == true)
            #expect(progress.map(\.done) == progress.map(\.done).sorted())
            #expect(report.storages == 1 && report.scans == 1 && report.keyValues == 2)
            #expect(try await core.kvGet(key: "theme") == "dark")
            #expect(try await core.kvGet(key: "long") == long)
            #expect(try await wholeHistory(of: core).map(\.scannedAt) == [1_700_000_000_000])
            #expect(try await core.importAsyncStorage(source: source) == report)

            #expect(report.complete)
            #expect(try await core.confirmImport())
            #expect(!FileManager.default.fileExists(atPath: folder.path))
        }
    }

    @Test("A manifest that is half written means later")
    func later() async throws {
        try write(#"{"theme": "da"#)
        try await withCore { core in
            guard case .StorageUnavailable = try await failure({ try await core.importAsyncStorage(source: source) }) else {
                Issue.record("it should be tried again")
                return
            }
            #expect(try await core.kvKeys().isEmpty)
            #expect(FileManager.default.fileExists(atPath: folder.path))
        }
    }
}
