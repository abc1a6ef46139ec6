//! The codes whose changes are told.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::cloud::topic;
use crate::{
    error::{Error, Problem, Result},
    model::{Event, QrHash},
};

/// Codes that may be watched at a time: more than any screen shows, little enough to check at every vote.
const MAX_WATCHED: usize = 1_000;

/// How many watch each code.
#[derive(Clone, Default)]
pub(crate) struct Watched(Arc<Mutex<BTreeMap<QrHash, u32>>>);

impl Watched {
    /// Counts one more for each.
    pub(super) fn add(&self, hashes: &[QrHash]) -> Result<()> {
        let mut watched = self.lock();
        let new = hashes.iter().filter(|hash| !watched.contains_key(hash)).count();
        if watched.len() + new > MAX_WATCHED {
            return Err(Error::invalid("codes", Problem::TooLong { limit: MAX_WATCHED as u64, unit: "watched codes" }));
        }
        for hash in hashes {
            *watched.entry(*hash).or_default() += 1;
        }
        Ok(())
    }

    /// Counts one less for each that is watched.
    pub(super) fn remove(&self, hashes: &[QrHash]) {
        let mut watched = self.lock();
        for hash in hashes {
            match watched.get_mut(hash) {
                Some(1) => drop(watched.remove(hash)),
                Some(count) => *count -= 1,
                None => {}
            }
        }
    }

    pub(super) fn contains(&self, hash: &QrHash) -> bool {
        self.lock().contains_key(hash)
    }

    /// The beginnings of all hashes.
    pub(super) fn topics(&self) -> BTreeSet<String> {
        self.lock().keys().map(topic).collect()
    }

    /// Whether anybody wants to be told of this. Asked after the commit: whoever watches a code and then reads its rating
    /// either finds a change there or is told of it, even of one that was being committed meanwhile.
    pub(crate) fn wants(&self, event: &Event) -> bool {
        match event {
            Event::RatingChanged { rating } => self.contains(&rating.qr_hash),
            _ => true,
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<QrHash, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: QrHash = QrHash([7; 32]);

    #[test]
    fn watching_is_counted() {
        let watched = Watched::default();
        watched.add(&[CODE]).unwrap();
        watched.add(&[CODE]).unwrap();
        watched.remove(&[CODE]);
        assert!(watched.contains(&CODE));
        watched.remove(&[CODE]);
        watched.remove(&[CODE]);
        assert!(!watched.contains(&CODE));
        assert!(watched.topics().is_empty());
    }

    #[test]
    fn a_thousand_codes_are_watched_at_a_time() {
        let watched = Watched::default();
        let codes: Vec<QrHash> =
            (0..=MAX_WATCHED as u64).map(|code| QrHash(std::array::from_fn(|at| code.to_be_bytes()[at % 8]))).collect();
        watched.add(&codes[1..]).unwrap();
        watched.add(&codes[1..]).unwrap();
        assert!(watched.add(&codes[..1]).is_err());
    }
}
