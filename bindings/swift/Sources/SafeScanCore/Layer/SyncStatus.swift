/// How synchronisation stands.
public struct SyncStatus: Equatable, Sendable {
    /// Whether changes are sent and fetched.
    public let state: ServiceState
    /// Why, for example `.offline`, or `.unauthorized` if the server wants a token.
    public let cause: HealthCause
    /// Whether changes of others come in at once.
    public let realtime: ServiceState
    /// How many changes of this device the server does not know of yet; see `operations`.
    public let pending: UInt32
    /// What the last exchange with the server did; nil until one ends while the status is followed.
    public let lastReport: SyncReport?

    /// For previews and tests.
    public init(
        state: ServiceState, cause: HealthCause, realtime: ServiceState, pending: UInt32, lastReport: SyncReport?
    ) {
        (self.state, self.cause, self.realtime) = (state, cause, realtime)
        (self.pending, self.lastReport) = (pending, lastReport)
    }
}

extension SafeScan {
    /// How synchronisation stands: now, and again whenever that changes. Without a server in the configuration it is
    /// `.disabled` and stays so. Ends when the core is shut down.
    ///
    /// ```swift
    /// for await status in core.syncStatus {
    ///     offlineBanner.isHidden = status.cause != .offline
    ///     badge.count = status.pending
    /// }
    /// ```
    ///
    /// Any number of loops, each with a stream of its own; a slow one gets the latest status and not each one in between.
    /// A loop whose task is cancelled ends at once.
    public var syncStatus: AsyncStream<SyncStatus> {
        let latest = LatestReport()
        return states {
            switch $0 {
            case .healthChanged(let health): health.service == .cloudSync || health.service == .realtime
            case .operationsChanged, .syncFinished: true
            default: false
            }
        } read: { news in
            let lastReport = await latest.report(after: news)
            let services = self.health().services
            func health(of service: Service) -> ServiceHealth? { services.first { $0.service == service } }
            return SyncStatus(
                state: health(of: .cloudSync)?.state ?? .disabled,
                cause: health(of: .cloudSync)?.cause ?? .notConfigured,
                realtime: health(of: .realtime)?.state ?? .disabled,
                pending: try await self.statistics().pendingOperations,
                lastReport: lastReport)
        }
    }
}

/// Remembers the last exchange with the server among the events that it is shown.
private actor LatestReport {
    private var report: SyncReport?

    func report(after news: [CoreEvent]) -> SyncReport? {
        for case .syncFinished(let finished) in news { report = finished }
        return report
    }
}
