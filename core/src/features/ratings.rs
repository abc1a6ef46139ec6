use std::{collections::BTreeSet, sync::Arc};

use super::{Context, SeenRatings, Watched};
use crate::{
    error::{Error, Problem, Result},
    limits::MAX_PAGE,
    model::{CodeRef, Event, QrHash, Rating, RatingSource, UnixMillis, VoterId},
    storage::{Connection, Transaction, community::Community, dispatch, snapshots::Snapshot, subjects, votes},
    voting::{Ballot, Reputation, Score, Tally, Weights},
};

/// What the community thinks of codes.
#[derive(Clone)]
pub struct Ratings {
    context: Arc<Context>,
    seen: Arc<SeenRatings>,
    watched: Watched,
}

/// Has changed ratings remembered, and those told who watch them, once the change is committed.
pub(crate) struct Announcer {
    /// The installation's own person.
    own: VoterId,
    ratings: Ratings,
}

impl Ratings {
    pub(crate) fn new(context: Arc<Context>, seen: Arc<SeenRatings>, watched: Watched) -> Self {
        Self { context, seen, watched }
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
        let public: Vec<QrHash> =
            subjects.iter().filter(|subject| !subject.private).map(|subject| subject.hash).collect();
        self.context.recall(&public).await;
        self.context.look_up(&public).await;
        self.known(subjects).await
    }

    /// The ratings of codes as far as they are known here.
    async fn known(&self, subjects: Vec<Subject>) -> Result<Vec<Rating>> {
        let now = self.context.time();
        let own = self.context.person(None)?;
        let wanted: Vec<QrHash> = subjects.iter().map(|subject| subject.hash).collect();
        let shared = self.context.cloud.is_some();
        let looked_up = self.context.read(move |connection| look_up(connection, &wanted, &own, now, shared)).await;
        let found = match looked_up {
            Ok(found) => {
                self.keep_settled(&found, now);
                found.into_iter().map(|found| found.map(|found| found.snapshot)).collect()
            }
            Err(Error::Stopped) => return Err(Error::Stopped),
            Err(_) => return Ok(self.degraded(subjects, now).await),
        };
        let rate = |(subject, found): (Subject, Option<Snapshot>)| {
            let nothing_here = found.is_none();
            let snapshot = found.unwrap_or_else(|| Snapshot::empty(subject.hash, None));
            let snapshot = Snapshot { host_hash: snapshot.host_hash.or(subject.host_hash), ..snapshot };
            if nothing_here && self.of_server(&snapshot, now).is_none() {
                return neutral(&snapshot);
            }
            self.seen.read(&snapshot);
            self.shown(&snapshot, now)
        };
        Ok(subjects.into_iter().zip::<Vec<_>>(found).map(rate).collect())
    }

    /// Tells those who watch these codes how they stand now.
    pub(crate) async fn announce(&self, hashes: &[QrHash]) -> Result<()> {
        let subject = |hash: &QrHash| Subject { hash: *hash, host_hash: None, private: false };
        let watched: Vec<Subject> = hashes.iter().filter(|hash| self.watched.contains(hash)).map(subject).collect();
        if watched.is_empty() {
            return Ok(());
        }
        for rating in self.known(watched).await? {
            self.context.observer.happened(Event::RatingChanged { rating });
        }
        Ok(())
    }

    /// The beginnings of all watched hashes.
    pub(crate) fn topics(&self) -> BTreeSet<String> {
        self.watched.topics()
    }

    /// The rating last seen in this process, for this moment.
    ///
    /// # Errors
    /// Invalid input.
    pub fn cached(&self, code: &CodeRef) -> Result<Option<Rating>> {
        let hash = self.known_subject(code)?.hash;
        let now = self.context.time();
        Ok(self.seen.of(&hash).map(|snapshot| self.of_server(&snapshot, now).unwrap_or_else(|| known(&snapshot, now))))
    }

    /// Announces changes of these codes' ratings.
    ///
    /// # Errors
    /// Invalid input.
    pub fn watch(&self, codes: &[CodeRef]) -> Result<()> {
        self.watched.add(&self.watchable(codes)?)?;
        self.watch_live();
        Ok(())
    }

