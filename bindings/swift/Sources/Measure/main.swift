// What calls cost from Swift. To be run from a release build: `swift run -c release Measure`.
import Foundation
import SafeScanCore

/// Prints the mean time of a call in microseconds, after some that warm it up.
func measure(_ name: String, calls: Int, _ call: @Sendable (Int) async throws -> Void) async rethrows {
    for turn in 0..<max(1, calls / 10) { try await call(turn) }
    let start = DispatchTime.now().uptimeNanoseconds
    for turn in 0..<calls { try await call(turn) }
    let each = Double(DispatchTime.now().uptimeNanoseconds - start) / Double(calls) / 1_000
    print("\(name): \((each * 1_000).rounded() / 1_000) µs")
}

let folder = FileManager.default.temporaryDirectory.appendingPathComponent("measure-\(UUID())")
defer { try? FileManager.default.removeItem(at: folder) }

try await SafeScan.with(SafeScanConfig(folder: folder)) { core in
    await measure("a bare call", calls: 100_000) { _ in _ = coreVersion() }
    try await measure("record a scan, one after another", calls: 1_000) { turn in
        try await core.record("https://example.com/\(turn)")
    }
    try await measure("record 100 scans in one call", calls: 50) { turn in
        let scans = (0..<100).map { NewScan(text: "https://example.org/\(turn)/\($0)") }
        _ = try await core.recordScans(scans: scans)
    }
    try await measure("a page of 50", calls: 2_000) { _ in _ = try await core.history() }
    try await core.vote(.safe, on: "https://example.com/")
    try await measure("a rating", calls: 2_000) { _ in _ = try await core.rating(of: "https://example.com/") }
}
