//! Operations from the wire. One that cannot be read does not take the others along.

use axum::http::StatusCode;
use safescan_core::{
    model::{OperationId, OperationKind, QrHash, VoterId},
    protocol::{
        MAX_BODY_DEPTH, Operation, RetractionBody, ScanBody, SettingBody, SyncRequest, VoteBody, codes, kind_named,
        measure, refusals,
    },
};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use super::problem::Refusal;
use crate::rules::{Action, Command, Item, ItemKind};

/// Bytes in a scan's id or a setting's name: what devices allow.
const MOST_KEY_BYTES: usize = 1024;
/// Bytes in the body of a scan or setting: more than devices allow for text and metadata together.
const MOST_BODY_BYTES: usize = 64 * 1024;

/// An operation of a request, in its place.
pub(super) enum Entry {
    /// To be judged.
    Item(Item),
    /// Not to be.
    Refused {
        /// As it was sent: it need not be one of ours.
        id: String,
        key: String,
        code: &'static str,
    },
}

/// Reads a request's operations.
pub(super) fn read(request: &SyncRequest, max_ops: u32) -> Result<Vec<Entry>, Refusal> {
    if request.data.len() > max_ops as usize {
        let detail = "more operations than are accepted at a time";
        return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, codes::TOO_MANY_OPS, detail));
    }
    request.data.iter().map(|raw| entry(raw)).collect()
}

/// The voters that a request brings operations of.
pub(super) fn voters(entries: &[Entry]) -> Vec<VoterId> {
    let voter = |entry: &Entry| match entry {
        Entry::Item(Item { command: Command { action: Action::Vote { voter, .. }, .. }, .. }) => Some(*voter),
        _ => None,
    };
    entries.iter().filter_map(voter).collect()
}

fn entry(raw: &RawValue) -> Result<Entry, Refusal> {
    let read = serde_json::from_str::<Operation>(raw.get()).map_err(|_| refusals::MALFORMED);
    let code = match read.and_then(|operation| command(&operation).map(|command| (operation, command))) {
        Ok((Operation { id, key, .. }, command)) => return Ok(Entry::Item(Item { id, key, command })),
        Err(code) => code,
    };
    // Each is looked for alone, so that nothing else that is wrong matters.
    let Some(id) = text_of::<Id>(raw).map(|found| found.id) else {
        return Err(Refusal::malformed("an operation has no id"));
    };
    // Ids are repeated in the answer; what is not one of ours need not be repeated at any length.
    let id = OperationId::parse(&id).map_or_else(|| id.chars().take(64).collect(), |id| id.to_string());
    let key = text_of::<Key>(raw).map(|found| found.key).filter(|key| key.len() <= MOST_KEY_BYTES);
    Ok(Entry::Refused { id, key: key.unwrap_or_default(), code })
}

#[derive(Deserialize)]
struct Id {
    id: String,
}

#[derive(Deserialize)]
struct Key {
    key: String,
}

/// A field of an object, if it is one and has it.
fn text_of<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Option<T> {
    if raw.get().starts_with('{') { serde_json::from_str(raw.get()).ok() } else { None }
}

fn command(operation: &Operation) -> Result<Command, &'static str> {
    let kind = kind_named(&operation.kind).ok_or(refusals::UNKNOWN_KIND)?;
    if operation.key.len() > MOST_KEY_BYTES || operation.body.get().len() > MOST_BODY_BYTES {
        return Err(refusals::TOO_LARGE);
    }
    // All of the body must be readable, not only what is looked at here: it is kept and sent back.
    let body: Value = serde_json::from_str(operation.body.get()).map_err(|_| refusals::MALFORMED)?;
    if !body.is_object() || measure(operation.body.get().as_bytes()).depth > MAX_BODY_DEPTH {
        return Err(refusals::MALFORMED);
    }
    let action = action(kind, &operation.key, operation.body.get()).ok_or(refusals::MALFORMED)?;
    Ok(Command { seq: operation.seq, at: operation.at, action })
}

