/// What the system says of the network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum NetworkState {
    /// Nobody said anything: try, and see.
    #[default]
    Unknown,
    /// There is one.
    Online,
    /// There is none: nothing is tried until there is.
    Offline,
}

/// What became of a run of synchronisation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SyncReport {
    /// Changes that the server took.
    pub sent: u32,
    /// Changes that gave way to later ones of the account's other devices.
    pub superseded: u32,
    /// Changes that wait for the app now, because the server refused them for good.
    pub parked: u32,
    /// Changes that the server will take later.
    pub deferred: u32,
    /// What came: ratings, votes, scans and settings that were news.
    pub received: u32,
    /// Changes that wait still.
    pub waiting: u32,
    /// The server speaks the plain protocol only: changes are taken, nothing comes back.
    pub plain_server: bool,
}

/// How far a run with a deadline came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackgroundRun {
    /// Whether it came to its end in time, and well. What was not sent is sent by the next run.
    pub finished: bool,
    /// What was done.
    pub report: SyncReport,
}
