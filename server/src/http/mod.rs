//! Requests: from the socket to the answer.
//!
//! A request passes, from the outside in: the connection's bounds ([`serve`]), the faults (tests only), the desk that
//! counts, logs and refuses while draining ([`desk`]), and the handler of its route.

mod answer;
mod changes;
mod desk;
mod intake;
mod operations;
mod problem;
mod ratings;
mod serve;
mod stream;
mod sync;
mod upkeep;

use std::sync::Arc;

use axum::{
    Router,
    middleware::from_fn_with_state,
    routing::{get, post},
};
use safescan_core::protocol;

pub use self::serve::{listen, serve};
pub(crate) use self::{intake::device, problem::Refusal, serve::Place};
use crate::{app::App, realtime};

/// All routes.
fn routes(app: &Arc<App>) -> Router {
    let ratings = format!("{}{{hex}}", protocol::RATINGS_PATH);
    let mut routes = Router::new()
        .route(protocol::SYNC_PATH, post(sync::sync))
        .route(protocol::CHANGES_PATH, get(changes::changes))
        .route(&ratings, get(ratings::ratings))
        .route(protocol::SOCKET_PATH, get(realtime::upgrade))
        .route("/healthz", get(upkeep::healthz))
        .route("/metrics", get(upkeep::metrics));
    if app.faults.is_some() {
        routes = routes.route("/faults", post(upkeep::faults));
    }
    routes
        .fallback(upkeep::not_found)
        .method_not_allowed_fallback(upkeep::method_not_allowed)
        .layer(from_fn_with_state(Arc::clone(app), desk::desk))
        .with_state(Arc::clone(app))
}