    /// Takes a `watch` back.
    ///
    /// # Errors
    /// Invalid input.
    pub fn unwatch(&self, codes: &[CodeRef]) -> Result<()> {
        self.watched.remove(&self.watchable(codes)?);
        self.watch_live();
        Ok(())
    }

    /// The hashes of these codes but for private ones, whose ratings never change: the server is not to hear of them.
    fn watchable(&self, codes: &[CodeRef]) -> Result<Vec<QrHash>> {
        let subjects = codes.iter().map(|code| self.known_subject(code)).collect::<Result<Vec<_>>>()?;
        Ok(subjects.into_iter().filter(|subject| !subject.private).map(|subject| subject.hash).collect())
    }

    /// Has the server tell of changes as well.
    fn watch_live(&self) {
        if let Some(cloud) = &self.context.cloud {
            cloud.watch(self.topics());
        }
    }

    /// Tells of changed ratings from within a transaction.
    pub(crate) fn announcer(&self) -> Result<Announcer> {
        Ok(Announcer { own: self.context.person(None)?, ratings: self.clone() })
    }

    /// The server's sums with this device's waiting votes, else this device's votes alone.
    pub(crate) fn shown(&self, snapshot: &Snapshot, now: UnixMillis) -> Rating {
        match (self.of_server(snapshot, now), self.context.cloud.is_some()) {
            (Some(rating), _) => rating,
            (None, false) => live(snapshot, now),
            // Others may have voted, who are not known yet.
            (None, true) => {
                Rating { source: RatingSource::Cached.max(live(snapshot, now).source), ..live(snapshot, now) }
            }
        }
    }

    /// The rating from what the server last said, if it said anything.
    fn of_server(&self, snapshot: &Snapshot, now: UnixMillis) -> Option<Rating> {
        let cloud = self.context.cloud.as_ref()?;
        let community = cloud.remembered(&snapshot.hash)?;
        let fresh = cloud.is_fresh(&snapshot.hash, self.context.clock.monotonic());
        let tally = overlaid(&community, &snapshot.waiting);
        let together = Snapshot { tally, ..snapshot.clone() };
        if tally.count() == 0 {
            return Some(neutral(&together));
        }
        let known = tally.weights_as_known(now);
        let source = match (known.exact, fresh) {
            (false, _) => RatingSource::Stale,
            (true, true) => RatingSource::Live,
            (true, false) => RatingSource::Cached,
        };
        Some(rated(&together, known.weights, source))
    }

    /// Forgets everything that was seen.
    pub(crate) fn forget_all(&self) {
        self.seen.forget_all();
    }

