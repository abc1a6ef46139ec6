use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use super::Context;
use crate::{
    error::{Error, Problem, Result},
    limits::MAX_PAGE,
    model::{CodeRef, Event, QrHash, Rating, RatingSource, UnixMillis, VoterId},
    storage::{
        Connection, Transaction,
        snapshots::Snapshot,
        subjects::{self, Subject},
        votes,
    },
    voting::{Score, Weights},
};

/// Ratings kept in memory, for those who cannot wait and for times when the storage cannot be read.
const SEEN: usize = 1_000;
/// Codes that may be watched at a time: more than any screen shows, little enough to check at every vote.
const MAX_WATCHED: usize = 1_000;

/// What the community thinks of codes.
#[derive(Clone)]
pub struct Ratings {
    context: Arc<Context>,
    seen: Arc<quick_cache::sync::Cache<QrHash, Snapshot>>,
    watched: Watched,
}

/// Remembers changed ratings, and tells those who watch them, once the change is committed.
pub(crate) struct Announcer {
    /// The installation's own person.
    own: VoterId,
    watched: Watched,
}

/// The codes whose changes are announced.
#[derive(Clone, Default)]
struct Watched(Arc<Mutex<HashMap<QrHash, u32>>>);

impl Ratings {
    pub(crate) fn new(context: Arc<Context>) -> Self {
        Self { context, seen: Arc::new(quick_cache::sync::Cache::new(SEEN)), watched: Watched::default() }
    }

    /// The rating of a code at this moment, as good as it can be had.
    ///
    /// # Errors
    /// Invalid input, or the core was shut down.
    pub async fn rating(&self, code: CodeRef) -> Result<Rating> {
        let mut ratings = self.ratings(vec![code]).await?;
        ratings.pop().ok_or(Error::Unexpected { what: "one code went in and no rating came out" })
    }

    /// The ratings of codes, in the same order.
    ///
    /// # Errors
    /// Invalid input, or the core was shut down.
    pub async fn ratings(&self, codes: Vec<CodeRef>) -> Result<Vec<Rating>> {
        if codes.len() > MAX_PAGE as usize {
            return Err(Error::invalid("codes", Problem::TooLong { limit: MAX_PAGE.into(), unit: "items" }));
        }
        let subjects = codes.iter().map(|code| self.known_subject(code)).collect::<Result<Vec<_>>>()?;
        let now = self.context.now();
        let own = self.context.person(None)?;
        let wanted: Vec<QrHash> = subjects.iter().map(|(hash, _)| *hash).collect();
        let looked_up = self.context.read(move |connection| look_up(connection, &wanted, &own, now)).await;
        let found = match looked_up {
            Ok(found) => {
                self.keep_settled(&found, now);
                found.into_iter().map(|found| found.map(|found| found.snapshot)).collect()
            }
            Err(Error::Stopped) => return Err(Error::Stopped),
            Err(_) => return Ok(self.degraded(subjects, now).await),
        };
        let rate = |((hash, host), found): ((QrHash, Option<QrHash>), Option<Snapshot>)| match found {
            Some(snapshot) => self.live(Snapshot { host_hash: snapshot.host_hash.or(host), ..snapshot }, now),
            None => neutral(hash, host),
        };
        Ok(subjects.into_iter().zip::<Vec<_>>(found).map(rate).collect())
    }

    /// The rating last seen in this process, for this moment.
    ///
    /// # Errors
    /// Invalid input.
    pub fn cached(&self, code: &CodeRef) -> Result<Option<Rating>> {
        let (hash, _) = self.known_subject(code)?;
        Ok(self.seen.get(&hash).map(|snapshot| known(&snapshot, self.context.now())))
    }

    /// Announces changes of these codes' ratings.
    ///
    /// # Errors
    /// Invalid input.
    pub fn watch(&self, codes: &[CodeRef]) -> Result<()> {
        let hashes = codes.iter().map(|code| self.known_subject(code)).collect::<Result<Vec<_>>>()?;
        let mut watched = self.watched.lock();
        let new = hashes.iter().filter(|(hash, _)| !watched.contains_key(hash)).count();
        if watched.len() + new > MAX_WATCHED {
            return Err(Error::invalid("codes", Problem::TooLong { limit: MAX_WATCHED as u64, unit: "watched codes" }));
        }
        for (hash, _) in hashes {
            *watched.entry(hash).or_default() += 1;
        }
        Ok(())
    }

    /// Takes a `watch` back.
    ///
    /// # Errors
    /// Invalid input.
    pub fn unwatch(&self, codes: &[CodeRef]) -> Result<()> {
        let hashes = codes.iter().map(|code| self.known_subject(code)).collect::<Result<Vec<_>>>()?;
        let mut watched = self.watched.lock();
        for (hash, _) in hashes {
            match watched.get_mut(&hash) {
                Some(1) => drop(watched.remove(&hash)),
                Some(count) => *count -= 1,
                None => {}
            }
        }
        Ok(())
    }

    /// Tells of changed ratings from within a transaction.
    pub(crate) fn announcer(&self) -> Result<Announcer> {
        Ok(Announcer { own: self.context.person(None)?, watched: self.watched.clone() })
    }

    /// A rating straight from the votes; remembered.
    pub(crate) fn live(&self, snapshot: Snapshot, now: UnixMillis) -> Rating {
        let rating = live(&snapshot, now);
        self.seen.insert(snapshot.hash, snapshot);
        rating
    }

    /// Forgets everything that was seen.
    pub(crate) fn forget_all(&self) {
        self.seen.clear();
    }

