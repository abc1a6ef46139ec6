//! Numbers with a unit. Their arithmetic saturates: clocks jump by years, and nothing here may overflow because of it.

/// A wall-clock instant in milliseconds since 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UnixMillis(pub i64);

impl UnixMillis {
    /// The instant `millis` later, or the last one that can be written.
    #[must_use]
    pub fn plus(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// The instant `millis` earlier, or the first one that can be written.
    #[must_use]
    pub fn minus(self, millis: i64) -> Self {
        Self(self.0.saturating_sub(millis))
    }

    /// Milliseconds from `earlier` to this instant; 0 when the clock went back in between.
    #[must_use]
    pub fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0).max(0)
    }
}

/// A number of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ByteCount(pub i64);

/// One minute, in milliseconds.
pub const MINUTE_MS: i64 = 60 * 1000;
/// One day, in milliseconds.
pub const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