    /// Hash and host. A private code has no rating, and none is looked for: its hash is not even asked about.
    fn known_subject(&self, code: &CodeRef) -> Result<Subject> {
        match self.context.subject(code)? {
            Ok(subject) => Ok(Subject { hash: subject.hash, host_hash: subject.host_hash, private: false }),
            Err(_) => {
                let hash = match code {
                    CodeRef::Text { text } => crate::qr::hash_text(text),
                    CodeRef::Hash { qr_hash } => *qr_hash,
                };
                Ok(Subject { hash, host_hash: None, private: true })
            }
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
    async fn degraded(&self, subjects: Vec<Subject>, now: UnixMillis) -> Vec<Rating> {
        let missing: Vec<QrHash> =
            subjects.iter().map(|subject| subject.hash).filter(|hash| self.seen.of(hash).is_none()).collect();
        let remembered = self.context.store.remembered(missing).await.unwrap_or_default();
        for snapshot in remembered.into_iter().flatten() {
            self.seen.read(&snapshot);
        }
        subjects
            .into_iter()
            .map(|subject| match self.seen.of(&subject.hash) {
                Some(seen) => self.of_server(&seen, now).unwrap_or_else(|| known(&seen, now)),
                None => {
                    let nothing = Snapshot::empty(subject.hash, subject.host_hash);
                    self.of_server(&nothing, now).unwrap_or_else(|| neutral(&nothing))
                }
            })
            .collect()
    }
}

impl Announcer {
    pub(crate) fn announce(&self, tx: &mut Transaction<'_>, subject: &subjects::Subject) -> Result<Snapshot> {
        let snapshot = self.snapshot(tx, subject)?;
        tx.state.snapshots.push(snapshot.clone());
        // Told if anybody watches the code by then.
        let rating = self.ratings.shown(&snapshot, self.ratings.context.time());
        tx.emit(Event::RatingChanged { rating });
        Ok(snapshot)
    }

    /// How a subject stands.
    pub(crate) fn snapshot(&self, tx: &Transaction<'_>, subject: &subjects::Subject) -> Result<Snapshot> {
        snapshot(tx.connection, subject, &self.own, self.ratings.context.cloud.is_some())
    }
}

/// Whose rating is wanted.
struct Subject {
    hash: QrHash,
    host_hash: Option<QrHash>,
    /// Nobody else is asked about it.
    private: bool,
}

struct Found {
    snapshot: Snapshot,
    /// Whether votes had to change drawers since the sums were stored.
    moved: bool,
}

fn look_up(
    connection: &Connection,
    hashes: &[QrHash],
    own: &VoterId,
    now: UnixMillis,
    shared: bool,
) -> Result<Vec<Option<Found>>> {
    hashes
        .iter()
        .map(|hash| {
            let Some(mut subject) = subjects::find(connection, hash)? else { return Ok(None) };
            let moved = subjects::settle(connection, &mut subject, now)?;
            Ok(Some(Found { snapshot: snapshot(connection, &subject, own, shared)?, moved }))
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

/// What is known of a subject, with the own vote on it and, if votes are `shared`, those that wait to be.
fn snapshot(connection: &Connection, subject: &subjects::Subject, own: &VoterId, shared: bool) -> Result<Snapshot> {
    let register =
        |person: &VoterId| votes::find(connection, subject.id, person).map(|found| found.and_then(|(_, it)| it));
    let mut waiting = Vec::new();
    if shared {
        for change in dispatch::waiting_on(connection, &subject.hash)? {
            let standing = register(&change.names.person)?;
            waiting.push((change.voter, standing.and_then(|register| register.ballot())));
        }
    }
    Ok(Snapshot {
        hash: subject.hash,
        host_hash: subject.host_hash,
        tally: subject.tally,
        own_choice: register(own)?.and_then(|register| register.choice),
        waiting,
    })
}

/// The server's sums with the votes in the place of those that they take the place of.
fn overlaid(community: &Community, waiting: &[(VoterId, Option<Ballot>)]) -> Tally {
    let mut tally = community.tally;
    for (voter, standing) in waiting {
        let counted = community.own.iter().find(|own| own.voter == *voter);
        if let Some((choice, at)) = counted.and_then(|own| own.vote.zip(Some(own.at))) {
            tally.remove(&Ballot { choice, at, reputation: Reputation::NEUTRAL });
        }
        if let Some(ballot) = standing {
            // It must not weigh more than a fresh vote at the last moment that can be computed.
            let at = tally.exact_until.map_or(ballot.at, |until| until.min(ballot.at));
            tally.add(&Ballot { at, reputation: Reputation::NEUTRAL, ..*ballot });
        }
    }
    tally
}

/// The rating from sums that were settled for `now`.
fn live(snapshot: &Snapshot, now: UnixMillis) -> Rating {
    if snapshot.tally.count() == 0 {
        return neutral(snapshot);
    }
    rated(snapshot, snapshot.tally.weights(now), RatingSource::Live)
}

/// The rating from sums that nobody can settle.
fn known(snapshot: &Snapshot, now: UnixMillis) -> Rating {
    if snapshot.tally.count() == 0 {
        return neutral(snapshot);
    }
    let known = snapshot.tally.weights_as_known(now);
    rated(snapshot, known.weights, if known.exact { RatingSource::Cached } else { RatingSource::Stale })
}

fn neutral(snapshot: &Snapshot) -> Rating {
    rated(snapshot, Weights::default(), RatingSource::Neutral)
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