    /// Hash and host. A private code has no rating, and none is looked for: its hash is not even asked about.
    fn known_subject(&self, code: &CodeRef) -> Result<(QrHash, Option<QrHash>)> {
        match self.context.subject(code)? {
            Ok(subject) => Ok((subject.hash, subject.host_hash)),
            Err(_) => match code {
                CodeRef::Text { text } => Ok((crate::qr::hash_text(text), None)),
                CodeRef::Hash { qr_hash } => Ok((*qr_hash, None)),
            },
        }
    }

    /// Stores what votes the line has passed over, so that nobody has to look at them again.
    fn keep_settled(&self, found: &[Option<Found>], now: UnixMillis) {
        for found in found.iter().flatten().filter(|found| found.moved) {
            let (hash, host) = (found.snapshot.hash, found.snapshot.host_hash);
            self.context.store.write_if_idle(move |tx| settle_and_save(tx, hash, host, now));
        }
    }

    /// Ratings while the votes cannot be read: from memory, else from the cache, else neutral.
    async fn degraded(&self, subjects: Vec<(QrHash, Option<QrHash>)>, now: UnixMillis) -> Vec<Rating> {
        let missing: Vec<QrHash> =
            subjects.iter().map(|(hash, _)| *hash).filter(|hash| self.seen.get(hash).is_none()).collect();
        let remembered = self.context.store.remembered(missing).await.unwrap_or_default();
        for snapshot in remembered.into_iter().flatten() {
            self.seen.insert(snapshot.hash, snapshot);
        }
        subjects
            .into_iter()
            .map(|(hash, host)| self.seen.get(&hash).map_or_else(|| neutral(hash, host), |seen| known(&seen, now)))
            .collect()
    }
}

impl Announcer {
    pub(crate) fn announce(&self, tx: &mut Transaction<'_>, subject: &Subject) -> Result<Snapshot> {
        let snapshot = self.snapshot(tx, subject)?;
        tx.state.snapshots.push(snapshot.clone());
        if self.watched.contains(&subject.hash) {
            tx.emit(Event::RatingChanged { rating: live(&snapshot, tx.now()) });
        }
        Ok(snapshot)
    }

    /// How a subject stands.
    pub(crate) fn snapshot(&self, tx: &Transaction<'_>, subject: &Subject) -> Result<Snapshot> {
        snapshot(tx.connection, subject, &self.own)
    }
}

impl Watched {
    fn contains(&self, hash: &QrHash) -> bool {
        self.lock().contains_key(hash)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<QrHash, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Found {
    snapshot: Snapshot,
    /// Whether votes had to change drawers since the sums were stored.
    moved: bool,
}

fn look_up(connection: &Connection, hashes: &[QrHash], own: &VoterId, now: UnixMillis) -> Result<Vec<Option<Found>>> {
    hashes
        .iter()
        .map(|hash| {
            let Some(mut subject) = subjects::find(connection, hash)? else { return Ok(None) };
            let moved = subjects::settle(connection, &mut subject, now)?;
            Ok(Some(Found { snapshot: snapshot(connection, &subject, own)?, moved }))
        })
        .collect()
}

fn settle_and_save(tx: &mut Transaction<'_>, hash: QrHash, host: Option<QrHash>, now: UnixMillis) -> Result<()> {
    let mut subject = tx.subject(hash, host)?;
    if subjects::settle(tx.connection, &mut subject, now)? {
        tx.save_subject(&subject)?;
    }
    Ok(())
}

/// What is known of a subject, with the own vote on it.
fn snapshot(connection: &Connection, subject: &Subject, own: &VoterId) -> Result<Snapshot> {
    let own = votes::find(connection, subject.id, own)?.and_then(|(_, register)| register);
    Ok(Snapshot {
        hash: subject.hash,
        host_hash: subject.host_hash,
        tally: subject.tally,
        own_choice: own.and_then(|register| register.choice),
    })
}

/// The rating from sums that were settled for `now`.
fn live(snapshot: &Snapshot, now: UnixMillis) -> Rating {
    if snapshot.tally.count() == 0 {
        return neutral(snapshot.hash, snapshot.host_hash);
    }
    rated(snapshot, snapshot.tally.weights(now), RatingSource::Live)
}

/// The rating from sums that nobody can settle.
fn known(snapshot: &Snapshot, now: UnixMillis) -> Rating {
    if snapshot.tally.count() == 0 {
        return neutral(snapshot.hash, snapshot.host_hash);
    }
    let known = snapshot.tally.weights_as_known(now);
    rated(snapshot, known.weights, if known.exact { RatingSource::Cached } else { RatingSource::Stale })
}

fn neutral(hash: QrHash, host_hash: Option<QrHash>) -> Rating {
    rated(&Snapshot::empty(hash, host_hash), Weights::default(), RatingSource::Neutral)
}

fn rated(snapshot: &Snapshot, weights: Weights, source: RatingSource) -> Rating {
    let tally = &snapshot.tally;
    let score = Score::new(weights, tally.count());
    Rating {
        qr_hash: snapshot.hash,
        safe_votes: tally.safe.count,
        unsafe_votes: tally.unsafe_.count,
        total_votes: tally.count(),
        confidence: score.confidence,
        lower: score.lower,
        upper: score.upper,
        effective_votes: score.effective_votes,
        assessment: score.assessment,
        source,
        last_updated: tally.newest,
        own_vote: snapshot.own_choice,
        host_hash: snapshot.host_hash,
    }
}
