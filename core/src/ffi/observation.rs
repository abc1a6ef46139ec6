use std::sync::Arc;

use super::SafeScan;
use crate::{
    engine::{self, Listener, ListenerFailed, Sink},
    error::SafeScanError,
    log::{Level as LogLevel, LogRecord},
    model::{
        ByteCount, CacheStatistics, Event as CoreEvent, Health as SystemHealth, HealthCause, IdentityKeySource,
        OperationId, OperationKind, ParkedReason, QrHash, Rating, RepairReport, ScanId, Service, ServiceHealth,
        ServiceState, Statistics, StoreName, SyncReport, UnixMillis,
    },
};

/// Something that happened. Events come in the order of their commits, and only after them.
#[uniffi::remote(Enum)]
pub enum CoreEvent {
    /// Scans were added: how many, and the last of them.
    ScansAdded { count: u32, latest: ScanId },
    /// Scans were removed by the app.
    ScansRemoved { count: u32 },
    /// Old scans were removed to make room.
    ScansEvicted { count: u32 },
    /// A vote was cast, changed or retracted on this device.
    VoteChanged { qr_hash: QrHash },
    /// The rating of a watched code changed.
    RatingChanged { rating: Rating },
    /// Settings changed.
    SettingsChanged,
    /// Key-value data changed under these keys; no keys: the store was cleared, or more than a hundred changed.
    KeyValueChanged { keys: Vec<String> },
    /// Damaged rows were found. They are withheld until a repair.
    DamageFound { store: StoreName, count: u32 },
    /// A repair ended.
    Repaired { report: RepairReport },
    /// A part's state changed.
    HealthChanged { health: ServiceHealth },
    /// Changes were sent and fetched.
    SyncFinished { report: SyncReport },
    /// A change of this device gave way to a later one of another device of the account.
    OperationSuperseded { id: OperationId, kind: OperationKind },
    /// A change waits for the app: see `pending_operations`.
    OperationParked { id: OperationId, reason: ParkedReason },
    /// Changes that wait for the server came, were settled, were parked or set free: how many there are now, parked ones
    /// included. At most once for each commit.
    OperationsChanged { pending: u32 },
    /// The server wants a token, or another one: give it with `set_auth_token`.
    TokenWanted,
    /// An import is under way: how many bytes of the originals are taken, of how many. Told in steps of a hundredth.
    ImportProgress { done: ByteCount, total: ByteCount },
    /// Everything was erased.
    Erased,
    /// The reader was too slow, and so many events before this one were dropped. Read the state anew.
    Missed { count: u32 },
}

/// The parts whose state can be asked.
#[uniffi::remote(Enum)]
pub enum Service {
    /// Scans, votes, settings, key-value data.
    LocalStorage,
    /// Community ratings.
    CommunityRatings,
    /// Sending changes and fetching those of others.
    CloudSync,
    /// Live updates.
    Realtime,
    /// Values kept in memory.
    Cache,
}

/// How a part is.
#[uniffi::remote(Enum)]
pub enum ServiceState {
    /// It works.
    Healthy,
    /// It works with restrictions; the cause says which.
    Degraded,
    /// It does not work; the cause says why.
    Unavailable,
    /// The configuration does not want it.
    Disabled,
}

/// Why a part is as it is.
#[uniffi::remote(Enum)]
pub enum HealthCause {
    /// All is well.
    None,
    /// Not part of the configuration.
    NotConfigured,
    /// Configured, but this build has no network: changes are kept and not sent.
    NotSupported,
    /// Nothing was tried yet.
    NotTried,
    /// There is no connection.
    Offline,
    /// Whoever answers could not show that it is the server.
    Untrusted,
    /// The server fails, or the connection breaks.
    ServerFailing,
    /// The server asked for fewer requests.
    RateLimited,
    /// The server wants another token.
    Unauthorized,
    /// The server is not where, or what, it should be.
    ServerMisconfigured,
    /// The server speaks a newer protocol: what is to be sent waits for an update of the app.
    UpgradeRequired,
    /// The server speaks the plain protocol only: changes are taken, nothing comes back.
    PlainServer,
    /// No socket gets through; changes are asked for again and again instead.
    Polling,
    /// The app put the core to sleep.
    Suspended,
    /// The files cannot be opened just now: the device is locked, or a permission is missing.
    FilesUnavailable,
    /// The quota or the disk is full.
    StorageFull,
    /// Damaged rows were found and are withheld.
    DamagedRows,
    /// The last write failed.
    WriteFailed,
    /// The core was shut down.
    Stopped,
}

/// One part's state.
#[uniffi::remote(Record)]
pub struct ServiceHealth {
    /// Which part.
    pub service: Service,
    /// How it is.
    pub state: ServiceState,
    /// Why.
    pub cause: HealthCause,
    /// Since when it is so.
    pub since: UnixMillis,
}

/// Where the key comes from that makes voters anonymous.
#[uniffi::remote(Enum)]
pub enum IdentityKeySource {
    /// Given by the app, from Keychain or Keystore.
    Host,
    /// Made by the core and kept in its database.
    Database,
}

/// The state of every part.
#[uniffi::remote(Record)]
pub struct SystemHealth {
    /// One entry a part, always all of them.
    pub services: Vec<ServiceHealth>,
    /// How well voters are protected.
    pub identity_key: IdentityKeySource,
}

