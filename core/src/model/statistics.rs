/// How the cache is doing since the core was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CacheStatistics {
    /// Values in it.
    pub entries: u32,
    /// How many fit.
    pub capacity: u32,
    /// Look-ups that found a value.
    pub hits: u32,
    /// Look-ups that did not.
    pub misses: u32,
    /// Share of hits; 0 before the first look-up.
    pub hit_rate: f64,
}

/// Counts over everything stored on this device.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Statistics {
    /// Scans in the history.
    pub scans: u32,
    /// Standing votes.
    pub votes: u32,
    /// Codes with at least one standing vote.
    pub rated_codes: u32,
    /// Votes for safe ever cast on this device, whatever became of them.
    pub lifetime_safe_votes: u32,
    /// Votes for unsafe ever cast on this device, whatever became of them.
    pub lifetime_unsafe_votes: u32,
    /// Entries in the key-value store.
    pub kv_entries: u32,
    /// Changes that wait to be sent.
    pub pending_operations: u32,
    /// The cache.
    pub cache: CacheStatistics,
}
