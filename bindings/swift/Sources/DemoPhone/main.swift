// The demo's phone in Swift; demo/README.md says what it does.
import Foundation
import SafeScanCore

do {
    switch try Order(Array(CommandLine.arguments.dropFirst())) {
    case .work(let directory, let file, let now):
        let payloads = try Payload.all(in: file)
        let config = SafeScanConfig(directory: directory, votesPerMinute: 10_000)
        try await SafeScan.with(config) { core in
            try await Phone(core: core, payloads: payloads, now: now).work()
        }
    case .drive(let directory, let server, let identity, let token):
        let sync = SyncConfig(baseUrl: server, shareScans: true, allowPlainLoopback: true)
        let config = SafeScanConfig(
            directory: directory, identityKey: identity, votesPerMinute: 10_000, sync: sync)
        try await SafeScan.with(config) { core in
            try await DrivenPhone(core: core, token: token).work()
        }
    }
} catch {
    FileHandle.standardError.write(Data("phone: \(error.localizedDescription)\n".utf8))
    exit(1)
}