/// Counts over everything stored on this device.
#[uniffi::remote(Record)]
pub struct Statistics {
    /// Scans in the history.
    pub scans: u32,
    /// Standing votes.
    pub votes: u32,
    /// Codes with at least one standing vote.
    pub rated_codes: u32,
    /// Votes for safe ever cast on this device, whatever became of them.
    pub lifetime_safe_votes: u32,
    /// Votes for unsafe ever cast on this device, whatever became of them.
    pub lifetime_unsafe_votes: u32,
    /// Entries in the key-value store.
    pub kv_entries: u32,
    /// Changes that wait to be sent.
    pub pending_operations: u32,
    /// The cache.
    pub cache: CacheStatistics,
}

/// How much a log record matters, the least first.
#[uniffi::remote(Enum)]
pub enum LogLevel {
    /// Every step.
    Trace,
    /// What a developer looking for a fault wants to see.
    Debug,
    /// What happens seldom: opened, suspended, repaired.
    Info,
    /// The world is not as it should be; the core copes.
    Warn,
    /// A bug in the core.
    Error,
}

/// What a listener or sink of the app's may throw. The core counts it and goes on.
#[derive(Debug, thiserror::Error, uniffi::Error)]
pub enum ListenerError {
    /// The app's code failed.
    #[error("{reason}")]
    Failed {
        /// For the developer.
        reason: String,
    },
}

impl From<uniffi::UnexpectedUniFFICallbackError> for ListenerError {
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Failed { reason: "the listener threw something unexpected".into() }
    }
}

/// Reads events, independently of every other reader. One that is no longer wanted should be finished: events are kept for
/// it, the last 1,024 of them.
#[derive(uniffi::Object)]
pub struct EventReader {
    reader: engine::EventReader,
}

#[uniffi::export]
impl EventReader {
    /// Waits for events and returns up to `max` (1 to 500) of them, in their order; an empty list means that there will
    /// be no more: this reader was finished, the core was shut down, or a newer call of this reader took over. `Missed`
    /// stands in for events that this reader was too slow for.
    #[uniffi::method(default(max = 100))]
    pub async fn next(&self, max: u32) -> Result<Vec<CoreEvent>, SafeScanError> {
        self.reader.next(max).await.map_err(|error| error.report().1)
    }

    /// Ends this reader, and a call of it that waits. May be called again.
    pub fn finish(&self) {
        self.reader.finish();
    }
}

/// Is told of events. Called from one thread of the core's own, one event after another, with no lock held: it may call
/// the core, but should hand longer work on.
#[uniffi::export(with_foreign)]
pub trait EventListener: Send + Sync {
    /// An event, told after its commit.
    fn on_event(&self, event: CoreEvent) -> Result<(), ListenerError>;
}

/// Takes the core's log. Called from one thread of the core's own. No record holds content, ids or tokens.
#[uniffi::export(with_foreign)]
pub trait LogSink: Send + Sync {
    /// A record, for example `storage`, `rows withheld count=3`.
    fn log(&self, level: LogLevel, target: String, text: String) -> Result<(), ListenerError>;
}

#[uniffi::export]
impl SafeScan {
    /// The state of every part, without waiting.
    pub fn health(&self) -> SystemHealth {
        self.core.health()
    }

    /// Counts over everything stored. Cheap: they are kept with every write.
    pub async fn statistics(&self) -> Result<Statistics, SafeScanError> {
        self.run(|core| async move { core.statistics().await }).await
    }

    /// Waits for events and returns up to `max` (1 to 500) of them; an empty list means that there will be no more.
    ///
    /// The core's own reader, made for one loop per app: a new call ends one that still waits (which then returns an empty
    /// list). `event_reader` gives further ones. The last 1,024 events are kept for a slow reader; `Missed` stands in for
    /// older ones.
    #[uniffi::method(default(max = 100))]
    pub async fn next_events(&self, max: u32) -> Result<Vec<CoreEvent>, SafeScanError> {
        // The one call that is not made to outlive its caller: events that nobody waits for must stay where they are.
        self.core.next_events(max).await.map_err(|error| self.core.tell(&error))
    }

    /// A reader of events of its own: it sees everything that happens from now on, whatever other readers do. It begins
    /// with the events that nobody has read yet, so that the first one misses nothing since the core was opened.
    ///
    /// With `news_only` it begins with the present instead, and leaves what nobody has read to others: for whoever reads
    /// a state and then wants to know when it changes.
    #[uniffi::method(default(news_only = false))]
    pub fn event_reader(&self, news_only: bool) -> Arc<EventReader> {
        Arc::new(EventReader { reader: self.core.event_reader(news_only) })
    }

    /// Tells `listener` of every event from now on, in place of the one before; none: nobody is told.
    pub fn set_listener(&self, listener: Option<Arc<dyn EventListener>>) -> Result<(), SafeScanError> {
        let listener = listener.map(|listener| -> Listener {
            Arc::new(move |event| listener.on_event(event).map_err(|_| ListenerFailed))
        });
        self.now(|core| core.set_listener(listener))
    }

    /// Sends log records of `level` and above to `sink` from now on; none: nowhere.
    pub fn set_log_sink(&self, level: LogLevel, sink: Option<Arc<dyn LogSink>>) -> Result<(), SafeScanError> {
        let sink = sink.map(|sink| -> Sink {
            Arc::new(move |record: LogRecord| {
                let text = record.to_string();
                sink.log(record.level, record.target.to_owned(), text).map_err(|_| ListenerFailed)
            })
        });
        self.now(|core| core.set_log_sink(level, sink))
    }
}
