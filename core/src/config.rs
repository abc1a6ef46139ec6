//! How a core is to work: a plain record. Only the directory must be given; every other default is a constant here that
//! says why it is what it is.

mod sync;

use std::path::Path;

pub use self::sync::SyncConfig;
use crate::{
    error::{Error, Problem, Result},
    limits::{check_name, check_range},
    model::{ByteCount, QrKind},
    qr,
};

/// Room for the content of all stores: about a million scans of web links, and little beside the pictures on a phone.
pub const DEFAULT_MAX_STORAGE: ByteCount = ByteCount(256 * 1024 * 1024);
/// Share of the quota at which eviction begins; it ends at [`EVICTION_GOAL`]. Early enough that a burst still fits.
pub const DEFAULT_CLEANUP_THRESHOLD: f64 = 0.8;
/// Share of the quota down to which is evicted, so that eviction is rare.
pub const EVICTION_GOAL: f64 = 0.7;
/// Smallest quota: below it not even one page of history and the votes of a day fit.
pub const MIN_STORAGE: ByteCount = ByteCount(16 * 1024);
/// Votes a minute: faster than anybody can scan and think.
pub const DEFAULT_VOTES_PER_MINUTE: u32 = 10;
/// Values in the cache: at a few hundred bytes each, well under a megabyte.
pub const DEFAULT_CACHE_CAPACITY: u32 = 1_000;
/// How long a cached value is good for if nothing else is said: five minutes, long enough for a visit to a screen.
pub const DEFAULT_CACHE_TTL_MS: u32 = 5 * 60 * 1000;
/// The largest cache that may be configured.
pub const MAX_CACHE_CAPACITY: u32 = 1_000_000;

/// How a core is to work.
#[derive(Clone, PartialEq)]
pub struct Config {
    /// Where the databases lie. Made if missing; belongs to the core alone.
    pub directory: String,
    /// 32 secret bytes that make voters anonymous; made and kept in the database if not given.
    pub identity_key: Option<Vec<u8>>,
    /// Gives every vote a voter id of its own, so that nobody can tell that two votes are one person's.
    pub unlinkable_votes: bool,
    /// Which kinds of codes are voted on; web links if not given.
    pub votable_kinds: Option<Vec<QrKind>>,
    /// Quota for the content of all stores; [`DEFAULT_MAX_STORAGE`] if not given.
    pub max_storage: Option<ByteCount>,
    /// Share of the quota at which eviction begins; [`DEFAULT_CLEANUP_THRESHOLD`] if not given.
    pub cleanup_threshold: Option<f64>,
    /// Votes a minute and voter; [`DEFAULT_VOTES_PER_MINUTE`] if not given.
    pub votes_per_minute: Option<u32>,
    /// Values in the cache; [`DEFAULT_CACHE_CAPACITY`] if not given.
    pub cache_capacity: Option<u32>,
    /// How long a cached value is good for if nothing else is said; [`DEFAULT_CACHE_TTL_MS`] if not given.
    pub cache_ttl_ms: Option<u32>,
    /// Whether and how changes are sent to a server; not at all if not given.
    pub sync: Option<SyncConfig>,
}

impl Config {
    /// The defaults, with the databases in `directory`.
    #[must_use]
    pub fn new(directory: impl Into<String>) -> Self {
        Self {
            directory: directory.into(),
            identity_key: None,
            unlinkable_votes: false,
            votable_kinds: None,
            max_storage: None,
            cleanup_threshold: None,
            votes_per_minute: None,
            cache_capacity: None,
            cache_ttl_ms: None,
            sync: None,
        }
    }

    /// The quota in force.
    #[must_use]
    pub fn max_storage(&self) -> ByteCount {
        self.max_storage.unwrap_or(DEFAULT_MAX_STORAGE)
    }

