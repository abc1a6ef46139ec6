// The README's example: compiled against every build of the core, and run by the tests.
import Foundation
import SafeScanCore

let folder = FileManager.default.temporaryDirectory.appendingPathComponent("quickstart-\(UUID())")
defer { try? FileManager.default.removeItem(at: folder) }

// README begin
let core = try await SafeScan.open(in: folder)
let scan = try await core.record("https://example.com/menu")
try await core.vote(.safe, on: scan.text)
let rating = try await core.rating(of: scan.text)
print("\(rating.safeVotes) of \(rating.totalVotes) say safe: \(rating.assessment)")
// README end

try await core.shutdown()
