//! A stand-in for the engine: a client that keeps everything in memory, polls, and retries after every failure. It shows
//! that the simulation itself is sound, and, with a bug planted in it, that the simulation finds bugs.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{Arc, Mutex},
};

use safescan_core::{
    clock::Clock,
    entropy::{Entropy, SeededEntropy},
    model::{
        CodeRef, Health, IdentityKeySource, NewScan, Operation, OperationId, OperationKind, OperationState, QrHash,
        Rating, RatingSource, Scan, ScanId, Settings, SettingsUpdate, Token, UnixMillis, Vote, VoteChoice, VoteOutcome,
        VoterId,
    },
    protocol, qr,
    voting::{Ballot, IdentityKey, Reputation, Score, Tally},
};
use serde_json::{Value, json};

use crate::client::{Client, Opening, Outcome};

mod pump;

/// A mistake to be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bug {
    None,
    /// A new name for an operation with every try.
    NewNames,
    /// A write is acknowledged before it is on the disk.
    LazyDisk,
    /// What fails is dropped.
    GivesUp,
    /// The own vote is counted on top of the server's sums whether or not it is in them.
    CountsTwice,
    /// The server's older view of the own vote takes the place of the newer one.
    FlipsBack,
    /// Of every page only the first change is learnt.
    LosesChanges,
    /// Failures are retried at once.
    Storms,
}

thread_local! {
    static DISKS: RefCell<BTreeMap<PathBuf, Disk>> = const { RefCell::new(BTreeMap::new()) };
    static BUG: RefCell<Bug> = const { RefCell::new(Bug::None) };
}

/// Plants a bug in every stand-in of this thread.
pub(crate) fn plant(bug: Bug) {
    BUG.with(|planted| *planted.borrow_mut() = bug);
}

fn bug() -> Bug {
    BUG.with(|planted| *planted.borrow())
}

/// What survives the process.
#[derive(Clone, Default)]
struct Disk {
    device: String,
    own_user: String,
    seq: i64,
    scans: BTreeMap<ScanId, Scan>,
    votes: BTreeMap<(QrHash, VoterId), Register>,
    settings: BTreeMap<String, Value>,
    values: BTreeMap<String, String>,
    outbox: BTreeMap<i64, Waiting>,
    ratings: BTreeMap<QrHash, protocol::Rating>,
    cursor: Option<String>,
    offset: i64,
}

#[derive(Clone)]
struct Register {
    choice: Option<VoteChoice>,
    at: UnixMillis,
    host: Option<(QrHash, VoterId)>,
}

#[derive(Clone)]
struct Waiting {
    operation: Operation,
    key: String,
    body: Value,
    voter: Option<VoterId>,
}

struct Shared {
    opening: Opening,
    entropy: SeededEntropy,
    disk: Mutex<Disk>,
    token: Mutex<Option<Token>>,
    wants_token: Mutex<bool>,
    suspended: Mutex<bool>,
    awake: tokio::sync::Notify,
    topics: Mutex<BTreeSet<String>>,
}

/// The stand-in.
pub(crate) struct Fake {
    shared: Arc<Shared>,
    pump: tokio::task::JoinHandle<()>,
}

