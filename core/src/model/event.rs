use super::{
    ByteCount, OperationId, OperationKind, ParkedReason, QrHash, Rating, RepairReport, ScanId, ServiceHealth,
    StoreName, SyncReport,
};

/// Something that happened. Events of one core come in the order of their commits, and only after them.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Scans were added; the newest one is named.
    ScansAdded {
        /// How many.
        count: u32,
        /// The last of them.
        latest: ScanId,
    },
    /// Scans were removed by the app.
    ScansRemoved {
        /// How many.
        count: u32,
    },
    /// Old scans were removed to make room.
    ScansEvicted {
        /// How many.
        count: u32,
    },
    /// A vote was cast, changed or retracted on this device.
    VoteChanged {
        /// On what.
        qr_hash: QrHash,
    },
    /// The rating of a watched code changed.
    RatingChanged {
        /// The new rating.
        rating: Rating,
    },
    /// Settings changed.
    SettingsChanged,
    /// Key-value data changed.
    KeyValueChanged {
        /// The keys; none: the store was cleared, or more than a hundred changed.
        keys: Vec<String>,
    },
    /// Damaged rows were found; they are withheld until a repair.
    DamageFound {
        /// Where.
        store: StoreName,
        /// How many.
        count: u32,
    },
    /// A repair ended.
    Repaired {
        /// What it kept and lost.
        report: RepairReport,
    },
    /// A part's state changed.
    HealthChanged {
        /// Its new state.
        health: ServiceHealth,
    },
    /// Changes were sent and fetched.
    SyncFinished {
        /// What was done.
        report: SyncReport,
    },
    /// A change of this device gave way to a later one of another device of the account.
    OperationSuperseded {
        /// Which.
        id: OperationId,
        /// What it wanted.
        kind: OperationKind,
    },
    /// A change waits for the app: see `pending_operations`.
    OperationParked {
        /// Which.
        id: OperationId,
        /// Why.
        reason: ParkedReason,
    },
    /// Changes that wait for the server came, were settled, were parked or set free.
    OperationsChanged {
        /// How many there are now, parked ones included.
        pending: u32,
    },
    /// The server wants a token, or another one: give it with `set_auth_token`.
    TokenWanted,
    /// An import is under way.
    ImportProgress {
        /// How much of the originals was taken.
        done: ByteCount,
        /// How much there is.
        total: ByteCount,
    },
    /// Everything was erased.
    Erased,
    /// The reader was too slow: so many events before this one were dropped. Read the state anew.
    Missed {
        /// How many.
        count: u32,
    },
}
