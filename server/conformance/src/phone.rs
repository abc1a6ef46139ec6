use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use safescan_core::{
    model::{QrHash, UnixMillis, VoterId},
    protocol::{
        CHANGES_PATH, Change, Outcome, RATINGS_PATH, Rating, RatingsResponse, SYNC_PATH, StandingValue, SyncResponse,
        kind_name,
    },
};
use serde_json::{Value, json};

use crate::{
    check::{Check, Failure, expect, show},
    kit::{Answer, Kit},
    text,
};

/// A device that nobody saw before.
pub(crate) struct Phone<'a> {
    pub(crate) kit: &'a Kit,
    pub(crate) device: String,
    pub(crate) token: Option<String>,
    seq: AtomicI64,
}

/// What a phone asks.
#[derive(Clone)]
pub(crate) struct Ask(pub(crate) Value);

impl Ask {
    /// Operations, of which none is settled yet: the server remembers all of them.
    pub(crate) fn of(operations: &[Value]) -> Self {
        Self(json!({"data": operations, "oldestPending": 1}))
    }

    pub(crate) fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.0[field] = value.into();
        self
    }
}

impl<'a> Phone<'a> {
    pub(crate) fn new(kit: &'a Kit, token: Option<String>) -> Self {
        Self { kit, device: text::device(), token, seq: AtomicI64::new(1) }
    }

    /// A new operation.
    pub(crate) fn operation(&self, kind: &str, at: UnixMillis, key: &str, body: &Value) -> Value {
        let seq = self.seq.fetch_add(1, Relaxed);
        json!({"id": text::operation_id(), "seq": seq, "kind": kind, "at": at.0, "key": key, "body": body})
    }

    pub(crate) fn vote(&self, code: &QrHash, voter: &VoterId, vote: &str, at: UnixMillis) -> Value {
        let body = json!({"vote": vote, "voter": voter.to_string()});
        self.operation(kind_name(safescan_core::model::OperationKind::VoteSet), at, &code.to_string(), &body)
    }

    pub(crate) fn vote_with_host(
        &self,
        (code, voter): (&QrHash, &VoterId),
        (host, host_voter): (&QrHash, &VoterId),
        vote: &str,
        at: UnixMillis,
    ) -> Value {
        let mut operation = self.vote(code, voter, vote, at);
        operation["body"]["hostHash"] = host.to_string().into();
        operation["body"]["hostVoter"] = host_voter.to_string().into();
        operation
    }

    pub(crate) fn retraction(&self, code: &QrHash, voter: &VoterId, at: UnixMillis) -> Value {
        self.operation("vote.retract", at, &code.to_string(), &json!({"voter": voter.to_string()}))
    }

    pub(crate) fn scan(&self, id: &str, text: &str, at: UnixMillis) -> Value {
        self.operation("scan.put", at, id, &json!({"text": text, "verdict": "safe", "metadata": null}))
    }

    pub(crate) fn deletion(&self, id: &str, at: UnixMillis) -> Value {
        self.operation("scan.delete", at, id, &json!({}))
    }

    pub(crate) fn setting(&self, name: &str, value: impl Into<Value>, at: UnixMillis) -> Value {
        self.operation("setting.put", at, name, &json!({"value": value.into()}))
    }

    /// Asks, and takes whatever comes.
    pub(crate) async fn ask_raw(&self, ask: Ask) -> Check<Answer> {
        let mut body = json!({"timestamp": self.kit.now().0, "protocol": 1, "device": self.device});
        if let (Some(body), Value::Object(asked)) = (body.as_object_mut(), ask.0) {
            body.extend(asked);
        }
        self.post(body.to_string()).await
    }

    /// Posts a text.
    pub(crate) async fn post(&self, body: String) -> Check<Answer> {
        self.kit.post(SYNC_PATH, body.into(), self.token.as_deref()).await
    }

    pub(crate) async fn ask(&self, ask: Ask) -> Check<SyncResponse> {
        self.ask_raw(ask).await?.read(200)
    }

    /// Sends operations.
    pub(crate) async fn sync(&self, operations: &[Value]) -> Check<SyncResponse> {
        self.ask(Ask::of(operations)).await
    }

    /// Sends operations of which each must be applied.
    pub(crate) async fn apply(&self, operations: &[Value]) -> Check<SyncResponse> {
        let response = self.sync(operations).await?;
        for operation in operations {
            applied(&response, operation)?;
        }
        Ok(response)
    }

    /// Sends one operation; what became of it.
    pub(crate) async fn try_one(&self, operation: &Value) -> Check<Outcome> {
        let response = self.sync(std::slice::from_ref(operation)).await?;
        outcome(&response, operation).cloned()
    }

    pub(crate) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Check<Answer> {
        self.kit.get(path, query, self.token.as_deref()).await
    }

