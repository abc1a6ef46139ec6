use super::SafeScan;
use crate::{error::SafeScanError, model::CacheStatistics};

/// How the cache is doing since the core was opened.
#[uniffi::remote(Record)]
pub struct CacheStatistics {
    /// Values in it.
    pub entries: u32,
    /// How many fit.
    pub capacity: u32,
    /// Look-ups that found a value.
    pub hits: u32,
    /// Look-ups that did not.
    pub misses: u32,
    /// Share of hits, from 0 to 1; 0 before the first look-up.
    pub hit_rate: f64,
}

/// Values in memory for a while: gone after a restart, never waiting for the disk.
#[uniffi::export]
impl SafeScan {
    /// The value under `key`, if it is there and its time is not over. From memory: never waits for the disk.
    pub fn cache_get(&self, key: String) -> Result<Option<String>, SafeScanError> {
        self.now(|core| core.cache_get(&key))
    }

    /// Keeps `value` (up to 16 MiB) in memory under `key` (1 byte to 1 KiB) for `ttl_ms` milliseconds, or for the time that
    /// the configuration says. It is gone after a restart. When the cache is full, a value that was little used gives way.
    #[uniffi::method(default(ttl_ms = None))]
    pub fn cache_set(&self, key: String, value: String, ttl_ms: Option<u32>) -> Result<(), SafeScanError> {
        self.now(|core| core.cache_set(key, value, ttl_ms))
    }

    /// Forgets what the cache holds under `key`; false if that is nothing.
    pub fn cache_remove(&self, key: String) -> Result<bool, SafeScanError> {
        self.now(|core| core.cache_remove(&key))
    }

    /// Forgets everything that the cache holds.
    pub fn cache_clear(&self) -> Result<(), SafeScanError> {
        self.now(|core| core.cache_clear())
    }

    /// How the cache is doing: entries, hits, misses.
    pub fn cache_statistics(&self) -> Result<CacheStatistics, SafeScanError> {
        self.now(|core| core.cache_statistics())
    }
}
