use super::UnixMillis;

/// The parts whose state can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ServiceState {
    /// Works.
    Healthy,
    /// Works with restrictions; the cause says which.
    Degraded,
    /// Does not work; the cause says why.
    Unavailable,
    /// Is not wanted by the configuration.
    Disabled,
}

/// Why a part is as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
    /// The server speaks a newer protocol: what is sent waits for an update of the app.
    UpgradeRequired,
    /// The server speaks the plain protocol only: changes are taken, nothing comes back.
    PlainServer,
    /// No socket gets through; changes are asked for again and again instead.
    Polling,
    /// The app put the core to sleep.
    Suspended,
    /// The files cannot be opened just now (device locked, no permission).
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
#[derive(Clone, Debug, PartialEq, Eq)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IdentityKeySource {
    /// Given by the app, from Keychain or Keystore.
    Host,
    /// Made here and kept in the database.
    Database,
}

/// The state of every part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// One entry a part, always all of them.
    pub services: Vec<ServiceHealth>,
    /// How well voters are protected.
    pub identity_key: IdentityKeySource,
}
