//! Virtual time, and the clocks of phones that show it more or less right.

use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU64, Ordering::SeqCst},
};

use safescan_core::{clock::Clock, model::UnixMillis};

/// When every run begins, by the server's clock: 2027-01-15 in the morning.
pub(crate) const BEGINNING: UnixMillis = UnixMillis(1_800_000_000_000);

/// The run's own time. It only ever passes while everybody waits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeline(tokio::time::Instant);

impl Timeline {
    #[expect(clippy::disallowed_methods, reason = "time is paused: this is the virtual clock")]
    pub(crate) fn begin() -> Self {
        Self(tokio::time::Instant::now())
    }

    /// Milliseconds since the beginning.
    #[expect(clippy::disallowed_methods, reason = "time is paused: this is the virtual clock")]
    pub(crate) fn ms(&self) -> i64 {
        i64::try_from(tokio::time::Instant::now().duration_since(self.0).as_millis()).unwrap_or(i64::MAX)
    }

    /// What the server's clock shows, which is right by definition.
    pub(crate) fn server(&self) -> UnixMillis {
        BEGINNING.plus(self.ms())
    }

    /// Waits until so many milliseconds after the beginning.
    pub(crate) async fn until(&self, ms: i64) {
        tokio::time::sleep(millis(ms - self.ms())).await;
    }
}

pub(crate) fn millis(ms: i64) -> std::time::Duration {
    std::time::Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}

/// A phone's clocks. The one on the wall is wrong by a skew that may jump; the other begins anew with every process.
#[derive(Debug)]
pub(crate) struct PhoneClock {
    timeline: Timeline,
    skew: Arc<AtomicI64>,
    booted: i64,
    readings: AtomicU64,
}

impl PhoneClock {
    pub(crate) fn new(timeline: Timeline, skew: Arc<AtomicI64>) -> Self {
        Self { timeline, skew, booted: timeline.ms(), readings: AtomicU64::new(0) }
    }

    /// How often anybody looked: who wakes up looks.
    pub(crate) fn readings(&self) -> u64 {
        self.readings.load(SeqCst)
    }
}

impl Clock for PhoneClock {
    fn wall(&self) -> UnixMillis {
        self.readings.fetch_add(1, SeqCst);
        self.timeline.server().plus(self.skew.load(SeqCst))
    }

    fn monotonic(&self) -> i64 {
        self.readings.fetch_add(1, SeqCst);
        self.timeline.ms() - self.booted
    }
}
