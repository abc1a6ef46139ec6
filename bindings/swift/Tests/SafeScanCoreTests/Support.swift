import Foundation
import SafeScanCore
import Testing

/// A new folder of its own; removed with the last reference to it.
final class TemporaryFolder: Sendable {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("safescan-test-\(UUID())")

    deinit {
        try? FileManager.default.removeItem(at: url)
    }

    var path: String { url.path }

    /// The main database's file in it.
    var database: URL { url.appendingPathComponent("safescan.db") }
}

/// Runs `body` on a core with files of its own.
func withCore(_ body: (SafeScan) async throws -> Void) async throws {
    let folder = TemporaryFolder()
    try await SafeScan.with(SafeScanConfig(directory: folder.path)) { core in
        try await endingInTime(core) { try await body(core) }
    }
}

/// Runs `body`, and shuts the core down when the test's time is over: cancelling does not reach a call under way.
func endingInTime<Value: Sendable>(_ core: SafeScan, _ body: () async throws -> Value) async throws -> Value {
    try await withTaskCancellationHandler {
        let value = try await body()
        try Task.checkCancellation()
        return value
    } onCancel: {
        Task { try await core.shutdown() }
    }
}

/// The next value that is `wanted`. Throws if the stream, or the test's time, ends before.
func next<Value>(
    of values: inout AsyncStream<Value>.Iterator, where wanted: (Value) -> Bool
) async throws -> Value {
    while let value = await values.next() {
        if wanted(value) { return value }
    }
    throw Mismatch("the stream ended too early")
}

/// The whole history, newest first.
func wholeHistory(of core: SafeScan) async throws -> [Scan] {
    var scans: [Scan] = [], cursor: String?
    repeat {
        let page = try await core.history(ScanQuery(limit: 50, cursor: cursor))
        scans += page.scans
        cursor = page.nextCursor
    } while cursor != nil
    return scans
}

/// Whether every id is smaller than the one before.
func strictlyDescending(_ scans: [Scan]) -> Bool {
    zip(scans, scans.dropFirst()).allSatisfy { $0.id > $1.id }
}

/// The `SafeScanError` that `call` throws; anything else is a failure.
func failure<T>(
    _ call: () async throws -> T, sourceLocation: SourceLocation = #_sourceLocation
) async throws -> SafeScanError {
    do {
        _ = try await call()
    } catch let error as SafeScanError {
        return error
    }
    Issue.record("the call should have failed", sourceLocation: sourceLocation)
    throw CancellationError()
}
