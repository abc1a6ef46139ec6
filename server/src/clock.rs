//! Time, through one door: when (the wall) and how long (a reading that never goes back).

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use safescan_core::model::UnixMillis;

/// The machine's clocks.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// A clock whose monotonic reading starts at 0 now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    pub fn start() -> Self {
        Self { start: Instant::now() }
    }

    /// What the clock on the wall says. May jump either way.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    pub fn wall(&self) -> UnixMillis {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        UnixMillis(i64::try_from(since).unwrap_or(i64::MAX))
    }

    /// Milliseconds since the start. Never goes back.
    #[must_use]
    pub fn monotonic(&self) -> i64 {
        i64::try_from(self.start.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    /// Microseconds since the start, for what is over in less than a millisecond.
    #[must_use]
    pub fn micros(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}
