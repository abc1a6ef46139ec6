//! Time, through one door. Two readings, because they answer different questions: the wall clock says *when* (it is
//! persisted, it jumps), the monotonic one says *how long* (it never goes back, it means nothing after a restart).

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::model::UnixMillis;

/// Where the core reads the time.
pub trait Clock: Send + Sync + 'static {
    /// What the device's clock on the wall says. May jump either way.
    fn wall(&self) -> UnixMillis;

    /// Milliseconds since some fixed moment of this process. Never goes back.
    fn monotonic(&self) -> i64;
}

/// The device's own clocks.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock whose monotonic reading starts at 0 now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    fn wall(&self) -> UnixMillis {
        let millis = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |millis| -millis),
        };
        UnixMillis(millis)
    }

    fn monotonic(&self) -> i64 {
        i64::try_from(self.start.elapsed().as_millis()).unwrap_or(i64::MAX)
    }
}

/// A clock that stands still until it is told to move: tests and simulations live by it.
#[derive(Debug)]
pub struct ManualClock {
    wall: std::sync::atomic::AtomicI64,
    monotonic: std::sync::atomic::AtomicI64,
}

impl ManualClock {
    /// A clock that shows `wall`.
    #[must_use]
    pub fn at(wall: UnixMillis) -> Self {
        Self { wall: wall.0.into(), monotonic: 0.into() }
    }

    /// Lets time pass.
    pub fn advance(&self, millis: i64) {
        use std::sync::atomic::Ordering::SeqCst;
        self.wall.fetch_add(millis, SeqCst);
        self.monotonic.fetch_add(millis.max(0), SeqCst);
    }

    /// Sets the clock on the wall, as a user or the network does; no time passes.
    pub fn set_wall(&self, wall: UnixMillis) {
        self.wall.store(wall.0, std::sync::atomic::Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn wall(&self) -> UnixMillis {
        UnixMillis(self.wall.load(std::sync::atomic::Ordering::SeqCst))
    }

    fn monotonic(&self) -> i64 {
        self.monotonic.load(std::sync::atomic::Ordering::SeqCst)
    }
}

/// The device's clocks, moved ahead: for tests through another language, which cannot bring a clock of their own.
#[cfg(feature = "test-hooks")]
#[derive(Debug, Default)]
pub(crate) struct ShiftedClock {
    real: SystemClock,
    shift: std::sync::atomic::AtomicI64,
}

#[cfg(feature = "test-hooks")]
impl ShiftedClock {
    pub(crate) fn advance(&self, millis: i64) {
        self.shift.fetch_add(millis, std::sync::atomic::Ordering::SeqCst);
    }

    fn shift(&self) -> i64 {
        self.shift.load(std::sync::atomic::Ordering::SeqCst)
    }
}

#[cfg(feature = "test-hooks")]
impl Clock for ShiftedClock {
    fn wall(&self) -> UnixMillis {
        self.real.wall().plus(self.shift())
    }

    fn monotonic(&self) -> i64 {
        self.real.monotonic().saturating_add(self.shift().max(0))
    }
}
