import SafeScanCore

/// What the example shows things on.
@MainActor
protocol Screen: AnyObject {
    var badge: String { get set }
    var banner: String { get set }
}

/// The README's second example, word for word between its two marks.
@MainActor
func live(core: SafeScan, scan: Scan, screen: some Screen) -> (Task<Void, any Error>, Task<Void, Never>) {
    // README begin
    let rating = Task {
        for await rating in try core.ratings(of: scan.text) {
            screen.badge = "\(rating.safeVotes) of \(rating.totalVotes) say safe"
        }
    }
    let status = Task {
        for await status in core.syncStatus {
            screen.banner = "\(status.state), \(status.pending) changes wait"
        }
    }
    // README end
    return (rating, status)
}
