import Foundation
import SafeScanCore
import Testing

#if canImport(SQLite3)
    import SQLite3
#endif

/// What only an Apple system shows: that the XCFramework is linked and works there. scripts/build-ios --package-manifest puts
/// these tests into the package that it writes around it.
@Suite(.timeLimit(.minutes(1)))
struct DeviceTests {
    @Test("What was recorded is there after sleep, and in the next core")
    func keeps() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("safescan-device-\(UUID())")
        defer { try? FileManager.default.removeItem(at: folder) }
        var core = try await SafeScan.open(in: folder)
        let scan = try await core.record("https://example.com/menu")
        try await core.vote(.safe, on: scan.text)
        try await core.suspend()
        try await core.resume()
        #expect(try await core.rating(of: scan.text).safeVotes == 1)
        try await core.shutdown()

        core = try await SafeScan.open(in: folder)
        #expect(try await core.history().scans.map(\.id) == [scan.id])
        try await core.shutdown()
    }

    #if canImport(SQLite3)
        /// The core's SQLite is built without JSON: with its symbols in public, it would answer here, and not know how.
        @Test("An app's own SQLite is the system's")
        func leavesSQLiteAlone() throws {
            var database: OpaquePointer?
            #expect(sqlite3_open(":memory:", &database) == SQLITE_OK)
            defer { sqlite3_close(database) }
            #expect(sqlite3_exec(database, "SELECT json('{}')", nil, nil, nil) == SQLITE_OK)
        }
    #endif
}
