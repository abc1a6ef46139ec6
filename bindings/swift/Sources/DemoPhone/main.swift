// The demo's phone in Swift; demo/README.md says what it does.
import Foundation
import SafeScanCore

do {
    let order = try Order(CommandLine.arguments.dropFirst())
    let payloads = try Payload.all(in: order.payloads)
    let config = SafeScanConfig(directory: order.directory, votesPerMinute: 10_000)
    try await SafeScan.with(config) { core in
        try await Phone(core: core, payloads: payloads, now: order.now).work()
    }
} catch {
    FileHandle.standardError.write(Data("phone: \(error.localizedDescription)\n".utf8))
    exit(1)
}
