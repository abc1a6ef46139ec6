//! What the server keeps of the one account, and how it judges operations.

use std::collections::BTreeMap;

use safescan_core::{
    model::{OperationId, OperationKind, QrHash, UnixMillis, VoteChoice, VoterId},
    protocol::{
        Change, Conflict, Limits, MUST_REFETCH, Operation, OperationResult, Outcome, OwnVote, Rating, RatingsResponse,
        RegisterChange, RetractionBody, StandingValue, SyncRequest, SyncResponse, VoteBody, VoteChange, kind_named,
    },
    voting::{Ballot, LINE_MS, Reputation, Tally},
};
use serde_json::Value;

/// What the server keeps.
pub(crate) struct Account {
    /// The server's clock when it was made, and how long ago that was.
    base: UnixMillis,
    elapsed: i64,
    rev: i64,
    votes: BTreeMap<(QrHash, VoterId), Vote>,
    /// Votes of other accounts.
    strangers: Vec<(QrHash, Ballot)>,
    rating_revs: BTreeMap<QrHash, i64>,
    registers: BTreeMap<(Kind, String), Register>,
    /// How operations were settled, by their ids.
    settled: BTreeMap<OperationId, (bool, UnixMillis)>,
    /// How often each took effect.
    pub(crate) effects: BTreeMap<OperationId, u32>,
    /// The order in which operations took effect.
    pub(crate) history: Vec<OperationId>,
    pub(crate) limits: Limits,
    pub(crate) backoff_ms: u32,
    /// Changes in a page, at most.
    pub(crate) page: usize,
    /// Cursors up to this one are not known any more.
    pub(crate) forgotten: i64,
    /// Is asked first what becomes of an operation.
    pub(crate) verdict: Option<Verdict>,
}

type Verdict = Box<dyn FnMut(&Operation) -> Option<Outcome> + Send>;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Scan,
    Setting,
}

#[derive(Clone)]
struct Vote {
    choice: Option<VoteChoice>,
    writer: Writer,
    rev: i64,
    host: Option<(QrHash, VoterId)>,
}

#[derive(Clone)]
struct Register {
    /// None: deleted.
    body: Option<Value>,
    writer: Writer,
    rev: i64,
}

/// Who wrote last: compared in this order.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Writer {
    at: UnixMillis,
    device: String,
    seq: i64,
}

/// How an operation was judged.
enum Judged {
    Took(i64),
    GaveWay(StandingValue),
}

impl Account {
    pub(crate) fn new(base: UnixMillis) -> Self {
        Self {
            base,
            elapsed: 0,
            rev: 0,
            votes: BTreeMap::new(),
            strangers: Vec::new(),
            rating_revs: BTreeMap::new(),
            registers: BTreeMap::new(),
            settled: BTreeMap::new(),
            effects: BTreeMap::new(),
            history: Vec::new(),
            limits: Limits { max_ops: 200, max_bytes: 256 * 1024, min_interval_ms: 0 },
            backoff_ms: 0,
            page: 1_000,
            forgotten: -1,
            verdict: None,
        }
    }

    pub(crate) fn set_elapsed(&mut self, elapsed: i64) {
        self.elapsed = elapsed;
    }

    pub(crate) fn now(&self) -> UnixMillis {
        self.base.plus(self.elapsed)
    }

    /// What becomes of operations, where it is not what the rules say.
    pub(crate) fn decide(&mut self, verdict: impl FnMut(&Operation) -> Option<Outcome> + Send + 'static) {
        self.verdict = Some(Box::new(verdict));
    }

    /// A vote of the account, cast on another device.
    pub(crate) fn vote_elsewhere(&mut self, hash: QrHash, voter: VoterId, choice: Option<VoteChoice>) {
        let writer = Writer { at: self.now(), device: "elsewhere".into(), seq: 1 };
        self.set_vote((hash, voter), Vote { choice, writer, rev: 0, host: None });
    }

    /// A scan (none: deleted) or setting of the account, written on another device.
    pub(crate) fn scan_elsewhere(&mut self, key: &str, body: Option<Value>) {
        self.write_elsewhere(Kind::Scan, key, body);
    }

