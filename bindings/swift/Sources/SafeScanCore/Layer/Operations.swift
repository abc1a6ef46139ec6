extension SafeScan {
    /// The changes that wait for the server, in the order in which they were made: now, and again whenever some come, are
    /// settled, are parked or set free. The first 500 of them; `pendingOperations` pages through more, and
    /// `SyncStatus.pending` counts them all. Ends when the core is shut down.
    ///
    /// ```swift
    /// for await waiting in core.operations {
    ///     list.show(waiting.filter { $0.state == .parked })
    /// }
    /// ```
    ///
    /// Attempts and times of a change that is tried again and again are as they were when the list was last read.
    ///
    /// Any number of loops, each with a stream of its own; a slow one gets the latest list and not each one in between. A
    /// loop whose task is cancelled ends at once.
    public var operations: AsyncStream<[PendingOperation]> {
        states {
            switch $0 {
            case .operationsChanged: true
            // What was tried says now how often, and why it failed.
            case .healthChanged(let health): health.service == .cloudSync
            default: false
            }
        } read: { _ in
            try await self.pendingOperations(limit: page).operations
        }
    }
}

/// What a page may hold.
private let page: UInt32 = 500
