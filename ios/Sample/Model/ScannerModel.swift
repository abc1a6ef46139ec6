import Observation
import SafeScanCore

/// What the scanner's screen shows, and what can be done on it. Knows nothing of SwiftUI.
@available(iOS 17, macOS 14, *)
@MainActor
@Observable
final class ScannerModel {
    /// The newest scans.
    private(set) var history: [Scan] = []
    /// The code that the screen is about.
    private(set) var current: Scan?
    /// What the community thinks of it, live.
    private(set) var rating: Rating?
    /// How synchronisation stands, where that is worth a word.
    private(set) var banner: String?
    /// What went wrong last.
    private(set) var notice: String?

    /// Opened by `run`: until then nothing can be done.
    private(set) var core: SafeScan?
    private let open: @Sendable () async throws -> SafeScan

    init(open: @escaping @Sendable () async throws -> SafeScan) {
        self.open = open
    }

    /// Opens the core and follows it. To be run for as long as the screen is there, and cancelled with it.
    func run() async {
        await attempt {
            let core = try await open()
            self.core = core
            async let status: Void = followStatus(of: core)
            // Taken before the first reading, so that no change in between is missed.
            let events = core.events
            try await read(from: core)
            for await event in events where event.changesHistory { try await read(from: core) }
            await status
        }
    }

    /// Follows the current code's rating. To be run anew for each code, and cancelled with it.
    func followRating() async {
        rating = nil
        guard let core, let current else { return }
        await attempt {
            for await rating in try core.ratings(of: current.text) { self.rating = rating }
        }
    }

    /// Takes what the camera sees.
    func scan(_ text: String) async {
        guard let core else { return }
        await attempt { current = try await core.record(text) }
    }

    func show(_ scan: Scan) {
        current = scan
    }

    func vote(_ choice: VoteChoice) async {
        guard let core, let current else { return }
        await attempt {
            // The same vote once more takes it back.
            let outcome =
                rating?.ownVote == choice
                ? try await core.retractVote(on: current.text) : try await core.vote(choice, on: current.text)
            // The rating comes by itself.
            switch outcome {
            case .accepted, .updated, .retracted, .unchanged: break
            case .throttled(_, let retryAfterMs): notice = "That was fast. Try again in \((retryAfterMs + 999) / 1_000) s."
            case .notVotable: notice = "Private codes are not voted on."
            }
        }
    }

    func delete(_ scan: Scan) async {
        guard let core else { return }
        await attempt {
            _ = try await core.deleteScan(id: scan.id)
            if current?.id == scan.id { current = nil }
        }
    }

    private func read(from core: SafeScan) async throws {
        history = try await core.history().scans
    }

    private func followStatus(of core: SafeScan) async {
        for await status in core.syncStatus { banner = status.banner }
    }

    private func attempt(_ body: () async throws -> Void) async {
        notice = nil
        do { try await body() } catch { notice = error.localizedDescription }
    }
}

extension CoreEvent {
    fileprivate var changesHistory: Bool {
        switch self {
        case .scansAdded, .scansRemoved, .scansEvicted, .repaired, .erased, .missed: true
        default: false
        }
    }
}

extension SyncStatus {
    /// What to tell the user, if anything.
    var banner: String? {
        let waiting = pending == 1 ? "1 change waits" : "\(pending) changes wait"
        return switch cause {
        case .none, .notConfigured, .notTried, .polling, .suspended: nil
        case .offline: pending == 0 ? "Offline" : "Offline. \(waiting)"
        case .unauthorized: "Sign in again. \(waiting)"
        case .upgradeRequired: "Update the app to go on synchronising"
        default: state == .healthy ? nil : "Synchronising later. \(waiting)"
        }
    }
}
