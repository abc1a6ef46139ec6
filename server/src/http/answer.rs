//! The answer to operations and to a request for changes. As [`SyncResponse`](safescan_core::protocol::SyncResponse), but
//! for the ids: what a client sends as an id is repeated as it was, even if it is none of ours.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use safescan_core::{
    model::UnixMillis,
    protocol::{self, Change, Limits, Outcome, Refusal, StandingValue},
};
use serde::Serialize;

use super::operations::Entry;
use crate::{
    app::App,
    rules::{Applied, Item},
    storage::ChangesPage,
};

/// Bytes of the bodies that conflicts show; beyond, the standing value is left out, and comes with the changes.
const MOST_CONFLICT_BYTES: usize = 64 * 1024;
/// Requests at a time from which on devices are asked to stay away for a moment.
const MANY_REQUESTS: usize = 512;
/// For how long.
const BACKOFF_MS: u32 = 5_000;

/// What is sent.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answer {
    pub(super) conflicts: Vec<Conflict>,
    protocol: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) results: Option<Vec<Settled>>,
    pub(super) changes: Vec<Change>,
    pub(super) cursor: Option<String>,
    has_more: bool,
    server_time: UnixMillis,
    limits: Limits,
    backoff_ms: u32,
    pub(super) control: Vec<&'static str>,
}

#[derive(Serialize)]
pub(super) struct Conflict {
    id: String,
    key: String,
    code: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<StandingValue>,
}

#[derive(Serialize)]
pub(super) struct Settled {
    id: String,
    #[serde(flatten)]
    outcome: Outcome,
}

impl Answer {
    /// Without results.
    pub(super) fn new(app: &App, page: ChangesPage) -> Self {
        let requests = &app.config.requests;
        Self {
            conflicts: Vec::new(),
            protocol: protocol::VERSION,
            results: None,
            changes: page.changes,
            cursor: page.cursor,
            has_more: page.has_more,
            server_time: app.clock.wall(),
            limits: Limits {
                max_ops: requests.max_ops,
                max_bytes: requests.max_bytes,
                min_interval_ms: requests.min_interval_ms,
            },
            backoff_ms: if app.drain.load() > MANY_REQUESTS { BACKOFF_MS } else { 0 },
            control: Vec::new(),
        }
    }
}

/// Puts what was judged and what was refused into the order in which it was sent.
pub(super) fn in_order(entries: &[Entry], applied: Applied) -> (Vec<Settled>, Vec<Conflict>) {
    let mut results = applied.results.into_iter();
    let mut standing = applied.conflicts.into_iter().peekable();
    let (mut settled, mut conflicts, mut shown) = (Vec::with_capacity(entries.len()), Vec::new(), 0);
    for entry in entries {
        match entry {
            Entry::Refused { id, key, code } => {
                let error = Refusal { code: (*code).into(), detail: String::new() };
                settled.push(Settled { id: id.clone(), outcome: Outcome::Rejected { error } });
                conflicts.push(Conflict { id: id.clone(), key: key.clone(), code: (*code).into(), server: None });
            }
            Entry::Item(Item { id, key, .. }) => {
                let Some(result) = results.next() else { continue };
                settled.push(Settled { id: id.to_string(), outcome: result.outcome });
                if let Some(conflict) = standing.next_if(|conflict| conflict.id == *id) {
                    let body = conflict.server.as_ref().and_then(|server| server.body.as_ref());
                    shown += body.map_or(0, |body| body.to_string().len());
                    let server = conflict.server.filter(|_| shown <= MOST_CONFLICT_BYTES);
                    conflicts.push(Conflict { id: id.to_string(), key: key.clone(), code: conflict.code, server });
                }
            }
        }
    }
    (settled, conflicts)
}

/// JSON with its type.
pub(super) fn json(value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => {
            ([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")], body).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
