//! A device as far as the server sees it.

use std::time::{SystemTime, UNIX_EPOCH};

use reqwest::{Client, RequestBuilder, StatusCode};
use safescan_core::{
    model::{OperationId, QrHash, UnixMillis, VoteChoice, VoterId},
    protocol::{Change, Outcome, OwnVote, Rating, RatingsResponse, SyncResponse},
    voting::{Ballot, Reputation, Tally},
};
use serde_json::{Value, json};

use super::Server;

/// A device that sends and remembers nothing but its places and cursor.
#[derive(Clone)]
pub(crate) struct Device {
    client: Client,
    base: String,
    pub(crate) name: String,
    pub(crate) token: Option<String>,
    pub(crate) next: i64,
    pub(crate) cursor: Option<String>,
    pub(crate) topics: Vec<String>,
    pub(crate) limit: u32,
}

#[expect(clippy::disallowed_methods, reason = "the server's clock is the machine's")]
pub(crate) fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

pub(crate) fn code(number: u32) -> QrHash {
    let mut hash = [0xc0; 32];
    hash[..4].copy_from_slice(&number.to_be_bytes());
    QrHash(hash)
}

pub(crate) fn voter(number: u32) -> VoterId {
    let mut id = [0xee; 16];
    id[..4].copy_from_slice(&number.to_be_bytes());
    VoterId(id)
}

/// The name of a device's operation: the same for the same place.
pub(crate) fn operation_id(device: &str, seq: i64) -> OperationId {
    let mut id = [0; 16];
    for (at, byte) in device.bytes().enumerate() {
        id[at % 8] ^= byte.rotate_left(u32::try_from(at).unwrap());
    }
    id[8..].copy_from_slice(&seq.to_be_bytes());
    OperationId(id)
}

/// The sums of these votes, from nothing but the votes, with the line where the server has it.
pub(crate) fn tally_of(votes: &[(VoteChoice, i64)], watermark: Option<UnixMillis>) -> Tally {
    let mut tally = Tally::default();
    if let Some(watermark) = watermark {
        tally.set_watermark(watermark);
    }
    for (choice, at) in votes {
        tally.add(&Ballot { choice: *choice, at: UnixMillis(*at), reputation: Reputation::NEUTRAL });
    }
    tally
}

impl Server {
    pub(crate) fn device(&self, name: &str) -> Device {
        Device {
            client: self.client.clone(),
            base: self.base.clone(),
            name: name.into(),
            token: None,
            next: 1,
            cursor: None,
            topics: Vec::new(),
            limit: 500,
        }
    }
}

impl Device {
    pub(crate) fn with_token(self, token: &str) -> Self {
        Self { token: Some(token.into()), ..self }
    }

    /// An operation in the next place.
    pub(crate) fn operation(&mut self, kind: &str, at: i64, key: impl ToString, body: Value) -> Value {
        let seq = self.next;
        self.next += 1;
        let id = operation_id(&self.name, seq).to_string();
        json!({ "id": id, "seq": seq, "kind": kind, "at": at, "key": key.to_string(), "body": body })
    }

    pub(crate) fn vote(&mut self, code: QrHash, voter: VoterId, vote: &str, at: i64) -> Value {
        self.operation("vote.set", at, code, json!({ "vote": vote, "voter": voter.to_string() }))
    }

    pub(crate) fn vote_with_host(&mut self, code: QrHash, host: QrHash, voter: VoterId, vote: &str, at: i64) -> Value {
        let voter = voter.to_string();
        let body = json!({ "vote": vote, "voter": voter, "hostHash": host.to_string(), "hostVoter": voter });
        self.operation("vote.set", at, code, body)
    }

    pub(crate) fn retract(&mut self, code: QrHash, voter: VoterId, at: i64) -> Value {
        self.operation("vote.retract", at, code, json!({ "voter": voter.to_string() }))
    }

    pub(crate) fn scan(&mut self, key: &str, text: &str, at: i64) -> Value {
        self.operation("scan.put", at, key, json!({ "text": text, "verdict": "safe", "metadata": null }))
    }

    pub(crate) fn setting(&mut self, key: &str, value: Value, at: i64) -> Value {
        self.operation("setting.put", at, key, json!({ "value": value }))
    }