impl Shared {
    fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.entropy.fill(&mut bytes);
        bytes
    }

    fn change<T>(&self, change: impl FnOnce(&mut Disk) -> T) -> T {
        let mut disk = self.disk.lock().unwrap();
        let result = change(&mut disk);
        if bug() != Bug::LazyDisk || disk.seq % 3 == 0 {
            DISKS.with(|disks| disks.borrow_mut().insert(self.opening.directory.clone(), disk.clone()));
        }
        result
    }

    fn now(&self, disk: &Disk) -> UnixMillis {
        self.opening.clock.wall().plus(disk.offset)
    }

    fn voter(&self, user: Option<&str>, code: &QrHash) -> VoterId {
        let key = IdentityKey::from_slice(&self.opening.identity).unwrap();
        let own = self.disk.lock().unwrap().own_user.clone();
        let user = user.unwrap_or(&own);
        if self.opening.unlinkable { key.voter_id_for_code(user, code) } else { key.voter_id(user) }
    }

    fn enqueue(&self, disk: &mut Disk, kind: OperationKind, key: String, body: Value, at: UnixMillis) {
        disk.seq += 1;
        let voter = body.get("voter").and_then(Value::as_str).and_then(VoterId::parse);
        let operation = Operation {
            id: OperationId(self.random()),
            kind,
            state: OperationState::Pending,
            parked_reason: None,
            created_at: at,
            attempts: 0,
            last_error: None,
            next_attempt_at: None,
        };
        disk.outbox.insert(disk.seq, Waiting { operation, key, body, voter });
    }

    fn cast(&self, code: &CodeRef, choice: Option<VoteChoice>, user: Option<&str>) -> VoteOutcome {
        let (hash, host) = subject(code);
        let voter = self.voter(user, &hash);
        let host = host.map(|host| (host, self.voter(user, &host)));
        let before = self.disk.lock().unwrap().votes.get(&(hash, voter)).cloned();
        let stood = before.as_ref().and_then(|before| before.choice);
        if choice.is_none() && stood.is_none() {
            return VoteOutcome::Unchanged { rating: self.rate(&hash) };
        }
        self.change(|disk| {
            let at = self.now(disk).max(before.map_or(UnixMillis(0), |before| before.at.plus(1)));
            disk.votes.insert((hash, voter), Register { choice, at, host });
            let mut body = json!({ "voter": voter.to_string() });
            let kind = match choice {
                Some(choice) => {
                    body["vote"] = serde_json::to_value(choice).unwrap();
                    if let Some((host, voter)) = host {
                        body["hostHash"] = host.to_string().into();
                        body["hostVoter"] = voter.to_string().into();
                    }
                    OperationKind::VoteSet
                }
                None => OperationKind::VoteRetract,
            };
            self.enqueue(disk, kind, hash.to_string(), body, at);
        });
        let rating = self.rate(&hash);
        match (stood, choice) {
            (_, None) => VoteOutcome::Retracted { rating },
            (None, _) => VoteOutcome::Accepted { rating },
            (Some(_), _) => VoteOutcome::Updated { rating },
        }
    }

    /// The server's sums, and the own votes that they do not hold yet.
    fn rate(&self, hash: &QrHash) -> Rating {
        let disk = self.disk.lock().unwrap();
        let known = disk.ratings.get(hash);
        let mut tally = known.and_then(protocol::Rating::tally).unwrap_or_default();
        let mut mine: BTreeMap<VoterId, (Option<VoteChoice>, UnixMillis)> = BTreeMap::new();
        let waits = |code: &QrHash, voter: &VoterId| {
            let key = code.to_string();
            // Where the server says nothing, everything is still to be counted.
            known.is_none() || disk.outbox.values().any(|waiting| waiting.key == key && waiting.voter == Some(*voter))
        };
        let mut dirty = BTreeSet::new();
        for ((code, voter), register) in &disk.votes {
            let above = register.host.filter(|(host, _)| host == hash).map(|(_, voter)| voter);
            if let Some(above) = above {
                if waits(code, voter) {
                    dirty.insert(above);
                }
                let latest = mine.entry(above).or_insert((None, UnixMillis(0)));
                if register.choice.is_some() && register.at > latest.1 {
                    *latest = (register.choice, register.at);
                }
            }
        }
        for ((code, voter), register) in disk.votes.iter().filter(|((code, _), _)| code == hash) {
            if waits(code, voter) {
                dirty.insert(*voter);
            }
            if register.choice.is_some() || !mine.contains_key(voter) {
                mine.insert(*voter, (register.choice, register.at));
            }
        }
        let ballot = |choice, at| Ballot { choice, at, reputation: Reputation::NEUTRAL };
        for (voter, (choice, at)) in mine.iter().filter(|(voter, _)| dirty.contains(voter)) {
            let counted = known.and_then(|known| known.own.iter().find(|own| own.voter == *voter));
            if let Some(counted) = counted.filter(|_| bug() != Bug::CountsTwice)
                && let Some(choice) = counted.vote
            {
                tally.remove(&ballot(choice, counted.at));
            }
            if let Some(choice) = choice {
                tally.add(&ballot(*choice, *at));
            }
        }
        rated(*hash, &tally, self.now(&disk))
    }
}

