//! For operators and tests.

use std::{net::IpAddr, sync::Arc};

use axum::{
    body::Body,
    extract::{Extension, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use safescan_core::protocol::codes;

use super::{answer::json, intake, problem::Refusal};
use crate::{app::App, auth::bearer, faults::Spec, storage::RatingsAsk};

/// Whether requests are served.
pub(super) async fn healthz(State(app): State<Arc<App>>) -> Result<Response, Refusal> {
    // Opens a view of the database and asks nothing of it.
    let nothing = RatingsAsk { account: None, hashes: Vec::new(), now: app.clock.wall() };
    if app.storage.ratings(nothing).await.is_err() {
        let detail = "the storage does not answer";
        return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, codes::INTERNAL, detail));
    }
    Ok(json(&serde_json::json!({ "status": "ok" })))
}

/// The figures.
pub(super) async fn metrics(State(app): State<Arc<App>>) -> Result<Response, Refusal> {
    let figures = app.storage.probe().await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], app.metrics.text(&figures, app.drain.begun()))
        .into_response())
}

/// Other faults from now on. Only from this machine, and where a key was set only with it.
pub(super) async fn faults(
    State(app): State<Arc<App>>,
    Extension(address): Extension<IpAddr>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let faults = app.faults.as_ref().expect("the route is there only with faults");
    let key = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(bearer);
    if !address.is_loopback() || !faults.opens(key) {
        return Err(Refusal::new(StatusCode::FORBIDDEN, codes::AUTH, "not from here, or not with this key"));
    }
    let body = intake::body(&app, body).await?;
    let text = std::str::from_utf8(&body).map_err(|_| Refusal::malformed("not UTF-8"))?;
    let spec = Spec::parse(text.trim()).map_err(|_| Refusal::malformed("not a list of faults: see --help"))?;
    faults.replace(spec);
    Ok(json(&serde_json::json!({ "status": "ok" })))
}

pub(super) async fn not_found() -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, codes::NOT_FOUND, "there is no such resource")
}

pub(super) async fn method_not_allowed() -> Refusal {
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, codes::METHOD_NOT_ALLOWED, "the resource does not know the method")
}
