//! What a run does with an app, and nothing more. The engine stands behind it, or a stand-in that tests the simulation.

use std::{path::PathBuf, sync::Arc};

use safescan_core::{
    model::{
        CodeRef, Health, NewScan, Operation, Rating, Scan, ScanId, Settings, SettingsUpdate, Token, Vote, VoteChoice,
        VoteOutcome,
    },
    net::Network,
};

use crate::time::PhoneClock;

/// What an app is opened with.
#[derive(Clone)]
pub(crate) struct Opening {
    pub(crate) directory: PathBuf,
    /// Of the randomness; another one for every process.
    pub(crate) seed: u64,
    pub(crate) clock: Arc<PhoneClock>,
    pub(crate) network: Network,
    pub(crate) token: Option<Token>,
    pub(crate) identity: [u8; 32],
    pub(crate) unlinkable: bool,
}

/// A call that failed, in words.
pub(crate) type Outcome<T> = Result<T, String>;

/// An app on a phone.
pub(crate) trait Client: Sized {
    /// Whether it is silent when there is nothing to do.
    const RESTS: bool;
    /// Whether it learns of what happens elsewhere without being asked to look.
    const LIVE: bool;

    async fn open(opening: Opening) -> Outcome<Self>;
    async fn record(&self, scan: NewScan) -> Outcome<Scan>;
    async fn delete_scan(&self, id: ScanId) -> Outcome<bool>;
    async fn history(&self) -> Outcome<Vec<Scan>>;
    async fn vote(&self, code: CodeRef, choice: VoteChoice, user: Option<String>) -> Outcome<VoteOutcome>;
    async fn retract(&self, code: CodeRef, user: Option<String>) -> Outcome<VoteOutcome>;
    async fn mine(&self, code: CodeRef, user: Option<String>) -> Outcome<Option<Vote>>;
    async fn rating(&self, code: CodeRef) -> Outcome<Rating>;
    fn watch(&self, code: CodeRef) -> Outcome<()>;
    fn unwatch(&self, code: CodeRef) -> Outcome<()>;
    async fn change_settings(&self, update: SettingsUpdate) -> Outcome<Settings>;
    async fn settings(&self) -> Outcome<Settings>;
    async fn keep(&self, key: String, value: String) -> Outcome<()>;
    async fn kept(&self, key: String) -> Outcome<Option<String>>;
    async fn outbox(&self) -> Outcome<Vec<Operation>>;
    async fn retry(&self, operation: &Operation) -> Outcome<()>;
    /// The app asks for a sync; whether it worked is not the question.
    async fn sync_now(&self);
    async fn network(&self, online: bool);
    /// Whether the app was asked for a new token since it last gave one.
    fn wants_token(&self) -> bool;
    async fn give_token(&self, token: Token);
    async fn suspend(&self) -> Outcome<()>;
    async fn resume(&self) -> Outcome<()>;
    fn health(&self) -> Health;
    /// The app ends as it should.
    async fn shutdown(self) -> Outcome<()>;
    /// The process ends between two instructions.
    fn kill(self);
}