    /// The share of the quota in force at which eviction begins.
    #[must_use]
    pub fn cleanup_threshold(&self) -> f64 {
        self.cleanup_threshold.unwrap_or(DEFAULT_CLEANUP_THRESHOLD)
    }

    /// The votes in force that a voter may cast in a minute.
    #[must_use]
    pub fn votes_per_minute(&self) -> u32 {
        self.votes_per_minute.unwrap_or(DEFAULT_VOTES_PER_MINUTE)
    }

    /// The cache's capacity in force.
    #[must_use]
    pub fn cache_capacity(&self) -> u32 {
        self.cache_capacity.unwrap_or(DEFAULT_CACHE_CAPACITY)
    }

    /// The life in force of a cached value.
    #[must_use]
    pub fn cache_ttl_ms(&self) -> u32 {
        self.cache_ttl_ms.unwrap_or(DEFAULT_CACHE_TTL_MS)
    }

    /// The kinds in force that are voted on.
    #[must_use]
    pub fn votable_kinds(&self) -> &[QrKind] {
        self.votable_kinds.as_deref().unwrap_or(&qr::DEFAULT_VOTABLE)
    }

    /// Names the first field that cannot be taken.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub fn validate(&self) -> Result<()> {
        check_name("directory", &self.directory, 4096)?;
        if !Path::new(&self.directory).is_absolute() {
            return Err(Error::invalid("directory", Problem::Is("is not an absolute path")));
        }
        if self.identity_key.as_ref().is_some_and(|key| key.len() != 32) {
            return Err(Error::invalid("identity_key", Problem::Is("does not have 32 bytes")));
        }
        if self.votable_kinds.as_ref().is_some_and(|kinds| qr::validate_votable(kinds).is_err()) {
            return Err(Error::invalid("votable_kinds", Problem::Is("names a kind whose content is private")));
        }
        check_range("max_storage", self.max_storage().0, MIN_STORAGE.0, i64::MAX / 2)?;
        if !(EVICTION_GOAL..=1.0).contains(&self.cleanup_threshold()) {
            return Err(Error::invalid("cleanup_threshold", Problem::Is("is not between 0.7 and 1")));
        }
        check_range("votes_per_minute", self.votes_per_minute().into(), 1, 10_000)?;
        check_range("cache_capacity", self.cache_capacity().into(), 1, MAX_CACHE_CAPACITY.into())?;
        check_range("cache_ttl_ms", self.cache_ttl_ms().into(), 1, u32::MAX.into())?;
        self.sync.as_ref().map_or(Ok(()), SyncConfig::validate)
    }
}

/// Hides the key, and the directory, which may hold a user's name.
impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config").field("max_storage", &self.max_storage()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offending(change: impl FnOnce(&mut Config)) -> Option<&'static str> {
        let mut config = Config::new("/data");
        change(&mut config);
        match config.validate() {
            Ok(()) => None,
            Err(Error::Invalid { field, .. }) => Some(field),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn the_offending_field_is_named() {
        assert_eq!(offending(|_| ()), None);
        assert_eq!(offending(|c| c.directory.clear()), Some("directory"));
        assert_eq!(offending(|c| c.directory = "relative".into()), Some("directory"));
        assert_eq!(offending(|c| c.identity_key = Some(vec![1; 31])), Some("identity_key"));
        assert_eq!(offending(|c| c.votable_kinds = Some(vec![QrKind::Otp])), Some("votable_kinds"));
        assert_eq!(offending(|c| c.max_storage = Some(ByteCount(-1))), Some("max_storage"));
        assert_eq!(offending(|c| c.cleanup_threshold = Some(f64::NAN)), Some("cleanup_threshold"));
        assert_eq!(offending(|c| c.votes_per_minute = Some(0)), Some("votes_per_minute"));
        assert_eq!(offending(|c| c.cache_capacity = Some(0)), Some("cache_capacity"));
        assert_eq!(offending(|c| c.sync = Some(SyncConfig::new("http://api.example"))), Some("base_url"));
    }
}
