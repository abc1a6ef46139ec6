//! The one place that reads a clock.

use std::time::{Duration, Instant};

use safescan_core::model::UnixMillis;

/// The server's clock, as it was told once and has gone on since.
pub(crate) struct ServerClock {
    told: UnixMillis,
    since: Stopwatch,
}

impl ServerClock {
    pub(crate) fn told(told: UnixMillis) -> Self {
        Self { told, since: Stopwatch::start() }
    }

    pub(crate) fn now(&self) -> UnixMillis {
        self.told.plus(i64::try_from(self.since.elapsed().as_millis()).unwrap_or(i64::MAX))
    }
}

/// Measures how long something takes.
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "the kit measures a real server by real time")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