fn subject(code: &CodeRef) -> (QrHash, Option<QrHash>) {
    match code {
        CodeRef::Text { text } => (qr::hash_text(text), qr::canonical_host(text).map(|host| qr::hash_host(&host))),
        CodeRef::Hash { qr_hash } => (*qr_hash, None),
    }
}

fn rated(hash: QrHash, tally: &Tally, now: UnixMillis) -> Rating {
    let known = tally.weights_as_known(now);
    let score = Score::new(known.weights, tally.count());
    Rating {
        qr_hash: hash,
        safe_votes: tally.safe.count,
        unsafe_votes: tally.unsafe_.count,
        total_votes: tally.count(),
        confidence: score.confidence,
        lower: score.lower,
        upper: score.upper,
        effective_votes: score.effective_votes,
        assessment: score.assessment,
        source: if known.exact { RatingSource::Cached } else { RatingSource::Stale },
        last_updated: tally.newest,
        own_vote: None,
        host_hash: None,
    }
}

impl Client for Fake {
    const RESTS: bool = false;
    const LIVE: bool = true;

    async fn open(opening: Opening) -> Outcome<Self> {
        let known = DISKS.with(|disks| disks.borrow().get(&opening.directory).cloned());
        let entropy = SeededEntropy::new(opening.seed);
        let token = Mutex::new(opening.token.clone());
        let shared = Shared {
            opening,
            entropy,
            disk: Mutex::new(known.unwrap_or_default()),
            token,
            wants_token: Mutex::default(),
            suspended: Mutex::default(),
            awake: tokio::sync::Notify::new(),
            topics: Mutex::default(),
        };
        if shared.disk.lock().unwrap().device.is_empty() {
            let name = OperationId(shared.random()).to_string();
            let own_user = format!("\0{}", OperationId(shared.random()));
            shared.change(|disk| (disk.device, disk.own_user) = (name, own_user));
        }
        let shared = Arc::new(shared);
        let pump = tokio::spawn(pump::run(Arc::clone(&shared)));
        Ok(Self { shared, pump })
    }

    async fn record(&self, scan: NewScan) -> Outcome<Scan> {
        let kind = qr::classify(&scan.text);
        let low: [u8; 2] = self.shared.random();
        Ok(self.shared.change(|disk| {
            let at = self.shared.opening.clock.wall();
            let id = ScanId((at.0 << 20) + i64::from(u16::from_be_bytes(low)));
            let (text, verdict) = (scan.text.clone(), scan.verdict.unwrap_or_default());
            let qr_hash = qr::hash_text(&text);
            let scan = Scan { id, text, kind, verdict, scanned_at: at, qr_hash, metadata: scan.metadata };
            disk.scans.insert(id, scan.clone());
            if !qr::NEVER_VOTABLE.contains(&kind) {
                let body = json!({ "text": scan.text, "verdict": "unknown", "metadata": scan.metadata });
                let at = self.shared.now(disk);
                self.shared.enqueue(disk, OperationKind::ScanPut, id.to_string(), body, at);
            }
            scan
        }))
    }

    async fn delete_scan(&self, id: ScanId) -> Outcome<bool> {
        Ok(self.shared.change(|disk| {
            let there = disk.scans.remove(&id).is_some();
            if there {
                let at = self.shared.now(disk);
                self.shared.enqueue(disk, OperationKind::ScanDelete, id.to_string(), json!({}), at);
            }
            there
        }))
    }

    async fn history(&self) -> Outcome<Vec<Scan>> {
        Ok(self.shared.disk.lock().unwrap().scans.values().rev().cloned().collect())
    }

    async fn vote(&self, code: CodeRef, choice: VoteChoice, user: Option<String>) -> Outcome<VoteOutcome> {
        Ok(self.shared.cast(&code, Some(choice), user.as_deref()))
    }

    async fn retract(&self, code: CodeRef, user: Option<String>) -> Outcome<VoteOutcome> {
        Ok(self.shared.cast(&code, None, user.as_deref()))
    }

