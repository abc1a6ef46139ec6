use std::{collections::BTreeMap, sync::Arc, time::Duration};

use safescan_core::{
    clock::Clock,
    model::{OperationState, ParkedReason, QrKind, Scan, ScanId, Verdict, VoteChoice},
    net::{Answer, Method, Request},
    protocol::{Change, Outcome, SYNC_PATH, SyncResponse, kind_name},
    qr,
};
use serde_json::{Value, json};

use super::{Bug, Disk, Register, Shared, bug};

/// How often the server is asked.
const INTERVAL: Duration = Duration::from_secs(2);

pub(super) async fn run(shared: Arc<Shared>) {
    loop {
        let suspended = *shared.suspended.lock().unwrap();
        let more = !suspended && once(&shared).await;
        if !more && (suspended || bug() != Bug::Storms) {
            tokio::select! {
                biased;
                () = shared.awake.notified() => {}
                () = tokio::time::sleep(INTERVAL), if !suspended => {}
            }
        }
    }
}

/// Sends a batch and takes a page; true if there is more to do at once.
pub(super) async fn once(shared: &Arc<Shared>) -> bool {
    let (batch, body) = request(shared);
    let token = shared.token.lock().unwrap().clone();
    let patience = Duration::from_secs(30);
    let request = Request { method: Method::Post, path: SYNC_PATH.to_owned(), token, body, patience };
    let sent = shared.opening.network.transport.send(request).await;
    let Ok(answer) = sent else {
        if bug() == Bug::GivesUp {
            shared.change(|disk| batch.iter().for_each(|seq| drop(disk.outbox.remove(seq))));
        }
        return false;
    };
    receive(shared, &batch, &answer)
}

fn request(shared: &Shared) -> (Vec<i64>, Vec<u8>) {
    shared.change(|disk| {
        let now = shared.opening.clock.wall();
        let ready = disk.outbox.iter_mut().filter(|(_, waiting)| waiting.operation.state == OperationState::Pending);
        // Operations that were refused together are sent one by one.
        let mut ready: Vec<_> = ready.collect();
        let alone = ready.iter().any(|(_, waiting)| waiting.operation.last_error.is_some());
        ready.truncate(if alone { 1 } else { 20 });
        let (mut batch, mut data) = (Vec::new(), Vec::new());
        for (seq, waiting) in ready {
            if bug() == Bug::NewNames {
                waiting.operation.id.0 = shared.random();
            }
            batch.push(*seq);
            data.push(json!({
                "id": waiting.operation.id.to_string(), "seq": seq, "kind": kind_name(waiting.operation.kind),
                "at": waiting.operation.created_at.0, "key": waiting.key, "body": waiting.body,
            }));
        }
        let topics: Vec<String> = shared.topics.lock().unwrap().iter().cloned().collect();
        let body = json!({
            "data": data, "timestamp": now.0, "protocol": 1, "device": disk.device,
            "oldestPending": disk.outbox.keys().next(), "cursor": disk.cursor, "topics": topics, "limit": 100,
        });
        (batch, serde_json::to_vec(&body).unwrap())
    })
}

fn receive(shared: &Shared, batch: &[i64], answer: &Answer) -> bool {
    match answer.status {
        200 => {}
        401 => {
            *shared.wants_token.lock().unwrap() = true;
            return false;
        }
        400 | 413 | 422 => {
            shared.change(|disk| {
                for seq in batch {
                    let Some(waiting) = disk.outbox.get_mut(seq) else { continue };
                    if batch.len() == 1 {
                        waiting.operation.state = OperationState::Parked;
                        waiting.operation.parked_reason = Some(ParkedReason::Poison);
                    }
                    waiting.operation.last_error = Some(answer.status.to_string());
                }
            });
            return !batch.is_empty();
        }
        409 | 410 => {
            shared.change(|disk| disk.cursor = None);
            return false;
        }
        _ => return false,
    }
    let value: Option<Value> = serde_json::from_slice(&answer.body).ok().filter(|_| answer.is_json);
    let Some(value) = value else { return false };
    let Some(conflicts) = value.get("conflicts") else { return false };
    if value.get("protocol").is_none() {
        // A plain server: what is no conflict is done, and so is what is.
        let _ = conflicts;
        shared.change(|disk| batch.iter().for_each(|seq| drop(disk.outbox.remove(seq))));
        return false;
    }
    let Ok(response) = serde_json::from_value::<SyncResponse>(value) else { return false };
    let progress = response.results.iter().any(|result| !matches!(result.outcome, Outcome::Deferred { .. }));
    let more = (response.has_more) || progress;
    shared.change(|disk| take(shared, disk, response));
    more
}

