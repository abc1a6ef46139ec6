//! `GET /api/ratings/prefix/{hex}`: all ratings whose hash begins so. The device picks the one it wants itself, so that
//! the server learns little of what was scanned.

use std::sync::Arc;

use axum::{
    extract::{Path, Query, State},
    http::HeaderMap,
    response::Response,
};
use safescan_core::{
    model::QrHash,
    protocol::{MAX_PAGE_BYTES, RatingsResponse},
};
use serde::Deserialize;

use super::{answer::json, intake, problem::Refusal};
use crate::{
    app::App,
    storage::{Prefix, PrefixAsk},
};

/// What an answer has besides ratings.
const ENVELOPE_BYTES: usize = 256;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Ask {
    device: String,
    next: Option<String>,
}

pub(super) async fn ratings(
    State(app): State<Arc<App>>,
    Path(hex): Path<String>,
    headers: HeaderMap,
    query: Result<Query<Ask>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(ask) = query.map_err(|_| Refusal::malformed("the query cannot be read"))?;
    if !ask.device.is_empty() && intake::device(&ask.device).is_none() {
        return Err(Refusal::malformed("the device's name cannot be one"));
    }
    let account = intake::account(&app, &headers, &ask.device)?;
    let prefix = Prefix::parse(&hex).ok_or_else(|| Refusal::malformed("not 2 to 64 hexadecimal digits"))?;
    let after = match ask.next.filter(|next| !next.is_empty()) {
        Some(next) => Some(QrHash::parse(&next).ok_or_else(|| Refusal::malformed("next is none of this server's"))?),
        None => None,
    };
    let now = app.clock.wall();
    let max_bytes = MAX_PAGE_BYTES - ENVELOPE_BYTES;
    let page = app.storage.ratings_by_prefix(PrefixAsk { account, prefix, after, max_bytes, now }).await?;
    let next = page.next.map(|hash| hash.to_string());
    Ok(json(&RatingsResponse { ratings: page.ratings, server_time: now, next }))
}
