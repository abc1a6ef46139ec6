import Foundation

extension SafeScan {
    /// Records the scan of a code. When this returns, the scan survives a kill and a power cut.
    ///
    /// - Parameters:
    ///   - text: The code's text as scanned: 1 to 4,296 characters.
    ///   - verdict: What the app made of the code.
    ///   - scannedAt: When it was scanned; now by default.
    ///   - metadata: Whatever the app wants to keep with it, up to 16 KiB.
    /// - Throws: `SafeScanError.InvalidInput` or `.StorageFull`; nothing is stored then.
    @discardableResult
    public func record(
        _ text: String, verdict: Verdict = .unknown, scannedAt: Date? = nil, metadata: String? = nil
    ) async throws -> Scan {
        let at = scannedAt?.unixMillis
        return try await recordScan(scan: NewScan(text: text, verdict: verdict, scannedAt: at, metadata: metadata))
    }

    /// Casts or changes the vote on the code with this text: one stands per voter and code, the latest wins.
    ///
    /// - Parameters:
    ///   - choice: What the voter thinks of it.
    ///   - text: The code's text as scanned.
    ///   - userId: Who votes, if several people share the device; the installation itself by default.
    /// - Throws: `SafeScanError`. A vote that is not counted is no error: see ``VoteOutcome``.
    @discardableResult
    public func vote(_ choice: VoteChoice, on text: String, userId: String? = nil) async throws -> VoteOutcome {
        try await submitVote(vote: NewVote(code: .text(text: text), choice: choice, userId: userId))
    }

    /// Takes back the vote on the code with this text.
    @discardableResult
    public func retractVote(on text: String, userId: String? = nil) async throws -> VoteOutcome {
        try await retractVote(code: .text(text: text), userId: userId)
    }

    /// What the community thinks of the code with this text, at this moment.
    public func rating(of text: String) async throws -> Rating {
        try await rating(code: .text(text: text))
    }

    /// A page of the history, newest first, with the default query unless another is given.
    public func history(_ query: ScanQuery = ScanQuery()) async throws -> ScanPage {
        try await scanHistory(query: query)
    }
}

extension VoteOutcome {
    /// The code's rating after the vote; nil if nothing was stored because the vote was throttled or the code is not
    /// voted on.
    public var rating: Rating? {
        switch self {
        case .accepted(let rating), .updated(let rating), .retracted(let rating), .unchanged(let rating): rating
        case .throttled, .notVotable: nil
        }
    }
}

extension Date {
    /// The date of a time that the core gave.
    public init(unixMillis: UnixMillis) {
        self.init(timeIntervalSince1970: Double(unixMillis) / 1_000)
    }

    /// The time to give to the core: milliseconds since 1970, rounded. Dates that no calendar knows become the nearest
    /// time there is, which the core refuses.
    public var unixMillis: UnixMillis {
        let millis = (timeIntervalSince1970 * 1_000).rounded()
        return UnixMillis(exactly: millis) ?? (millis < 0 ? .min : .max)
    }
}
