import Foundation
import SafeScanCore

/// A phone that is told what to do, a JSON object a line; the demo's README says which.
struct DrivenPhone: Sendable {
    let core: SafeScan
    let token: String?
    private let watched = Watched()

    /// A line of input.
    private struct Command: Decodable, Sendable {
        let id: Int
        let `do`: String
        let text, choice, user, state: String?
        let texts: [String]?
    }

    init(core: SafeScan, token: String?) {
        self.core = core
        self.token = token
    }

    /// Works until it is told to shut down, or until whoever drives it is gone.
    func work() async throws {
        try core.setLogSink(level: .debug, sink: Log())
        try await giveToken()
        let waiting = Int(try await core.statistics().pendingOperations)
        try say(["event": "Ready", "waiting": waiting])
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            let events = Task { try await tellEvents() }
            for await line in inputLines() {
                let command = try JSONDecoder().decode(Command.self, from: Data(line.utf8))
                if command.do == "shutdown" {
                    try await core.shutdown()
                    try await events.value
                    return try say(["id": command.id, "ok": [String: Int]()])
                }
                // Side by side: a long `sync` holds up nobody.
                tasks.addTask {
                    do {
                        try say(["id": command.id, "ok": try await obey(command)])
                    } catch {
                        try say(["id": command.id, "err": error.localizedDescription])
                    }
                }
            }
            try await core.shutdown()
        }
    }

    private func obey(_ command: Command) async throws -> [String: Any] {
        let text = command.text ?? ""
        switch command.do {
        case "vote":
            let choice: VoteChoice = command.choice == "unsafe" ? .unsafe : .safe
            return ["outcome": name(of: try await core.vote(choice, on: text, userId: command.user))]
        case "retract":
            return ["outcome": name(of: try await core.retractVote(on: text, userId: command.user))]
        case "record":
            try await core.record(text)
            return [:]
        case "rating":
            return fields(of: try await core.rating(of: text))
        case "watch":
            let texts = command.texts ?? []
            for text in texts { await watched.add(text, hash: try hashQrData(text: text)) }
            try core.watch(codes: texts.map { .text(text: $0) })
            return [:]
        case "sync":
            return fields(of: try await core.syncNow())
        case "network":
            let states: [String: NetworkState] = ["online": .online, "offline": .offline]
            try core.networkChanged(state: states[command.state ?? ""] ?? .unknown)
            return [:]
        case "health":
            let states = core.health().services.map { part in
                (name(of: part.service), [name(of: part.state), name(of: part.cause)])
            }
            return ["services": Dictionary(uniqueKeysWithValues: states)]
        case "pending":
            let waiting = Int(try await core.statistics().pendingOperations)
            let operations = try await core.pendingOperations(limit: 500).operations
            let attempts = Int(operations.map(\.attempts).max() ?? 0)
            return ["waiting": waiting, "parked": operations.count { $0.state == .parked }, "attempts": attempts]
        default:
            throw Trouble("there is no command \(command.do)")
        }
    }

    private func tellEvents() async throws {
        for await event in core.events {
            guard var line = await fields(of: event) else { continue }
            line["event"] = name(of: event)
            try say(line)
            if case .tokenWanted = event { try await giveToken() }
        }
    }

    /// What is told of an event; nothing of those that only this phone's own owner would look at.
    private func fields(of event: CoreEvent) async -> [String: Any]? {
        switch event {
        case .ratingChanged(let rating):
            let text = await watched.text(hash: rating.qrHash) ?? ""
            return fields(of: rating).merging(["text": text]) { old, _ in old }
        case .healthChanged(let health):
            return ["service": name(of: health.service), "state": name(of: health.state), "cause": name(of: health.cause)]
        case .syncFinished(let report): return fields(of: report)
        case .operationSuperseded(_, let kind): return ["kind": name(of: kind)]
        case .operationParked(_, let reason): return ["reason": name(of: reason)]
        case .missed(let count): return ["count": Int(count)]
        case .tokenWanted: return [:]
        default: return nil
        }
    }

    private func fields(of rating: Rating) -> [String: Any] {
        [
            "safe": Int(rating.safeVotes), "unsafe": Int(rating.unsafeVotes), "confidence": rating.confidence.bits,
            "lower": rating.lower.bits, "upper": rating.upper.bits, "source": name(of: rating.source),
        ]
    }

    private func fields(of report: SyncReport) -> [String: Any] {
        ["sent": Int(report.sent), "received": Int(report.received), "waiting": Int(report.waiting)]
    }

    private func giveToken() async throws {
        if let token { try await core.setAuthToken(token: token) }
    }
}

/// The texts of watched codes, by their hashes: events name hashes only.
private actor Watched {
    private var texts: [String: String] = [:]

    func add(_ text: String, hash: String) { texts[hash] = text }
    func text(hash: String) -> String? { texts[hash] }
}

private final class Log: LogSink {
    func log(level: LogLevel, target: String, text: String) throws {
        try say(["event": "Log", "level": name(of: level), "target": target, "text": text])
    }
}

/// An enum's case as the core spells it: `CloudSync`, `Accepted`.
private func name(of value: Any) -> String {
    let word = "\(value)".prefix { $0 != "(" }
    return word.prefix(1).uppercased() + word.dropFirst()
}

/// Prints a line at once: whoever kills this phone must know how far it came.
private func say(_ line: [String: Any]) throws {
    let json = try JSONSerialization.data(withJSONObject: line, options: .sortedKeys)
    FileHandle.standardOutput.write(json + Data("\n".utf8))
}

/// What is written to this program, line by line. A thread waits for each line when it is wanted, and only then: one that
/// waits would hold up the end of the program.
private func inputLines() -> AsyncStream<String> {
    AsyncStream {
        await withCheckedContinuation { line in
            Thread.detachNewThread { line.resume(returning: readLine()) }
        }
    }
}