fn take(shared: &Shared, disk: &mut Disk, response: SyncResponse) {
    disk.offset = response.server_time.0 - shared.opening.clock.wall().0;
    let sent: BTreeMap<_, _> = disk.outbox.values().map(|waiting| (waiting.operation.id, waiting.voter)).collect();
    for result in &response.results {
        let found = disk.outbox.iter().find(|(_, waiting)| waiting.operation.id == result.id);
        let Some(seq) = found.map(|(seq, _)| *seq) else { continue };
        match &result.outcome {
            Outcome::Applied { .. } | Outcome::Duplicate { .. } | Outcome::Superseded { .. } => {
                drop(disk.outbox.remove(&seq));
            }
            Outcome::Rejected { .. } => {
                let waiting = disk.outbox.get_mut(&seq).unwrap();
                waiting.operation.state = OperationState::Parked;
                waiting.operation.parked_reason = Some(ParkedReason::Rejected);
            }
            Outcome::Deferred { .. } | Outcome::Unknown => {}
        }
    }
    for conflict in &response.conflicts {
        let key = conflict.key.clone();
        let Some(standing) = &conflict.server else { continue };
        let found = disk.votes.iter_mut().find(|((code, voter), _)| {
            code.to_string() == key && sent.get(&conflict.id).is_some_and(|sent| *sent == Some(*voter))
        });
        if let Some((_, register)) = found.filter(|(_, register)| register.at <= standing.at) {
            register.choice = match standing.vote.as_deref() {
                Some("safe") => Some(VoteChoice::Safe),
                Some("unsafe") => Some(VoteChoice::Unsafe),
                _ => None,
            };
            register.at = standing.at;
        }
        if let Some(value) = standing.body.as_ref().and_then(|body| body.get("value"))
            && !disk.outbox.values().any(|waiting| waiting.key == key)
        {
            disk.settings.insert(key, value.clone());
        }
    }
    let most = if bug() == Bug::LosesChanges { 1 } else { usize::MAX };
    response.changes.into_iter().take(most).for_each(|change| learn(disk, change));
    disk.cursor = response.cursor;
}

fn learn(disk: &mut Disk, change: Change) {
    let waits =
        |disk: &Disk, key: &str| bug() != Bug::FlipsBack && disk.outbox.values().any(|waiting| waiting.key == key);
    match change {
        Change::Rating(rating) => {
            let known = disk.ratings.get(&rating.qr_hash);
            if known.is_none_or(|known| known.rev <= rating.rev) {
                disk.ratings.insert(rating.qr_hash, rating);
            }
        }
        Change::Vote(vote) => {
            let known = disk.votes.get(&(vote.qr_hash, vote.voter));
            let host = known.and_then(|known| known.host);
            // One's own that waits gives way to a later one only.
            let later = known.is_none_or(|known| known.at < vote.at);
            if later || !waits(disk, &vote.qr_hash.to_string()) {
                let register = Register { choice: vote.vote, at: vote.at, host };
                disk.votes.insert((vote.qr_hash, vote.voter), register);
            }
        }
        Change::Scan(change) => {
            let (Some(id), Some(body)) = (ScanId::parse(&change.key), change.body) else { return };
            let deleted = waits(disk, &change.key) && !disk.scans.contains_key(&id);
            if let Some(text) = body.get("text").and_then(Value::as_str)
                && !deleted
            {
                let (kind, qr_hash): (QrKind, _) = (qr::classify(text), qr::hash_text(text));
                let metadata = body.get("metadata").and_then(Value::as_str).map(str::to_owned);
                let (text, verdict, scanned_at) = (text.to_owned(), Verdict::Unknown, change.at);
                disk.scans.insert(id, Scan { id, text, kind, verdict, scanned_at, qr_hash, metadata });
            }
        }
        Change::ScanDeleted(change) => {
            ScanId::parse(&change.key).map(|id| disk.scans.remove(&id));
        }
        Change::Setting(change) => {
            if !waits(disk, &change.key)
                && let Some(value) = change.body.as_ref().and_then(|body| body.get("value"))
            {
                disk.settings.insert(change.key.clone(), value.clone());
            }
        }
        Change::Unknown => {}
    }
}
