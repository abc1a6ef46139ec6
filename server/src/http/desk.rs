//! What happens to every request, whatever its route.

use std::{
    net::IpAddr,
    sync::{Arc, atomic::Ordering::Relaxed},
};

use axum::{
    extract::{Extension, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use safescan_core::protocol;

use super::problem::Refusal;
use crate::app::App;

/// Counts, logs, limits by address, and refuses while draining.
pub(super) async fn desk(
    State(app): State<Arc<App>>,
    Extension(peer): Extension<IpAddr>,
    request: Request,
    next: Next,
) -> Response {
    let begun = app.clock.micros();
    let busy = app.drain.begin();
    let route = route(request.uri().path());
    let response = if app.drain.is_draining() {
        Refusal::draining().into_response()
    } else {
        let limited = match route {
            // Whoever watches the server must see it also in a flood.
            "healthz" | "metrics" | "faults" => Ok(()),
            _ => app.limits.address(address(&app, peer, request.headers()), app.clock.monotonic()),
        };
        match limited {
            Ok(()) => next.run(request).await,
            Err(wait_ms) => Refusal::limited(wait_ms).into_response(),
        }
    };
    let mut response = response;
    if app.drain.is_draining() {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    drop(busy);
    let (status, micros) = (response.status(), app.clock.micros().saturating_sub(begun));
    if status == StatusCode::TOO_MANY_REQUESTS {
        app.metrics.limited.fetch_add(1, Relaxed);
    }
    app.metrics.answered(route, status.as_u16(), micros);
    tracing::info!(route, status = status.as_u16(), micros, "answered");
    response
}

/// A route's name, from which nothing of the path can be told.
fn route(path: &str) -> &'static str {
    match path {
        protocol::SYNC_PATH => "sync",
        protocol::CHANGES_PATH => "changes",
        protocol::SOCKET_PATH => "ws",
        "/healthz" => "healthz",
        "/metrics" => "metrics",
        "/faults" => "faults",
        path if path.starts_with(protocol::RATINGS_PATH) => "ratings",
        _ => "other",
    }
}

/// Who is on the other side, as far as that can be told.
fn address(app: &App, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let forwarded = || {
        let last = headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?.rsplit(',').next()?;
        last.trim().parse().ok()
    };
    if app.config.requests.trust_forwarded_for { forwarded().unwrap_or(peer) } else { peer }
}