    /// All changes after a cursor, and the cursor after them.
    pub(crate) async fn pull(&self, cursor: Option<String>, topics: &[String]) -> Check<(Vec<Change>, String)> {
        let (mut changes, mut cursor) = (Vec::new(), cursor);
        for _ in 0..400 {
            let ask = Ask(json!({"data": [], "cursor": cursor, "topics": topics, "limit": 500}));
            let response = self.ask(ask).await?;
            changes.extend(response.changes);
            cursor = response.cursor.or(cursor);
            if !response.has_more {
                let cursor = cursor.ok_or_else(|| Failure::new("a cursor (§8.3)", "null"))?;
                return Ok((changes, cursor));
            }
        }
        Err(Failure::new("an end of the pages (§8.3)", "400 pages that have more"))
    }

    /// Where changes stand now.
    pub(crate) async fn cursor(&self) -> Check<String> {
        Ok(self.pull(None, &[]).await?.1)
    }

    /// `GET /api/sync/changes`.
    pub(crate) async fn changes(&self, query: &[(&str, &str)]) -> Check<Answer> {
        let mut query = query.to_vec();
        query.push(("device", &self.device));
        self.get(CHANGES_PATH, &query).await
    }

    /// All ratings whose hash begins so.
    pub(crate) async fn look_up(&self, prefix: &str) -> Check<Vec<Rating>> {
        let (mut ratings, mut next) = (Vec::new(), None::<String>);
        for _ in 0..400 {
            let mut query = vec![("device", self.device.as_str())];
            query.extend(next.as_deref().map(|next| ("next", next)));
            let page: RatingsResponse = self.get(&format!("{RATINGS_PATH}{prefix}"), &query).await?.read(200)?;
            ratings.extend(page.ratings);
            next = page.next;
            if next.is_none() {
                return Ok(ratings);
            }
        }
        Err(Failure::new("an end of the pages (§10.1)", "400 pages with a next one"))
    }

    /// One code's rating.
    pub(crate) async fn rating(&self, code: &QrHash) -> Check<Rating> {
        let ratings = self.look_up(&text::topic(code)).await?;
        let found = ratings.iter().find(|rating| rating.qr_hash == *code).cloned();
        found.ok_or_else(|| Failure::new(format!("a rating of {code} (§10.1)"), show(&ratings)))
    }
}

/// What became of an operation; exactly one result must say so.
pub(crate) fn outcome<'r>(response: &'r SyncResponse, operation: &Value) -> Check<&'r Outcome> {
    let id = operation["id"].as_str().unwrap_or_default();
    let results: Vec<_> = response.results.iter().filter(|result| result.id.to_string() == id).collect();
    match results.as_slice() {
        [result] => Ok(&result.outcome),
        _ => Err(Failure::new(format!("one result for {id} (§3.3)"), show(&response.results))),
    }
}

/// The time and revision of an operation that must be applied.
pub(crate) fn applied(response: &SyncResponse, operation: &Value) -> Check<(UnixMillis, Option<i64>)> {
    match outcome(response, operation)? {
        Outcome::Applied { at, rev } => Ok((*at, *rev)),
        other => Err(Failure::new(format!("applied: {operation}"), show(other))),
    }
}

/// The code of an operation that must be rejected, with its conflict.
pub(crate) fn rejected(response: &SyncResponse, operation: &Value) -> Check<String> {
    let code = match outcome(response, operation)? {
        Outcome::Rejected { error } => error.code.clone(),
        other => return Err(Failure::new(format!("rejected: {operation}"), show(other))),
    };
    let id = operation["id"].as_str().unwrap_or_default();
    let listed = response.conflicts.iter().any(|conflict| conflict.id.to_string() == id && conflict.code == code);
    expect(listed, format!("a conflict {code} for {id} (§3.4)"), &response.conflicts)?;
    Ok(code)
}

/// What stands in place of an operation that must be superseded: its time, vote and body.
pub(crate) fn superseded(response: &SyncResponse, operation: &Value) -> Check<StandingValue> {
    let at = match outcome(response, operation)? {
        Outcome::Superseded { at } => *at,
        Outcome::Duplicate { of, at, .. } if of == "superseded" => *at,
        other => return Err(Failure::new(format!("superseded: {operation}"), show(other))),
    };
    let standing = gave_way(response, operation)?;
    expect(standing.at == at, format!("the same time in result and conflict: {}", at.0), &standing)?;
    Ok(standing)
}

/// What stands in place of an operation, by the conflict that must be listed for it.
pub(crate) fn gave_way(response: &SyncResponse, operation: &Value) -> Check<StandingValue> {
    let id = operation["id"].as_str().unwrap_or_default();
    let conflict = response.conflicts.iter().find(|conflict| conflict.id.to_string() == id);
    let standing =
        conflict.filter(|conflict| conflict.code == "superseded").and_then(|conflict| conflict.server.clone());
    standing.ok_or_else(|| {
        Failure::new(format!("a conflict superseded for {id}, with what stands (§3.4)"), show(&response.conflicts))
    })
}

/// A rating among the changes; the last of several.
pub(crate) fn rating_in<'r>(changes: &'r [Change], code: &QrHash) -> Check<&'r Rating> {
    let mut ratings = changes.iter().rev().filter_map(|change| match change {
        Change::Rating(rating) if rating.qr_hash == *code => Some(rating),
        _ => None,
    });
    ratings.next().ok_or_else(|| Failure::new(format!("a rating of {code} among the changes"), show(&changes)))
}
