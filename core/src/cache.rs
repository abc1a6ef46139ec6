//! Values in memory for a while.
//!
//! Which value gives way when the cache is full is decided by quick_cache's S3-FIFO, which keeps what is asked for again
//! and again even while a scan of many one-time keys goes by. The time a value is good for is kept with it, measured on
//! the monotonic clock: turning the wall clock neither kills nor preserves anything.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering::Relaxed},
};

use crate::{clock::Clock, model::CacheStatistics};

/// Longest life of a value, in milliseconds, as asked for.
pub(crate) struct Cache {
    values: quick_cache::sync::Cache<String, Kept>,
    capacity: u32,
    clock: Arc<dyn Clock>,
    hits: AtomicU32,
    misses: AtomicU32,
}

#[derive(Clone)]
struct Kept {
    value: Arc<str>,
    until: i64,
}

impl Cache {
    pub(crate) fn new(capacity: u32, clock: Arc<dyn Clock>) -> Self {
        // One shard holds exactly what was asked for; the calls are too short for phone cores to get in each other's way.
        let options = quick_cache::OptionsBuilder::new()
            .estimated_items_capacity(capacity as usize)
            .weight_capacity(capacity.into())
            .shards(1)
            .build()
            .expect("all three numbers are given");
        let values = quick_cache::sync::Cache::with_options(
            options,
            quick_cache::UnitWeighter,
            quick_cache::DefaultHashBuilder::default(),
            quick_cache::sync::DefaultLifecycle::default(),
        );
        Self { values, capacity, clock, hits: 0.into(), misses: 0.into() }
    }

    /// The value under `key`, if it is there and its time is not over.
    pub(crate) fn find(&self, key: &str) -> Option<Arc<str>> {
        let found = self.values.get(key).filter(|kept| {
            let alive = self.clock.monotonic() < kept.until;
            if !alive {
                self.values.remove(key);
            }
            alive
        });
        if found.is_some() { &self.hits } else { &self.misses }.fetch_add(1, Relaxed);
        found.map(|kept| kept.value)
    }

    /// Keeps `value` for `ttl_ms`.
    pub(crate) fn keep(&self, key: String, value: &str, ttl_ms: u32) {
        let until = self.clock.monotonic().saturating_add(i64::from(ttl_ms));
        self.values.insert(key, Kept { value: value.into(), until });
    }

    /// Forgets `key`; false if it was not there.
    pub(crate) fn forget(&self, key: &str) -> bool {
        self.values.remove(key).is_some_and(|(_, kept)| self.clock.monotonic() < kept.until)
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        self.values.clear();
    }

    /// Gives back what is over, and half of the rest.
    pub(crate) fn shrink(&self) {
        let now = self.clock.monotonic();
        let keep = std::cell::Cell::new(false);
        self.values.retain(|_, kept| {
            keep.set(!keep.get());
            keep.get() && now < kept.until
        });
    }

    pub(crate) fn statistics(&self) -> CacheStatistics {
        let (hits, misses) = (self.hits.load(Relaxed), self.misses.load(Relaxed));
        let asked = f64::from(hits) + f64::from(misses);
        CacheStatistics {
            entries: u32::try_from(self.values.len()).unwrap_or(u32::MAX),
            capacity: self.capacity,
            hits,
            misses,
            hit_rate: if asked > 0.0 { f64::from(hits) / asked } else { 0.0 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::ManualClock, model::UnixMillis};

    fn cache(capacity: u32) -> (Cache, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::at(UnixMillis(0)));
        (Cache::new(capacity, Arc::clone(&clock) as Arc<dyn Clock>), clock)
    }

    #[test]
    fn a_value_lives_as_long_as_it_was_given() {
        let (cache, clock) = cache(10);
        cache.keep("a".into(), "1", 1000);
        clock.advance(999);
        assert_eq!(cache.find("a").as_deref(), Some("1"));
        clock.advance(1);
        assert_eq!(cache.find("a"), None);
        assert_eq!(cache.statistics().entries, 0, "an expired value is gone once it was asked for");
        cache.keep("a".into(), "2", 1000);
        clock.set_wall(UnixMillis(i64::MAX));
        assert_eq!(cache.find("a").as_deref(), Some("2"), "the wall clock does not matter");
    }

    #[test]
    fn a_full_cache_stays_full_and_no_fuller() {
        let (cache, _) = cache(100);
        for key in 0..1000 {
            cache.keep(key.to_string(), "v", 1000);
        }
        assert_eq!(cache.statistics().entries, 100);
        cache.keep("again".into(), "v", 1000);
        cache.keep("again".into(), "w", 1000);
        assert_eq!((cache.find("again").as_deref(), cache.statistics().entries), (Some("w"), 100));
        cache.shrink();
        assert_eq!(cache.statistics().entries, 50);
        cache.clear();
        assert_eq!(cache.statistics().entries, 0);
    }

    #[test]
    fn hits_and_misses_are_counted() {
        let (cache, _) = cache(10);
        assert!(cache.statistics().hit_rate.abs() < f64::EPSILON, "before the first look-up");
        cache.keep("a".into(), "1", 1000);
        for key in ["a", "a", "a", "b"] {
            cache.find(key);
        }
        let statistics = cache.statistics();
        assert_eq!((statistics.hits, statistics.misses), (3, 1));
        assert!((statistics.hit_rate - 0.75).abs() < f64::EPSILON);
        assert!(cache.forget("a") && !cache.forget("a"));
    }
}
