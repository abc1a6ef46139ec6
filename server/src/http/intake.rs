//! What is common to all requests: their body, their token, their query.

use std::time::Duration;

use axum::{
    body::Body,
    http::{HeaderMap, StatusCode, header},
};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use safescan_core::protocol::codes;

use super::problem::Refusal;
use crate::{app::App, auth::bearer, rules::Account, storage::Prefix};

/// Bytes in a device's name: a UUID has 36.
const MOST_DEVICE_BYTES: usize = 128;

/// Reads a body, within its bounds of size and time.
pub(super) async fn body(app: &App, body: Body) -> Result<Bytes, Refusal> {
    let (most, time) = (app.config.requests.max_bytes as usize, app.config.requests.body_seconds);
    let collected = tokio::time::timeout(Duration::from_secs(time.into()), Limited::new(body, most).collect()).await;
    match collected {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, codes::TOO_LARGE, "the body is too large"))
        }
        Ok(Err(_)) => Err(Refusal::malformed("the body broke off")),
        Err(_) => Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, codes::TOO_SLOW, "the body came too slowly")),
    }
}

/// The account, unless it asks too often; `None` where there are no tokens and no device is named.
pub(super) fn account(app: &App, headers: &HeaderMap, device: &str) -> Result<Option<Account>, Refusal> {
    let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(bearer);
    let account = app.auth.account(token, device)?;
    if let Some(account) = &account {
        app.limits.account(account, app.clock.monotonic()).map_err(Refusal::limited)?;
    }
    Ok(account)
}

/// A device's name, if it can be one.
pub(crate) fn device(name: &str) -> Option<&str> {
    let fits = !name.is_empty() && name.len() <= MOST_DEVICE_BYTES && name.bytes().all(|byte| byte.is_ascii_graphic());
    fits.then_some(name)
}

/// Topics, unless one of them is none or there are too many.
pub(crate) fn topics<'a>(app: &App, topics: impl Iterator<Item = &'a str>) -> Result<Vec<Prefix>, Refusal> {
    let mut read = Vec::new();
    for topic in topics {
        read.push(Prefix::parse(topic).ok_or_else(|| Refusal::malformed("a topic is not 2 to 64 hexadecimal digits"))?);
    }
    read.sort_unstable();
    read.dedup();
    if read.len() > app.config.realtime.max_topics as usize {
        return Err(Refusal::malformed("there are too many topics"));
    }
    Ok(read)
}