    pub(crate) fn setting_elsewhere(&mut self, key: &str, value: Value) {
        self.write_elsewhere(Kind::Setting, key, Some(serde_json::json!({ "value": value })));
    }

    fn write_elsewhere(&mut self, kind: Kind, key: &str, body: Option<Value>) {
        let writer = Writer { at: self.now(), device: "elsewhere".into(), seq: 1 };
        self.rev += 1;
        self.registers.insert((kind, key.to_owned()), Register { body, writer, rev: self.rev });
    }

    /// A vote of somebody else.
    pub(crate) fn stranger_votes(&mut self, hash: QrHash, choice: VoteChoice, at: UnixMillis) {
        self.strangers.push((hash, Ballot { choice, at, reputation: Reputation::NEUTRAL }));
        self.touch(hash);
    }

    /// Forgets every cursor given out so far.
    pub(crate) fn forget_cursors(&mut self) {
        self.forgotten = self.rev;
        self.rev += 1;
    }

    /// All standing votes of the account.
    pub(crate) fn standing(&self) -> Vec<(QrHash, VoterId, VoteChoice)> {
        let standing = |((hash, voter), vote): (&(QrHash, VoterId), &Vote)| Some((*hash, *voter, vote.choice?));
        self.votes.iter().filter_map(standing).collect()
    }

    /// The keys of all scans that stand.
    pub(crate) fn scans(&self) -> Vec<String> {
        let scan = |((kind, key), register): (&(Kind, String), &Register)| {
            (*kind == Kind::Scan && register.body.is_some()).then(|| key.clone())
        };
        self.registers.iter().filter_map(scan).collect()
    }

    pub(crate) fn setting(&self, name: &str) -> Option<Value> {
        self.registers.get(&(Kind::Setting, name.to_owned()))?.body.as_ref()?.get("value").cloned()
    }

    /// The sums of a code or host, right for the server's now.
    pub(crate) fn tally(&self, hash: QrHash) -> Tally {
        let own = self.own(hash);
        let own = own
            .iter()
            .filter_map(|own| Some(Ballot { choice: own.vote?, at: own.at, reputation: Reputation::NEUTRAL }));
        let others = self.strangers.iter().filter(|(code, _)| *code == hash).map(|(_, ballot)| *ballot);
        let ballots: Vec<Ballot> = own.chain(others).collect();
        let mut tally = Tally::default();
        let newest = ballots.iter().map(|ballot| ballot.at).max().unwrap_or(self.now()).max(self.now());
        if ballots.iter().any(|ballot| ballot.at <= newest.minus(LINE_MS)) {
            tally.set_watermark(newest.minus(LINE_MS));
        }
        ballots.iter().for_each(|ballot| tally.add(ballot));
        tally
    }

    /// The account's registers on a code or host.
    fn own(&self, hash: QrHash) -> Vec<OwnVote> {
        let mut own: BTreeMap<VoterId, OwnVote> = BTreeMap::new();
        for ((code, voter), vote) in &self.votes {
            let on_host = vote.host.filter(|(host, _)| *host == hash).map(|(_, voter)| voter);
            let Some(voter) = on_host.or((*code == hash).then_some(*voter)) else { continue };
            let candidate = OwnVote { voter, vote: vote.choice, at: vote.writer.at };
            let better = own
                .get(&voter)
                .is_none_or(|known| (candidate.vote.is_some(), candidate.at) > (known.vote.is_some(), known.at));
            if better {
                own.insert(voter, candidate);
            }
        }
        own.into_values().collect()
    }

    pub(crate) fn rating(&self, hash: QrHash) -> Rating {
        Rating::of(hash, self.rating_revs.get(&hash).copied().unwrap_or(0), &self.tally(hash), self.own(hash))
    }

    pub(crate) fn ratings(&self, prefix: &str) -> RatingsResponse {
        let hashes = self.rating_revs.keys().filter(|hash| hash.to_string().starts_with(prefix));
        RatingsResponse {
            ratings: hashes.map(|hash| self.rating(*hash)).collect(),
            server_time: self.now(),
            next: None,
        }
    }

