//! The engine behind the app: the only place that knows how it is opened, driven and killed.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::SeqCst},
};

use futures_util::FutureExt as _;
use safescan_core::{
    clock::Clock,
    config::{Config, SyncConfig},
    engine::{Core, Environment},
    entropy::SeededEntropy,
    error::Error,
    model::{
        CodeRef, Event, Health, KvPair, NetworkState, NewScan, NewVote, Operation, Rating, Scan, ScanId, ScanQuery,
        Settings, SettingsUpdate, Token, Vote, VoteChoice, VoteOutcome,
    },
};

use crate::client::{Client, Opening, Outcome};

/// Rows in a page, and events taken at a time.
const PAGE: u32 = 500;

/// The engine.
pub(crate) struct Phone {
    core: Arc<Core>,
    wants_token: AtomicBool,
}

fn said<T>(result: Result<T, Error>) -> Outcome<T> {
    result.map_err(|error| format!("{error:?}"))
}

impl Phone {
    /// Takes whatever events there are.
    fn read_events(&self) {
        while let Some(Ok(events)) = self.core.next_events(PAGE).now_or_never() {
            if events.is_empty() {
                return;
            }
            let wanted = events.iter().any(|event| matches!(event, Event::TokenWanted));
            self.wants_token.fetch_or(wanted, SeqCst);
        }
    }
}

impl Client for Phone {
    const RESTS: bool = true;
    const LIVE: bool = true;

    async fn open(opening: Opening) -> Outcome<Self> {
        let directory = opening.directory.to_str().ok_or("a path that is no text")?.to_owned();
        let sync = SyncConfig { share_scans: true, share_settings: true, ..SyncConfig::new("https://api.example") };
        let config = Config {
            identity_key: Some(opening.identity.to_vec()),
            unlinkable_votes: opening.unlinkable,
            // People in a simulation are quick.
            votes_per_minute: Some(10_000),
            sync: Some(sync),
            ..Config::new(directory)
        };
        let environment = Environment {
            clock: opening.clock as Arc<dyn Clock>,
            entropy: Arc::new(SeededEntropy::new(opening.seed)),
            network: Some(opening.network),
            runtime: Some(tokio::runtime::Handle::current()),
        };
        let core = said(Core::open_in(config, environment).await)?;
        let phone = Self { core, wants_token: AtomicBool::new(false) };
        if opening.token.is_some() {
            said(phone.core.sync.set_token(opening.token).await)?;
        }
        Ok(phone)
    }

    async fn record(&self, scan: NewScan) -> Outcome<Scan> {
        said(self.core.scans.record(scan).await)
    }

    async fn delete_scan(&self, id: ScanId) -> Outcome<bool> {
        said(self.core.scans.delete(id).await)
    }

    async fn history(&self) -> Outcome<Vec<Scan>> {
        let mut query = ScanQuery { limit: PAGE, ..ScanQuery::default() };
        let mut all = Vec::new();
        loop {
            let page = said(self.core.scans.page(query.clone()).await)?;
            all.extend(page.scans);
            match page.next_cursor {
                Some(cursor) => query.cursor = Some(cursor),
                None => return Ok(all),
            }
        }
    }

    async fn vote(&self, code: CodeRef, choice: VoteChoice, user_id: Option<String>) -> Outcome<VoteOutcome> {
        said(self.core.votes.submit(NewVote { code, choice, user_id, voted_at: None }).await)
    }

    async fn retract(&self, code: CodeRef, user: Option<String>) -> Outcome<VoteOutcome> {
        said(self.core.votes.retract(code, user).await)
    }

    async fn mine(&self, code: CodeRef, user: Option<String>) -> Outcome<Option<Vote>> {
        said(self.core.votes.mine(code, user).await)
    }

    async fn rating(&self, code: CodeRef) -> Outcome<Rating> {
        said(self.core.ratings.rating(code).await)
    }

    fn watch(&self, code: CodeRef) -> Outcome<()> {
        said(self.core.ratings.watch(&[code]))
    }

    fn unwatch(&self, code: CodeRef) -> Outcome<()> {
        said(self.core.ratings.unwatch(&[code]))
    }

    async fn change_settings(&self, update: SettingsUpdate) -> Outcome<Settings> {
        said(self.core.settings.update(update).await)
    }

    async fn settings(&self) -> Outcome<Settings> {
        said(self.core.settings.read().await)
    }

    async fn keep(&self, key: String, value: String) -> Outcome<()> {
        said(self.core.key_value.set_all(vec![KvPair { key, value }]).await)
    }

    async fn kept(&self, key: String) -> Outcome<Option<String>> {
        said(self.core.key_value.find(key).await)
    }

    async fn outbox(&self) -> Outcome<Vec<Operation>> {
        let mut all = Vec::new();
        let mut cursor = None;
        loop {
            let page = said(self.core.operations.page(PAGE, cursor).await)?;
            all.extend(page.operations);
            cursor = page.next_cursor;
            if cursor.is_none() {
                return Ok(all);
            }
        }
    }

    async fn retry(&self, operation: &Operation) -> Outcome<()> {
        said(self.core.operations.retry(operation.id).await).map(drop)
    }

    async fn sync_now(&self) {
        drop(self.core.sync.now().await);
    }

    async fn network(&self, online: bool) {
        self.core.sync.set_network(if online { NetworkState::Online } else { NetworkState::Offline });
    }

    fn wants_token(&self) -> bool {
        self.read_events();
        self.wants_token.load(SeqCst)
    }

    async fn give_token(&self, token: Token) {
        self.wants_token.store(false, SeqCst);
        drop(self.core.sync.set_token(Some(token)).await);
    }

    async fn suspend(&self) -> Outcome<()> {
        said(self.core.suspend().await)
    }

    async fn resume(&self) -> Outcome<()> {
        said(self.core.resume().await)
    }

    fn health(&self) -> Health {
        self.core.health()
    }

    async fn shutdown(self) -> Outcome<()> {
        said(self.core.shutdown().await)
    }

    fn kill(self) {
        self.core.test_kill();
    }
}