    async fn mine(&self, code: CodeRef, user: Option<String>) -> Outcome<Option<Vote>> {
        let (qr_hash, _) = subject(&code);
        let voter_id = self.shared.voter(user.as_deref(), &qr_hash);
        let disk = self.shared.disk.lock().unwrap();
        Ok(disk.votes.get(&(qr_hash, voter_id)).and_then(|register| {
            let (choice, voted_at) = (register.choice?, register.at);
            Some(Vote { qr_hash, choice, voted_at, voter_id, pending: false })
        }))
    }

    async fn rating(&self, code: CodeRef) -> Outcome<Rating> {
        let (hash, _) = subject(&code);
        self.shared.topics.lock().unwrap().insert(hash.to_string()[..protocol::PREFIX_DIGITS].to_owned());
        Ok(self.shared.rate(&hash))
    }

    fn watch(&self, code: CodeRef) -> Outcome<()> {
        let (hash, _) = subject(&code);
        self.shared.topics.lock().unwrap().insert(hash.to_string()[..protocol::PREFIX_DIGITS].to_owned());
        // A new topic brings later ratings only: everything is fetched anew.
        self.shared.change(|disk| disk.cursor = None);
        Ok(())
    }

    fn unwatch(&self, _: CodeRef) -> Outcome<()> {
        Ok(())
    }

    async fn change_settings(&self, update: SettingsUpdate) -> Outcome<Settings> {
        self.shared.change(|disk| {
            let at = self.shared.now(disk);
            let days = update.scan_retention_days.map(Value::from);
            let all = [("notifications", update.notifications.map(Value::from)), ("scanRetentionDays", days)];
            for (name, value) in all.into_iter().filter_map(|(name, value)| value.map(|value| (name, value))) {
                disk.settings.insert(name.to_owned(), value.clone());
                self.shared.enqueue(disk, OperationKind::SettingPut, name.to_owned(), json!({ "value": value }), at);
            }
        });
        self.settings().await
    }

    async fn settings(&self) -> Outcome<Settings> {
        let disk = self.shared.disk.lock().unwrap();
        let defaults = Settings::default();
        let days = disk.settings.get("scanRetentionDays").and_then(Value::as_u64);
        Ok(Settings {
            notifications: disk.settings.get("notifications").and_then(Value::as_bool).unwrap_or(true),
            scan_retention_days: days.and_then(|days| u32::try_from(days).ok()).unwrap_or(0),
            ..defaults
        })
    }

    async fn keep(&self, key: String, value: String) -> Outcome<()> {
        self.shared.change(|disk| drop(disk.values.insert(key, value)));
        Ok(())
    }

    async fn kept(&self, key: String) -> Outcome<Option<String>> {
        Ok(self.shared.disk.lock().unwrap().values.get(&key).cloned())
    }

    async fn outbox(&self) -> Outcome<Vec<Operation>> {
        Ok(self.shared.disk.lock().unwrap().outbox.values().map(|waiting| waiting.operation.clone()).collect())
    }

    async fn retry(&self, operation: &Operation) -> Outcome<()> {
        self.shared.change(|disk| {
            for waiting in disk.outbox.values_mut().filter(|waiting| waiting.operation.id == operation.id) {
                waiting.operation.state = OperationState::Pending;
                waiting.operation.parked_reason = None;
            }
        });
        Ok(())
    }

    async fn sync_now(&self) {
        pump::once(&self.shared).await;
    }

    async fn network(&self, _: bool) {}

    fn wants_token(&self) -> bool {
        *self.shared.wants_token.lock().unwrap()
    }

    async fn give_token(&self, token: Token) {
        *self.shared.token.lock().unwrap() = Some(token);
        *self.shared.wants_token.lock().unwrap() = false;
    }

    async fn suspend(&self) -> Outcome<()> {
        *self.shared.suspended.lock().unwrap() = true;
        Ok(())
    }

    async fn resume(&self) -> Outcome<()> {
        *self.shared.suspended.lock().unwrap() = false;
        self.shared.awake.notify_one();
        Ok(())
    }

    fn health(&self) -> Health {
        Health { services: Vec::new(), identity_key: IdentityKeySource::Host }
    }

    async fn shutdown(self) -> Outcome<()> {
        self.pump.abort();
        Ok(())
    }

    fn kill(self) {
        self.pump.abort();
    }
}