    pub(crate) fn authorised(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// The request that sends these.
    pub(crate) fn request(&self, operations: &[Value], oldest_pending: Option<i64>) -> Value {
        json!({
            "data": operations, "timestamp": now(), "protocol": 1, "device": self.name, "oldestPending": oldest_pending,
            "cursor": self.cursor, "topics": self.topics, "limit": self.limit,
        })
    }

    pub(crate) async fn post(&self, body: &Value) -> (StatusCode, Value) {
        let request = self.client.post(format!("{}/api/sync", self.base)).body(body.to_string());
        let response = self.authorised(request).send().await.unwrap();
        let status = response.status();
        (status, serde_json::from_str(&response.text().await.unwrap()).unwrap())
    }

    /// Sends these, of which the first is the oldest pending; the cursor moves on.
    pub(crate) async fn send(&mut self, operations: &[Value]) -> SyncResponse {
        let oldest = operations.first().map(|operation| operation["seq"].as_i64().unwrap());
        self.send_with(operations, oldest).await
    }

    pub(crate) async fn send_with(&mut self, operations: &[Value], oldest_pending: Option<i64>) -> SyncResponse {
        let (status, body) = self.post(&self.request(operations, oldest_pending)).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        let answer: SyncResponse = serde_json::from_value(body).unwrap();
        self.cursor.clone_from(&answer.cursor);
        answer
    }

    /// Everything that is new, page by page.
    pub(crate) async fn pull(&mut self) -> Vec<Change> {
        let mut changes = Vec::new();
        loop {
            let answer = self.changes(false).await;
            changes.extend(answer.changes);
            self.cursor = answer.cursor;
            if !answer.has_more {
                return changes;
            }
        }
    }

    pub(crate) async fn changes(&self, live: bool) -> SyncResponse {
        let (status, text) = self.changes_raw(live).await;
        assert_eq!(status, StatusCode::OK, "{text}");
        serde_json::from_str(&text).unwrap()
    }

    pub(crate) async fn changes_raw(&self, live: bool) -> (StatusCode, String) {
        let mut query = vec![("device", self.name.clone()), ("topics", self.topics.join(","))];
        query.extend(self.cursor.clone().map(|cursor| ("cursor", cursor)));
        query.extend(live.then(|| ("live", "1".into())));
        query.push(("limit", self.limit.to_string()));
        let request = self.client.get(format!("{}/api/sync/changes", self.base)).query(&query);
        let response = self.authorised(request).send().await.unwrap();
        (response.status(), response.text().await.unwrap())
    }

    /// All pages of ratings whose hash begins so.
    pub(crate) async fn look_up(&self, prefix: &str) -> Vec<Rating> {
        let (mut ratings, mut next) = (Vec::new(), None::<String>);
        loop {
            let mut query = vec![("device", self.name.clone())];
            query.extend(next.map(|next| ("next", next)));
            let request = self.client.get(format!("{}/api/ratings/prefix/{prefix}", self.base)).query(&query);
            let text = self.authorised(request).send().await.unwrap().text().await.unwrap();
            assert!(text.len() <= 512 * 1024);
            let page: RatingsResponse = serde_json::from_str(&text).unwrap();
            ratings.extend(page.ratings);
            next = page.next;
            if next.is_none() {
                return ratings;
            }
        }
    }

    pub(crate) async fn rating(&self, code: QrHash) -> Option<Rating> {
        self.look_up(&code.to_string()).await.pop()
    }
}

/// What became of the operations, in words.
pub(crate) fn statuses(answer: &SyncResponse) -> Vec<String> {
    let word = |outcome: &Outcome| match outcome {
        Outcome::Applied { .. } => "applied".to_owned(),
        Outcome::Duplicate { of, .. } => format!("duplicate of {of}"),
        Outcome::Superseded { .. } => "superseded".to_owned(),
        Outcome::Rejected { error } => error.code.clone(),
        Outcome::Deferred { .. } => "deferred".to_owned(),
        Outcome::Unknown => "unknown".to_owned(),
    };
    answer.results.iter().map(|result| word(&result.outcome)).collect()
}

pub(crate) fn ratings<'a>(changes: &'a [Change]) -> Vec<&'a Rating> {
    let rating = |change: &'a Change| match change {
        Change::Rating(rating) => Some(rating),
        _ => None,
    };
    changes.iter().filter_map(rating).collect()
}

/// Votes for safe and unsafe.
pub(crate) fn counts(rating: &Rating) -> (u32, u32) {
    (rating.safe.count, rating.unsafe_.count)
}

pub(crate) fn own(voter: VoterId, vote: Option<VoteChoice>, at: i64) -> OwnVote {
    OwnVote { voter, vote, at: UnixMillis(at) }
}
