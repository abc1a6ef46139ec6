//! Where everything is kept, as a trait: a database that keeps its promises can stand in for the embedded one.
//!
//! The promises, which `tests/storage_behaviour.rs` holds every implementation to:
//!
//! - What [`Storage::apply`] has answered survives a killed process and a power cut, all of it or none.
//! - Revisions become visible in their order, so that a cursor never skips what was committed late.
//! - A page of changes is one moment's view.

mod cursor;
mod feed;
pub mod sqlite;

use std::{future::Future, pin::Pin};

use safescan_core::{
    model::{QrHash, UnixMillis},
    protocol::{Change, Rating},
};

pub use self::cursor::{Cursor, Epoch};
use crate::{
    error::Result,
    rules::{Account, Applied, Batch},
};

/// A result to wait for.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// What the server asks of a database.
pub trait Storage: Send + Sync + 'static {
    /// Judges a request's operations by [`rules::apply`](crate::rules::apply), in one transaction, and answers once it
    /// is on the disk.
    fn apply(&self, batch: Batch) -> Answer<'_, Applied>;

    /// A page of what changed for an account.
    fn changes(&self, ask: ChangesAsk) -> Answer<'_, ChangesPage>;

    /// The ratings of these codes and hosts, as far as they were ever voted on.
    fn ratings(&self, ask: RatingsAsk) -> Answer<'_, Vec<Rating>>;

    /// A page of the ratings whose hash begins so, in the order of the hashes.
    fn ratings_by_prefix(&self, ask: PrefixAsk) -> Answer<'_, PrefixPage>;

    /// Looks whether the database answers, and how much it holds.
    fn probe(&self) -> Answer<'_, Figures>;

    /// Finishes what was accepted and closes. What is asked later is refused.
    fn stop(&self) -> Answer<'_, ()>;
}

/// Which changes are wanted.
#[derive(Clone, Debug)]
pub struct ChangesAsk {
    /// For whom.
    pub account: Account,
    /// How far changes are known, as the device has it.
    pub cursor: Option<String>,
    /// Beginnings of hashes.
    pub topics: Vec<Prefix>,
    /// Ratings wanted whatever the cursor says.
    pub named: Vec<QrHash>,
    /// Changes wanted at most, besides those named.
    pub limit: usize,
    /// Bytes at most.
    pub max_bytes: usize,
    /// The moment of asking.
    pub now: UnixMillis,
}

/// What changed.
#[derive(Clone, Debug)]
pub struct ChangesPage {
    /// The changes, in the order of their revisions.
    pub changes: Vec<Change>,
    /// How far they reach; `None` if the cursor is none of this database's.
    pub cursor: Option<String>,
    /// Whether there are more.
    pub has_more: bool,
}

/// Which ratings are wanted.
#[derive(Clone, Debug)]
pub struct RatingsAsk {
    /// Whose own registers are told along.
    pub account: Option<Account>,
    /// Of what.
    pub hashes: Vec<QrHash>,
    /// The moment of asking.
    pub now: UnixMillis,
}

/// Which ratings are wanted, by the beginning of their hash.
#[derive(Clone, Debug)]
pub struct PrefixAsk {
    /// Whose own registers are told along.
    pub account: Option<Account>,
    /// The beginning.
    pub prefix: Prefix,
    /// The last one known.
    pub after: Option<QrHash>,
    /// Bytes at most.
    pub max_bytes: usize,
    /// The moment of asking.
    pub now: UnixMillis,
}

/// Ratings by the beginning of their hash.
#[derive(Clone, Debug)]
pub struct PrefixPage {
    /// The ratings.
    pub ratings: Vec<Rating>,
    /// The last one, if there are more.
    pub next: Option<QrHash>,
}

/// How much there is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    /// The last revision.
    pub revision: i64,
    /// Operations remembered over all devices.
    pub remembered: i64,
    /// Bytes in the database's file.
    pub bytes: i64,
    /// Transactions committed since the start, each of which waited for the disk once.
    pub commits: u64,
    /// Batches in them.
    pub batches: u64,
}

/// The beginning of a hash.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Prefix(String);

impl Prefix {
    /// The fewest digits: with less, one look-up would ask for a good part of everything.
    pub const FEWEST_DIGITS: usize = 2;

    /// Reads 2 to 64 hexadecimal digits; anything else is `None`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fits =
            (Self::FEWEST_DIGITS..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        fits.then(|| Self(text.to_ascii_lowercase()))
    }

    /// Its digits, in lower case.
    #[must_use]
    pub fn digits(&self) -> &str {
        &self.0
    }

    /// The first and the last hash that begin so.
    #[must_use]
    pub fn range(&self) -> (QrHash, QrHash) {
        let padded = |digit: char| {
            let text: String = self.0.chars().chain(std::iter::repeat(digit)).take(64).collect();
            QrHash::parse(&text).expect("64 hexadecimal digits")
        };
        (padded('0'), padded('f'))
    }
}

/// Hides the digits.
impl std::fmt::Debug for Prefix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Prefix(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes() {
        let (first, last) = Prefix::parse("9F8").expect("digits").range();
        assert_eq!(first.0[..2], [0x9f, 0x80]);
        assert_eq!(last.0[..2], [0x9f, 0x8f]);
        assert_eq!((first.0[31], last.0[31]), (0, 0xff));
        for bad in ["", "a", "xy", &"a".repeat(65), "é9"] {
            assert!(Prefix::parse(bad).is_none(), "{bad}");
        }
    }
}
