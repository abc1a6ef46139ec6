extension SafeScan {
    /// The rating of the code with this text, as scanned: as it is now, and again whenever it changes, be it by a vote on
    /// this device or by one that the server tells of. Ends when the core is shut down.
    ///
    /// ```swift
    /// for await rating in try core.ratings(of: scan.text) {
    ///     badge.show(rating.assessment)
    /// }
    /// ```
    ///
    /// Any number of loops, each with a stream of its own, may follow the same code. While one does, the code is watched
    /// (`watch` and `unwatch` are called for it); at most 1,000 codes at a time. A slow loop gets the latest rating and not
    /// each one in between. Votes also lose weight with their age, slowly: that alone is not told. A loop whose task is
    /// cancelled ends at once.
    ///
    /// - Throws: `SafeScanError.InvalidInput` if the text is invalid or too many codes are watched, or `.Stopped`.
    public func ratings(of text: String) throws -> AsyncStream<Rating> {
        try ratings(of: .text(text: text))
    }

    /// The rating of a code: as it is now, and again whenever it changes, as by its text.
    public func ratings(of code: CodeRef) throws -> AsyncStream<Rating> {
        let watch = try Watch(of: code, on: self)
        let hash = switch code {
        case .text(let text): try hashQrData(text: text)
        case .hash(let qrHash): qrHash.lowercased()
        }
        return states {
            if case .ratingChanged(let rating) = $0 { rating.qrHash == hash } else { false }
        } read: { news in
            if case .ratingChanged(let rating)? = news.last { rating } else { try await watch.rating() }
        }
    }
}

/// The core tells of a code's changes for as long as this lives.
private final class Watch: Sendable {
    private let core: SafeScan
    private let code: CodeRef

    init(of code: CodeRef, on core: SafeScan) throws {
        try core.watch(codes: [code])
        self.core = core
        self.code = code
    }

    func rating() async throws -> Rating {
        try await core.rating(code: code)
    }

    deinit {
        // With a core that was shut down its watches are gone.
        try? core.unwatch(codes: [code])
    }
}
