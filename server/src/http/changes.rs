//! `GET /api/sync/changes`: changes alone, at once or, with `live=1`, as soon as there are any.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Query, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use safescan_core::protocol::{LONG_POLL_MS, MAX_PAGE_BYTES, codes};
use serde::Deserialize;

use super::{
    answer::{Answer, json},
    intake,
    problem::Refusal,
    sync::{MOST_CHANGES, USUAL_CHANGES},
};
use crate::{
    app::App,
    drain::Stage,
    storage::{ChangesAsk, ChangesPage},
};

/// What an answer has besides changes.
const ENVELOPE_BYTES: usize = 1024;
/// Between two looks of a request that waits: on a busy server something changes all the time, for somebody.
const BETWEEN_LOOKS: Duration = Duration::from_millis(250);

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
pub(super) struct Ask {
    cursor: Option<String>,
    device: String,
    topics: String,
    live: String,
    limit: Option<u32>,
}

pub(super) async fn changes(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    query: Result<Query<Ask>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(ask) = query.map_err(|_| Refusal::malformed("the query cannot be read"))?;
    if !ask.device.is_empty() && intake::device(&ask.device).is_none() {
        return Err(Refusal::malformed("the device's name cannot be one"));
    }
    let account =
        intake::account(&app, &headers, &ask.device)?.ok_or_else(|| Refusal::malformed("device is missing"))?;
    let topics = ask.topics.split(',').filter(|topic| !topic.is_empty());
    let question = ChangesAsk {
        account,
        cursor: ask.cursor.filter(|cursor| !cursor.is_empty()),
        topics: intake::topics(&app, topics)?,
        named: Vec::new(),
        limit: ask.limit.unwrap_or(USUAL_CHANGES).clamp(1, MOST_CHANGES) as usize,
        max_bytes: MAX_PAGE_BYTES - ENVELOPE_BYTES,
        now: app.clock.wall(),
    };
    // Without a cursor there is no moment that the wait could be counted from.
    let live = ask.live == "1" && question.cursor.is_some();
    let page = if live { wait(&app, question).await? } else { app.storage.changes(question).await? };
    if page.cursor.is_none() {
        let detail = "the cursor is none of this server's";
        return Err(Refusal::new(StatusCode::GONE, codes::CURSOR_INVALID, detail));
    }
    Ok(json(&Answer::new(&app, page)))
}

/// A page as soon as there is something in it, or after the longest wait an empty one.
async fn wait(app: &App, ask: ChangesAsk) -> Result<ChangesPage, Refusal> {
    let _waiting = app.drain.wait();
    let mut commits = app.hub.commits();
    let end = tokio::time::sleep(Duration::from_millis(LONG_POLL_MS.into()));
    tokio::pin!(end);
    loop {
        commits.mark_unchanged();
        let page = app.storage.changes(ChangesAsk { now: app.clock.wall(), ..ask.clone() }).await?;
        if !page.changes.is_empty() || page.cursor.is_none() {
            return Ok(page);
        }
        tokio::select! {
            changed = commits.changed() => {
                if changed.is_err() {
                    return Ok(page);
                }
            }
            () = &mut end => return Ok(page),
            () = app.drain.reached(Stage::Draining) => return Ok(page),
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}