fn action(kind: OperationKind, key: &str, body: &str) -> Option<Action> {
    let put = |kind, body: Option<&str>| {
        (!key.is_empty()).then(|| Action::Put { kind, key: key.to_owned(), body: body.map(str::to_owned) })
    };
    match kind {
        OperationKind::VoteSet => {
            let vote: VoteBody = serde_json::from_str(body).ok()?;
            let host = vote.host_hash.zip(vote.host_voter);
            Some(Action::Vote { code: QrHash::parse(key)?, voter: vote.voter, choice: Some(vote.vote), host })
        }
        OperationKind::VoteRetract => {
            let RetractionBody { voter } = serde_json::from_str(body).ok()?;
            Some(Action::Vote { code: QrHash::parse(key)?, voter, choice: None, host: None })
        }
        OperationKind::ScanPut => {
            serde_json::from_str::<ScanBody>(body).ok()?;
            put(ItemKind::Scan, Some(body))
        }
        OperationKind::ScanDelete => put(ItemKind::Scan, None),
        OperationKind::SettingPut => {
            serde_json::from_str::<SettingBody>(body).ok()?;
            put(ItemKind::Setting, Some(body))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_one(text: &str) -> Result<Entry, Refusal> {
        entry(&RawValue::from_string(text.into()).expect("JSON"))
    }

    #[test]
    fn one_that_cannot_be_read_is_refused_alone_if_it_has_an_id() {
        let id = "01010101-0101-0101-0101-010101010101";
        let vote = |kind: &str, key: &str, body: &str| {
            read_one(&format!(r#"{{"id":"{id}","seq":1,"kind":"{kind}","at":1,"key":"{key}","body":{body}}}"#))
        };
        let hash = "ab".repeat(32);
        let voter = "cd".repeat(16);
        let good = format!(r#"{{"vote":"safe","voter":"{voter}"}}"#);
        assert!(matches!(vote("vote.set", &hash, &good), Ok(Entry::Item(_))));
        for (kind, key, body, code) in [
            ("vote.dance", hash.as_str(), good.as_str(), refusals::UNKNOWN_KIND),
            ("vote.set", "ab", &good, refusals::MALFORMED),
            ("vote.set", &hash, "{}", refusals::MALFORMED),
            ("vote.set", &hash, r#"{"vote":"maybe","voter":"00"}"#, refusals::MALFORMED),
            ("scan.delete", "k", "7", refusals::MALFORMED),
            ("scan.put", "k", r#"{"text":"a","verdict":"safe","more":1e999}"#, refusals::MALFORMED),
            ("scan.put", "k", r#"{"text":"a","verdict":"safe","more":"\ud800"}"#, refusals::MALFORMED),
            ("setting.put", "k", &format!(r#"{{"value":{}1{}}}"#, "[".repeat(32), "]".repeat(32)), refusals::MALFORMED),
            ("scan.put", "", r#"{"text":"a","verdict":"safe"}"#, refusals::MALFORMED),
            ("scan.delete", &"k".repeat(1025), "{}", refusals::TOO_LARGE),
        ] {
            match vote(kind, key, body) {
                Ok(Entry::Refused { id: repeated, code: refused, .. }) => {
                    assert_eq!((repeated.as_str(), refused), (id, code))
                }
                _ => panic!("{kind} {body} was not refused"),
            }
        }
        assert!(matches!(read_one(r#"{"id":"mine"}"#), Ok(Entry::Refused { id, .. }) if id == "mine"));
        assert!(matches!(read_one(r#"{"id":"x","key":1,"key":2}"#), Ok(Entry::Refused { .. })));
        let deep = format!(r#"{{"value":{}1{}}}"#, "[".repeat(31), "]".repeat(31));
        assert!(matches!(vote("setting.put", "k", &deep), Ok(Entry::Item(_))));
        assert!(read_one(r#"{"id":7}"#).is_err());
        assert!(read_one(r#"["x"]"#).is_err());
        assert!(read_one("null").is_err());
    }
}