    /// `POST /api/sync`.
    pub(crate) fn sync(&mut self, request: &SyncRequest, operations: &[Operation]) -> SyncResponse {
        let mut response = self.changes();
        let mut named = Vec::new();
        for operation in operations {
            let (outcome, conflict) = self.judge(operation, &request.device);
            response.results.push(OperationResult { id: operation.id, outcome });
            response.conflicts.extend(conflict);
            if let Some(hash) = QrHash::parse(&operation.key) {
                named.push(hash);
                let hosts = self.votes.iter().filter(|((code, _), _)| *code == hash);
                named.extend(hosts.filter_map(|(_, vote)| vote.host).map(|(host, _)| host));
            }
        }
        self.page_into(&mut response, request);
        named.sort_unstable();
        named.dedup();
        response.changes.extend(named.into_iter().map(|hash| Change::Rating(self.rating(hash))));
        response
    }

    /// An answer without results and changes.
    pub(crate) fn changes(&self) -> SyncResponse {
        SyncResponse {
            conflicts: Vec::new(),
            protocol: 1,
            results: Vec::new(),
            changes: Vec::new(),
            cursor: None,
            has_more: false,
            server_time: self.now(),
            limits: self.limits,
            backoff_ms: self.backoff_ms,
            control: Vec::new(),
        }
    }

    fn page_into(&self, response: &mut SyncResponse, request: &SyncRequest) {
        let since = request.cursor.as_deref().map(|cursor| cursor.parse::<i64>().expect("our own cursor"));
        if since.is_some_and(|since| since <= self.forgotten) {
            response.control.push(MUST_REFETCH.to_owned());
            return;
        }
        let mut changes = self.since(since, &request.topics);
        changes.sort_by_key(|(rev, _)| *rev);
        let room = self.page.min(request.limit.map_or(usize::MAX, |limit| usize::try_from(limit).expect("small")));
        response.has_more = changes.len() > room;
        changes.truncate(room);
        let last = if response.has_more { changes.last().map_or(0, |(rev, _)| *rev) } else { self.rev };
        response.cursor = Some(last.to_string());
        response.changes.extend(changes.into_iter().map(|(_, change)| change));
    }

    fn since(&self, since: Option<i64>, topics: &[String]) -> Vec<(i64, Change)> {
        let known = since.unwrap_or(i64::MIN);
        let mut changes = Vec::new();
        for ((hash, voter), vote) in &self.votes {
            let Vote { choice, writer, rev, .. } = vote;
            let change = VoteChange { qr_hash: *hash, voter: *voter, vote: *choice, at: writer.at, rev: *rev };
            changes.push((*rev, Change::Vote(change)));
        }
        for ((kind, key), register) in &self.registers {
            let Register { body, writer, rev } = register;
            let change = RegisterChange { key: key.clone(), rev: *rev, at: writer.at, body: body.clone() };
            let change = match (kind, body) {
                (Kind::Setting, _) => Change::Setting(change),
                (Kind::Scan, Some(_)) => Change::Scan(change),
                (Kind::Scan, None) => Change::ScanDeleted(change),
            };
            changes.push((*rev, change));
        }
        for (hash, rev) in &self.rating_revs {
            let on_topic = since.is_some() && topics.iter().any(|topic| hash.to_string().starts_with(topic));
            if on_topic || !self.own(*hash).is_empty() {
                changes.push((*rev, Change::Rating(self.rating(*hash))));
            }
        }
        changes.retain(|(rev, _)| *rev > known);
        changes
    }

    fn judge(&mut self, operation: &Operation, device: &str) -> (Outcome, Option<Conflict>) {
        let conflict = |server| {
            let (id, key) = (operation.id, operation.key.clone());
            Some(Conflict { id, key, code: "superseded".into(), server: Some(server) })
        };
        if let Some((applied, at)) = self.settled.get(&operation.id).copied() {
            let of = if applied { "applied" } else { "superseded" }.to_owned();
            let stands = self.stands(operation);
            let conflict = if applied && stands.at == at { None } else { conflict(stands) };
            return (Outcome::Duplicate { of, at, rev: None }, conflict);
        }
        if let Some(outcome) = self.verdict.as_mut().and_then(|verdict| verdict(operation)) {
            return (outcome, None);
        }
        let at = operation.at.min(self.now());
        let writer = Writer { at, device: device.to_owned(), seq: operation.seq };
        match self.apply(operation, writer) {
            Judged::Took(rev) => {
                self.settled.insert(operation.id, (true, at));
                *self.effects.entry(operation.id).or_default() += 1;
                self.history.push(operation.id);
                (Outcome::Applied { at, rev: Some(rev) }, None)
            }
            Judged::GaveWay(server) => {
                self.settled.insert(operation.id, (false, server.at));
                (Outcome::Superseded { at: server.at }, conflict(server))
            }
        }
    }

