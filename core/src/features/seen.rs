//! Ratings kept in memory, for those who cannot wait and for times when the storage cannot be read.

use crate::{model::QrHash, storage::snapshots::Snapshot};

/// Codes that are kept: some hundred kilobytes.
const SEEN: usize = 1_000;

/// What was last seen of codes. Commits write here in their order, and before anybody is told of them: whoever hears that
/// a rating changed finds the new one.
pub(crate) struct SeenRatings(quick_cache::sync::Cache<QrHash, Snapshot>);

impl Default for SeenRatings {
    fn default() -> Self {
        Self(quick_cache::sync::Cache::new(SEEN))
    }
}

impl SeenRatings {
    /// What is known of a code, if it was seen.
    pub(super) fn of(&self, hash: &QrHash) -> Option<Snapshot> {
        self.0.get(hash)
    }

    /// A commit made these ratings.
    pub(crate) fn changed(&self, ratings: &[Snapshot]) {
        for rating in ratings {
            self.0.insert(rating.hash, rating.clone());
        }
    }

    /// This was read, perhaps before a commit that was quicker: what a commit wrote here stays, unless it was settled for
    /// an earlier time.
    pub(super) fn read(&self, rating: &Snapshot) {
        let known = self.0.get(&rating.hash);
        if known.is_none_or(|known| known.tally.watermark < rating.tally.watermark) {
            self.0.insert(rating.hash, rating.clone());
        }
    }

    /// Forgets everything.
    pub(super) fn forget_all(&self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{UnixMillis, VoteChoice},
        voting::{Ballot, Reputation},
    };

    fn rating(votes: i64, watermark: i64) -> Snapshot {
        let mut rating = Snapshot::empty(QrHash([7; 32]), None);
        rating.tally.set_watermark(UnixMillis(watermark));
        for at in 0..votes {
            let at = UnixMillis(at);
            rating.tally.add(&Ballot { choice: VoteChoice::Safe, at, reputation: Reputation::NEUTRAL });
        }
        rating
    }

    #[test]
    fn a_slow_reading_does_not_undo_a_commit() {
        let seen = SeenRatings::default();
        seen.changed(&[rating(2, 100)]);
        seen.read(&rating(1, 100));
        assert_eq!(seen.of(&QrHash([7; 32])), Some(rating(2, 100)));
        seen.read(&rating(2, 200));
        assert_eq!(seen.of(&QrHash([7; 32])), Some(rating(2, 200)), "settled for a later time");
        seen.changed(&[rating(3, 150)]);
        assert_eq!(seen.of(&QrHash([7; 32])), Some(rating(3, 150)));
    }
}
