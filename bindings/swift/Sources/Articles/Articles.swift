import Foundation
import SafeScanCore

// The code of the documentation's articles (Sources/SafeScanCore/SafeScanCore.docc), word for word: what stands there must
// compile here, see ArticleTests. No test itself: most of it is compiled only.

/// What the articles show things on.
@MainActor
public protocol ArticleScreen: AnyObject {
    var badge: String { get set }
    var banner: String { get set }
}

public func opened() async throws -> SafeScan {
    let support = try FileManager.default.url(
        for: .applicationSupportDirectory, in: .userDomainMask, appropriateFor: nil, create: true)
    let core = try await SafeScan.open(in: support.appendingPathComponent("SafeScan"))
    return core
}

public func scannedAndVoted(core: SafeScan) async throws {
    let scan = try await core.record("https://example.com/menu", verdict: .safe)
    switch try await core.vote(.safe, on: scan.text) {
    case .accepted(let rating), .updated(let rating), .unchanged(let rating), .retracted(let rating):
        print("\(rating.safeVotes) of \(rating.totalVotes) say safe")
    case .throttled(_, let retryAfterMs):
        print("too many votes; again in \(retryAfterMs / 1_000) s")
    case .notVotable:
        print("what this code holds is private")
    }
}

public func unsafeHistory(core: SafeScan) async throws -> [Scan] {
    var unsafeScans: [Scan] = []
    var cursor: String?
    repeat {
        let page = try await core.history(ScanQuery(limit: 100, cursor: cursor, verdict: .unsafe))
        unsafeScans += page.scans
        cursor = page.nextCursor
    } while cursor != nil
    return unsafeScans
}

public func recorded(text: String, core: SafeScan) async throws {
    do {
        try await core.record(text)
    } catch SafeScanError.StorageFull {
        // Everything stored stays readable and deletable.
        _ = try await core.clearHistory()
    } catch SafeScanError.InvalidInput(let reason) {
        print("not a code: \(reason)")
    }
}

public func connected(folder: URL, token: String) async throws -> SafeScan {
    let config = SafeScanConfig(
        directory: folder.path,
        sync: SyncConfig(baseUrl: "https://votes.example.com"))
    let core = try await SafeScan.open(config: config)
    try await core.setAuthToken(token: token)
    return core
}

public func keptSignedIn(core: SafeScan, freshToken: () async throws -> String) async throws {
    for await event in core.events {
        if case .tokenWanted = event { try await core.setAuthToken(token: freshToken()) }
    }
}

@MainActor
public func explained(core: SafeScan, screen: some ArticleScreen) async {
    for await status in core.syncStatus {
        switch status.cause {
        case .offline: screen.banner = "Offline: \(status.pending) changes wait"
        case .unauthorized: screen.banner = "Please sign in again"
        default: screen.banner = ""
        }
    }
}

public func slept(core: SafeScan) async throws {
    try await core.suspend()
}

public func sentInTheBackground(core: SafeScan) async throws {
    let run = try await core.runOnce(deadlineMs: 20_000)
    print(run.finished ? "all is sent" : "\(run.report.waiting) changes wait")
}

public func givenUp(core: SafeScan) async throws {
    let page = try await core.pendingOperations()
    for operation in page.operations where operation.state == .parked {
        print("\(operation.kind): \(operation.lastError ?? "refused")")
        _ = try await core.discardOperation(id: operation.id)
    }
}

@MainActor
public func followedForAWhile(core: SafeScan, scan: Scan, screen: some ArticleScreen) {
    let rating = Task {
        for await rating in try core.ratings(of: scan.text) {
            screen.badge = "\(rating.safeVotes) of \(rating.totalVotes) say safe"
        }
    }
    rating.cancel()
}

public func counted(core: SafeScan) async throws -> Int {
    var badge = 0
    for await event in core.events {
        switch event {
        case .scansAdded(let count, _): badge += Int(count)
        case .missed: badge = Int(try await core.statistics().scans)
        default: break
        }
    }
    return badge
}