    fn apply(&mut self, operation: &Operation, writer: Writer) -> Judged {
        let kind = kind_named(&operation.kind).expect("a kind of this version");
        let read = |body: &str| serde_json::from_str::<Value>(body).expect("a body");
        let (kind, body) = match kind {
            OperationKind::VoteSet | OperationKind::VoteRetract => return self.apply_vote(operation, kind, writer),
            OperationKind::ScanPut => (Kind::Scan, Some(read(operation.body.get()))),
            OperationKind::ScanDelete => (Kind::Scan, None),
            OperationKind::SettingPut => (Kind::Setting, Some(read(operation.body.get()))),
        };
        let place = (kind, operation.key.clone());
        if let Some(before) = self.registers.get(&place) {
            let deleted = kind == Kind::Scan && before.body.is_none() && body.is_some();
            let deletes = kind == Kind::Scan && before.body.is_some() && body.is_none();
            if deleted || (!deletes && before.writer > writer) {
                return Judged::GaveWay(self.stands(operation));
            }
        }
        self.rev += 1;
        self.registers.insert(place, Register { body, writer, rev: self.rev });
        Judged::Took(self.rev)
    }

    fn apply_vote(&mut self, operation: &Operation, kind: OperationKind, writer: Writer) -> Judged {
        let hash = QrHash::parse(&operation.key).expect("a hash");
        let (voter, choice, host) = if kind == OperationKind::VoteSet {
            let body: VoteBody = serde_json::from_str(operation.body.get()).expect("a vote");
            (body.voter, Some(body.vote), body.host_hash.zip(body.host_voter))
        } else {
            let body: RetractionBody = serde_json::from_str(operation.body.get()).expect("a retraction");
            let host = self.votes.get(&(hash, body.voter)).and_then(|vote| vote.host);
            (body.voter, None, host)
        };
        if self.votes.get(&(hash, voter)).is_some_and(|before| before.writer > writer) {
            return Judged::GaveWay(self.stands(operation));
        }
        self.set_vote((hash, voter), Vote { choice, writer, rev: 0, host });
        Judged::Took(self.rating_revs[&hash])
    }

    fn set_vote(&mut self, place: (QrHash, VoterId), vote: Vote) {
        self.rev += 1;
        let before = self.votes.get(&place).and_then(|vote| vote.host);
        let after = vote.host;
        self.votes.insert(place, Vote { rev: self.rev, ..vote });
        self.touch(place.0);
        [before, after].into_iter().flatten().for_each(|(host, _)| self.touch(host));
    }

    fn touch(&mut self, hash: QrHash) {
        self.rev += 1;
        self.rating_revs.insert(hash, self.rev);
    }

    fn stands(&self, operation: &Operation) -> StandingValue {
        if let Some(hash) = QrHash::parse(&operation.key) {
            let body: RetractionBody = serde_json::from_str(operation.body.get()).expect("a body names its voter");
            let vote = &self.votes[&(hash, body.voter)];
            let text = match vote.choice {
                Some(VoteChoice::Safe) => "safe",
                Some(VoteChoice::Unsafe) => "unsafe",
                None => "none",
            };
            return StandingValue { vote: Some(text.into()), at: vote.writer.at, body: None };
        }
        let is_setting = operation.kind == "setting.put";
        let kind = if is_setting { Kind::Setting } else { Kind::Scan };
        let register = &self.registers[&(kind, operation.key.clone())];
        StandingValue { vote: None, at: register.writer.at, body: register.body.clone() }
    }
}
