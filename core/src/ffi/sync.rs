use std::time::Duration;

use super::SafeScan;
use crate::{
    error::{Error, Problem, SafeScanError},
    model::{BackgroundRun, NetworkState, SyncReport, Token},
};

/// What the system says of the network.
#[uniffi::remote(Enum)]
pub enum NetworkState {
    /// Nobody said anything: the core tries, and sees.
    Unknown,
    /// There is one.
    Online,
    /// There is none: nothing is tried until there is.
    Offline,
}

/// What became of a run of synchronisation.
#[uniffi::remote(Record)]
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
#[uniffi::remote(Record)]
pub struct BackgroundRun {
    /// Whether it came to its end in time. What was not sent is sent by the next run.
    pub finished: bool,
    /// What was done.
    pub report: SyncReport,
}

#[uniffi::export]
impl SafeScan {
    /// Sends and fetches now, and tells how it went. Callers at the same time share one run, which begins after their
    /// call. Nobody has to call this: changes are sent by themselves as soon as there is a way. It is for "pull to refresh".
    ///
    /// Fails with `Offline` (the server cannot be reached, or does not answer as it should), `Unauthorized` or
    /// `RateLimited`; nothing is lost then, and it is tried again by itself. `InvalidInput` if no server is configured.
    pub async fn sync_now(&self) -> Result<SyncReport, SafeScanError> {
        self.run(|core| async move { core.sync.now().await }).await
    }

    /// Sends and fetches, within `deadline_ms` (1 to 600,000 milliseconds): for the short time that the system gives an app
    /// in the background. Works while the core is suspended. What is left at the deadline is left to the next run.
    ///
    /// Fails as `sync_now` does.
    pub async fn run_once(&self, deadline_ms: u32) -> Result<BackgroundRun, SafeScanError> {
        self.run(move |core| async move {
            crate::limits::check_range("deadline_ms", deadline_ms.into(), 1, 600_000)?;
            core.sync.run_once(Duration::from_millis(deadline_ms.into())).await
        })
        .await
    }

    /// Tells what the system says of the network; safe to call from any callback. Not needed, but then a lost network is
    /// found out by trying, and a network that comes back only at the next try, within half a minute.
    pub fn network_changed(&self, state: NetworkState) -> Result<(), SafeScanError> {
        self.now(|core| {
            core.sync.set_network(state);
            Ok(())
        })
    }

    /// Gives the token that requests are made with, or takes it away. It is kept in memory only: give it after each
    /// `open`, and whenever the event `TokenWanted` comes. Changes that waited for a token go on.
    ///
    /// A token is visible ASCII without spaces, 8 KiB at the most. Fails with `InvalidInput`.
    pub async fn set_auth_token(&self, token: Option<String>) -> Result<(), SafeScanError> {
        self.run(move |core| async move {
            let read = |token: String| {
                Token::new(token).ok_or(Error::invalid("token", Problem::Is("does not fit into a header")))
            };
            core.sync.set_token(token.map(read).transpose()?).await
        })
        .await
    }
}
