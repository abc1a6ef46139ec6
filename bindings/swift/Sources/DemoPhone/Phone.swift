import Foundation
import SafeScanCore

private let day: UnixMillis = 86_400_000

/// Works through the payloads on one core.
struct Phone {
    let core: SafeScan
    let payloads: [Payload]
    let now: UnixMillis

    func work() async throws {
        let recorded = Int(try await core.statistics().scans)
        for index in max(0, recorded - 1)..<max(recorded, payloads.count) {
            guard index < payloads.count else { throw Trouble("more scans than payloads") }
            if index >= recorded {
                let at = now - day + UnixMillis(index)
                _ = try await core.recordScan(scan: NewScan(text: payloads[index].text, scannedAt: at))
            }
            try await castVotes(index)
            try Line.done(index).say()
        }
        let (pages, wrongKinds) = try await checkHistory()
        let votable = try payloads.indices.filter(isVotable)
        for index in votable {
            try Line.rating(index, try await core.rating(of: payloads[index].text)).say()
        }
        let intact = try await core.checkIntegrity().intact
        let scans = Int(try await core.statistics().scans)
        let summary = Line.Summary(
            scans: scans, pages: pages, notVotable: payloads.count - votable.count, wrongKinds: wrongKinds,
            intact: intact, resumedAt: recorded)
        try Line.summary(summary).say()
    }

    private func castVotes(_ index: Int) async throws {
        let i = UnixMillis(index)
        guard try await cast(index, .init(unsafe: i % 4 == 0), by: "ada", at: now) else {
            guard try !isVotable(index) else { throw Trouble("payload \(index) should be votable") }
            return
        }
        if i % 2 == 0 {
            try await cast(index, .init(unsafe: i % 3 == 0), by: "bob", at: now - (i % 40) * day)
        }
        if i % 3 == 0 {
            try await cast(index, .safe, by: "cyd", at: now - (i % 29) * day - 12_345)
        }
        if i % 14 == 0 {
            try await core.retractVote(on: payloads[index].text, userId: "bob")
        }
    }

    /// Casts a vote; false if the code is not voted on.
    @discardableResult
    private func cast(_ index: Int, _ choice: VoteChoice, by user: String, at: UnixMillis) async throws -> Bool {
        let code = CodeRef.text(text: payloads[index].text)
        let vote = NewVote(code: code, choice: choice, userId: user, votedAt: at)
        switch try await core.submitVote(vote: vote) {
        case .accepted, .updated, .retracted, .unchanged: return true
        case .notVotable: return false
        case .throttled: throw Trouble("a vote on payload \(index) was throttled")
        }
    }

    /// By default, only web links are voted on. A resumed phone has not voted on all of them itself, so the core is asked.
    private func isVotable(_ index: Int) throws -> Bool {
        try classifyQr(text: payloads[index].text) == .webLink
    }

    /// Pages through everything; gives the number of pages, and of scans whose kind is not the payload's.
    private func checkHistory() async throws -> (pages: Int, wrongKinds: Int) {
        let kinds = Dictionary(payloads.map { ($0.text, $0.kind) }, uniquingKeysWith: { kind, _ in kind })
        var pages = 0, wrongKinds = 0, cursor: String?
        var expected = payloads.reversed().makeIterator()
        repeat {
            let page = try await core.history(ScanQuery(limit: 50, cursor: cursor))
            for scan in page.scans {
                guard scan.text == expected.next()?.text else { throw Trouble("the history is not in order") }
                if kinds[scan.text] != scan.kind.snakeCase { wrongKinds += 1 }
            }
            pages += 1
            cursor = page.nextCursor
        } while cursor != nil
        guard expected.next() == nil else { throw Trouble("the history is not complete") }
        return (pages, wrongKinds)
    }
}

extension VoteChoice {
    fileprivate init(unsafe: Bool) {
        self = unsafe ? .unsafe : .safe
    }
}
