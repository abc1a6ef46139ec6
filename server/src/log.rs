//! Logs: JSON lines on stderr. They hold names of routes, statuses, counts and durations, and nothing that a client sent.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::{Layer, filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

/// Reads a level; `None` for any other word.
#[must_use]
pub fn level(name: &str) -> Option<LevelFilter> {
    ["off", "error", "warn", "info", "debug", "trace"].contains(&name).then(|| name.parse().ok()).flatten()
}

/// Begins to log. Only this program's own lines: a library may show headers and frames at its finer levels.
pub fn start(level: LevelFilter) {
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_target(false)
        .with_current_span(false)
        .with_span_list(false)
        .with_writer(std::io::stderr);
    let own = Targets::new().with_target("safescan_server", level);
    tracing_subscriber::registry().with(lines.with_filter(own)).init();
}
