//! `POST /api/sync`: operations in, results and changes out.

use std::sync::Arc;

use axum::{body::Body, extract::State, http::HeaderMap, response::Response};
use safescan_core::protocol::{self, MAX_PAGE_BYTES, MUST_REFETCH, SyncRequest};
use serde::{Deserialize, de::IgnoredAny};

use super::{
    answer::{Answer, in_order, json},
    intake,
    operations::{self, Entry},
    problem::Refusal,
};
use crate::{
    app::App,
    auth::Auth,
    rules::{Batch, Item},
    storage::ChangesAsk,
};

/// Changes in an answer, if nothing is said, and at most.
pub(super) const USUAL_CHANGES: u32 = 500;
pub(super) const MOST_CHANGES: u32 = 1_000;
/// What an answer has besides results and changes.
const ENVELOPE_BYTES: usize = 1024;

/// As much as tells the plain protocol from this one.
#[derive(Deserialize)]
struct Envelope {
    #[serde(default)]
    protocol: u32,
    #[serde(rename = "data")]
    _data: Vec<IgnoredAny>,
}

pub(super) async fn sync(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Result<Response, Refusal> {
    // Whoever has no token need not send a body.
    if !matches!(app.auth, Auth::None) {
        app.auth.account(bearer_of(&headers), "")?;
    }
    let body = intake::body(&app, body).await?;
    let is_object = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    let Some(envelope) = protocol::read::<Envelope>(&body).ok().filter(|_| is_object) else {
        return Err(Refusal::malformed("the body is no sync request"));
    };
    if envelope.protocol == 0 {
        // Items of the plain protocol have no names by which they could be told apart: nothing is made of them.
        return Ok(json(&serde_json::json!({ "conflicts": [] })));
    }
    let Ok(request) = protocol::read::<SyncRequest>(&body) else {
        return Err(Refusal::malformed("the body is no sync request"));
    };
    let device =
        intake::device(&request.device).ok_or_else(|| Refusal::malformed("the device's name cannot be one"))?;
    let account = intake::account(&app, &headers, device)?.expect("the device is named");
    let topics = intake::topics(&app, request.topics.iter().map(String::as_str))?;
    let entries = operations::read(&request, app.config.requests.max_ops)?;
    app.limits.voters(operations::voters(&entries), app.clock.monotonic()).map_err(Refusal::limited)?;

    let items: Vec<Item> = entries
        .iter()
        .filter_map(|entry| match entry {
            Entry::Item(item) => Some(item.clone()),
            Entry::Refused { .. } => None,
        })
        .collect();
    let batch = Batch {
        account: account.clone(),
        device: device.to_owned(),
        oldest_pending: request.oldest_pending,
        items,
        now: app.clock.wall(),
        limits: app.config.votes,
    };
    let mut applied = app.storage.apply(batch).await?;
    app.metrics.judged(&applied.results);
    app.hub.publish(&applied.changed, applied.account_changed.then_some((&account, device)));
    let named = std::mem::take(&mut applied.named);
    let (results, conflicts) = in_order(&entries, applied);
    let taken = ENVELOPE_BYTES + json_size(&results) + json_size(&conflicts);

    let limit = request.limit.unwrap_or(USUAL_CHANGES).clamp(1, MOST_CHANGES);
    let page = app
        .storage
        .changes(ChangesAsk {
            account,
            cursor: request.cursor,
            topics,
            named,
            limit: limit as usize,
            max_bytes: MAX_PAGE_BYTES.saturating_sub(taken),
            now: app.clock.wall(),
        })
        .await?;
    let mut answer = Answer::new(&app, page);
    if answer.cursor.is_none() {
        answer.control.push(MUST_REFETCH);
    }
    answer.results = Some(results);
    answer.conflicts = conflicts;
    Ok(json(&answer))
}

fn bearer_of(headers: &HeaderMap) -> Option<&str> {
    headers.get(axum::http::header::AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(crate::auth::bearer)
}

fn json_size(value: &impl serde::Serialize) -> usize {
    serde_json::to_vec(value).map_or(0, |bytes| bytes.len())
}
