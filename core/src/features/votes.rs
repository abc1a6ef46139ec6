use std::sync::{Arc, Mutex, PoisonError};

use super::{
    Context,
    context::{Names, Subject, parse_cursor},
    outgoing::{OutgoingVote, vote_retracted, vote_set},
    ratings::{Announcer, Ratings},
};
use crate::{
    error::{Error, Problem, Result},
    limits::{VOTE_SKEW_MS, check_batch, check_instant, check_page},
    model::{
        CodeRef, Event, NewVote, StoreName, UnixMillis, Vote, VoteChoice, VoteOutcome, VotePage, VoteQuery, VoterId,
    },
    storage::{
        Transaction,
        outbox::VoteNames,
        snapshots::Snapshot,
        subjects, voters,
        votes::{self, Register},
    },
    voting::{Reputation, SpamGuard, SpamPolicy},
};

/// Votes cast on this device.
pub struct Votes {
    context: Arc<Context>,
    ratings: Ratings,
    spam: Arc<Mutex<SpamGuard>>,
}

/// A vote or a retraction that is about to be stored.
pub(super) struct Casting {
    pub(super) subject: Subject,
    pub(super) names: Names,
    /// `None`: take it back.
    pub(super) choice: Option<VoteChoice>,
    /// When the app says it was cast, if it says so.
    pub(super) at: Option<UnixMillis>,
}

/// What became of a casting; ratings are made of it after the commit.
enum Cast {
    Accepted,
    Updated,
    Retracted,
    Unchanged,
    Throttled(VoteOutcome),
}

/// What became of a casting, and how the code stands after it.
struct Done {
    cast: Cast,
    code: Snapshot,
}

impl Votes {
    pub(crate) fn new(context: Arc<Context>, ratings: Ratings) -> Self {
        let votes_per_minute = context.config.votes_per_minute();
        let policy = SpamPolicy { votes_per_minute, ..SpamPolicy::default() };
        Self { context, ratings, spam: Arc::new(Mutex::new(SpamGuard::new(policy))) }
    }

    /// Casts or changes a vote.
    ///
    /// # Errors
    /// Invalid input, or no room.
    pub async fn submit(&self, vote: NewVote) -> Result<VoteOutcome> {
        only(self.submit_all(vec![vote]).await?)
    }

    /// Casts or changes votes in one transaction.
    ///
    /// # Errors
    /// Invalid input, or no room; nothing is stored then.
    pub async fn submit_all(&self, votes: Vec<NewVote>) -> Result<Vec<VoteOutcome>> {
        check_batch("votes", votes.len())?;
        let now = self.context.now();
        let mut castings = Vec::with_capacity(votes.len());
        for vote in votes {
            if let Some(at) = vote.voted_at {
                check_instant("voted_at", at, now, VOTE_SKEW_MS)?;
            }
            let casting = self.casting(&vote.code, vote.user_id.as_deref(), Some(vote.choice), vote.voted_at)?;
            castings.push(casting);
        }
        self.cast(castings).await
    }

    /// Takes a vote back.
    ///
    /// # Errors
    /// Invalid input, or the storage cannot be written.
    pub async fn retract(&self, code: CodeRef, user_id: Option<String>) -> Result<VoteOutcome> {
        let casting = self.casting(&code, user_id.as_deref(), None, None)?;
        only(self.cast(vec![casting]).await?)
    }

    /// The voter's standing vote on a code.
    ///
    /// # Errors
    /// Invalid input, or the storage cannot be read.
    pub async fn mine(&self, code: CodeRef, user_id: Option<String>) -> Result<Option<Vote>> {
        let person = self.context.person(user_id.as_deref())?;
        let Ok(subject) = self.context.subject(&code)? else { return Ok(None) };
        let voter = self.context.voter(user_id.as_deref(), &subject.hash)?;
        let found = self
            .context
            .read(move |connection| {
                let Some(stored) = subjects::number(connection, &subject.hash)? else { return Ok(None) };
                match votes::find(connection, stored, &person)? {
                    Some((_, Some(register))) if !register.derived => {
                        Ok(Some(votes::is_pending(connection, &register).map(|pending| (register, pending))?))
                    }
                    _ => Ok(None),
                }
            })
            .await?;
        Ok(found.and_then(|(register, pending)| shown(&register, voter, pending)))
    }

    /// A page of the voter's standing votes, the latest first.
    ///
    /// # Errors
    /// Invalid input, or the storage cannot be read.
    pub async fn page(&self, query: VoteQuery) -> Result<VotePage> {
        check_page(query.limit)?;
        let person = self.context.person(query.user_id.as_deref())?;
        let below = query.cursor.as_deref().map(parse_pair).transpose()?;
        let (found, pending) = self
            .context
            .read(move |connection| {
                let found = votes::page(connection, &person, query.limit, below)?;
                let pending = found.votes.iter().map(|register| votes::is_pending(connection, register));
                let pending = pending.collect::<Result<Vec<_>>>()?;
                Ok((found, pending))
            })
            .await?;
        self.context.note_damage(StoreName::Votes, found.withheld);
        let next_cursor = found.next.map(|(at, id)| format!("{at:016x}-{id:016x}"));
        let mut page = VotePage { votes: Vec::with_capacity(pending.len()), next_cursor, withheld: found.withheld };
        for (register, pending) in found.votes.iter().zip(pending) {
            let voter = self.context.voter(query.user_id.as_deref(), &register.hash)?;
            page.votes.extend(shown(register, voter, pending));
        }
        Ok(page)
    }

    /// Sets how much a voter counts, and weighs the standing votes anew.
    ///
    /// # Errors
    /// Invalid input, or the storage cannot be written.
    pub async fn set_reputation(&self, user_id: Option<String>, weight: f64) -> Result<()> {
        let Some(reputation) = Reputation::from_weight(weight) else {
            return Err(Error::invalid("weight", Problem::OutOfRange { min: 0, max: 10 }));
        };
        let person = self.context.person(user_id.as_deref())?;
        let announcer = self.ratings.announcer()?;
        self.context
            .store
            .write(move |tx| {
                tx.set_voter(person, reputation)?;
                for before in tx.registers_of(&person)? {
                    let mut subject = tx.subject(before.hash, before.host_hash)?;
                    tx.replace(&mut subject, Some(&before), &Register { reputation, ..before.clone() })?;
                    announcer.announce(tx, &subject)?;
                }
                Ok(())
            })
            .await
    }

    fn casting(
        &self,
        code: &CodeRef,
        user_id: Option<&str>,
        choice: Option<VoteChoice>,
        at: Option<UnixMillis>,
    ) -> Result<Result<Casting, VoteOutcome>> {
        let names = self.context.names(user_id)?;
        let subject = match self.context.subject(code)? {
            Ok(subject) => subject,
            Err(kind) => return Ok(Err(VoteOutcome::NotVotable { kind })),
        };
        Ok(Ok(Casting { subject, names, choice, at }))
    }

    async fn cast(&self, castings: Vec<Result<Casting, VoteOutcome>>) -> Result<Vec<VoteOutcome>> {
        let spam = Arc::clone(&self.spam);
        let clock = Arc::clone(&self.context.clock);
        let queue = self.context.config.sync.is_some();
        let announcer = self.ratings.announcer()?;
        let hashes = castings
            .iter()
            .flatten()
            .flat_map(|casting| [Some(casting.subject.hash), casting.subject.host_hash].into_iter().flatten());
        self.context.recall(&hashes.collect::<Vec<_>>()).await;
        let now = self.context.time();
        let cast = self
            .context
            .store
            .write(move |tx| {
                let monotonic = clock.monotonic();
                let desk = CastingDesk { announcer: &announcer, queue, spam: Some(&spam), now, monotonic };
                castings
                    .into_iter()
                    .map(|casting| match casting {
                        Ok(casting) => desk.cast(tx, &casting).map(Ok),
                        Err(refused) => Ok(Err(refused)),
                    })
                    .collect::<Result<Vec<_>>>()
            })
            .await?;
        Ok(cast.into_iter().map(|cast| self.outcome(cast, now)).collect())
    }

    fn outcome(&self, done: Result<Done, VoteOutcome>, now: UnixMillis) -> VoteOutcome {
        let Done { cast, code } = match done {
            Ok(done) => done,
            Err(refused) => return refused,
        };
        let rating = self.ratings.shown(&code, now);
        match cast {
            Cast::Accepted => VoteOutcome::Accepted { rating },
            Cast::Updated => VoteOutcome::Updated { rating },
            Cast::Retracted => VoteOutcome::Retracted { rating },
            Cast::Unchanged => VoteOutcome::Unchanged { rating },
            Cast::Throttled(outcome) => outcome,
        }
    }
}

/// What the votes of one transaction have in common.
struct CastingDesk<'a> {
    announcer: &'a Announcer,
    /// Whether changes are kept for a server.
    queue: bool,
    /// None: however fast they come.
    spam: Option<&'a Mutex<SpamGuard>>,
    /// By the server's clock, as far as it is known.
    now: UnixMillis,
    monotonic: i64,
}

impl CastingDesk<'_> {
    /// Puts one vote in its register, the sums right, and the change in the outbox.
    fn cast(&self, tx: &mut Transaction<'_>, casting: &Casting) -> Result<Done> {
        let person = casting.names.person;
        if subjects::number(tx.connection, &casting.subject.hash)?.is_none() {
            // Nothing is stored for a code on which nothing happens.
            let nothing = Snapshot::empty(casting.subject.hash, casting.subject.host_hash);
            if casting.choice.is_none() {
                return Ok(Done { cast: Cast::Unchanged, code: nothing });
            }
            if let Some(throttled) = self.throttle(casting, false) {
                return Ok(Done { cast: Cast::Throttled(throttled), code: nothing });
            }
        }
        let mut subject = tx.subject(casting.subject.hash, casting.subject.host_hash)?;
        let before = tx.register(&mut subject, &person)?;
        // A register that follows from votes on a host's codes is no vote of its own.
        let standing = before.as_ref().filter(|before| before.choice.is_some() && !before.derived);

        // Times of one register grow strictly, so that the order of its changes is the order of their times.
        let earliest = before.as_ref().map_or(UnixMillis(i64::MIN), |before| before.at.plus(1));
        let at = casting.at.unwrap_or_else(|| self.now.max(earliest));
        let comes_too_late = at < earliest;
        let nothing_to_retract = casting.choice.is_none() && standing.is_none();
        if comes_too_late || nothing_to_retract {
            return Ok(Done { cast: Cast::Unchanged, code: self.announcer.snapshot(tx, &subject)? });
        }
        if let Some(throttled) = self.throttle(casting, true) {
            return Ok(Done { cast: Cast::Throttled(throttled), code: self.announcer.snapshot(tx, &subject)? });
        }

        let cast = match (casting.choice, standing) {
            (None, _) => Cast::Retracted,
            (Some(_), None) => Cast::Accepted,
            (Some(_), Some(_)) => Cast::Updated,
        };
        let acknowledged = before.as_ref().is_some_and(|before| before.acknowledged);
        let after = Register {
            id: 0,
            subject: subject.id,
            person,
            choice: casting.choice,
            at,
            reputation: voters::reputation(tx.connection, &person)?,
            derived: false,
            hash: subject.hash,
            host_hash: casting.subject.host_hash.or(subject.host_hash),
            acknowledged,
        };
        let somebody_to_tell = self.queue && self.tell(tx, casting, &after)?;
        match (&before, casting.choice) {
            // A retraction that nobody waits for leaves nothing behind.
            (Some(before), None) if !somebody_to_tell => tx.remove_register(&mut subject, before)?,
            _ => tx.replace(&mut subject, before.as_ref(), &after)?,
        }
        if let Some(choice) = casting.choice {
            tx.state.counters.vote_cast(choice == VoteChoice::Safe);
        }
        if casting.choice.is_none() {
            // If it is a host, the votes on its codes speak for it again.
            subject = tx.follow_host(subject.hash, person)?;
        }
        if let Some(host) = after.host_hash {
            let host = tx.follow_host(host, person)?;
            self.announcer.announce(tx, &host)?;
        }
        tx.evict_some()?;
        tx.emit(Event::VoteChanged { qr_hash: subject.hash });
        Ok(Done { cast, code: self.announcer.announce(tx, &subject)? })
    }

    /// Puts the change in the outbox; false if the server need not hear of it.
    fn tell(&self, tx: &mut Transaction<'_>, casting: &Casting, register: &Register) -> Result<bool> {
        let vote = OutgoingVote {
            hash: register.hash,
            names: VoteNames {
                person: casting.names.person,
                voter: casting.names.on(&register.hash),
                host: register.host_hash.map(|host| (host, casting.names.on(&host))),
            },
            at: register.at,
        };
        match casting.choice {
            Some(choice) => vote_set(tx, &vote, choice).map(|()| true),
            None => vote_retracted(tx, &vote, register.acknowledged),
        }
    }

    /// Whether the vote comes too fast. One that does not is counted, if it is `certain` to be stored.
    fn throttle(&self, casting: &Casting, certain: bool) -> Option<VoteOutcome> {
        let mut spam = self.spam?.lock().unwrap_or_else(PoisonError::into_inner);
        match spam.check(casting.names.person, self.monotonic, &casting.subject.hash) {
            Ok(()) => {
                if certain {
                    spam.record(casting.names.person, self.monotonic, &casting.subject.hash);
                }
                None
            }
            Err(throttle) => {
                Some(VoteOutcome::Throttled { rule: throttle.rule, retry_after_ms: throttle.retry_after_ms })
            }
        }
    }
}

/// Takes over a vote that was cast elsewhere; false if a later one stands, or was taken back.
pub(super) fn take_over(
    tx: &mut Transaction<'_>,
    announcer: &Announcer,
    queue: bool,
    now: UnixMillis,
    casting: &Casting,
) -> Result<bool> {
    let desk = CastingDesk { announcer, queue, spam: None, now, monotonic: 0 };
    Ok(!matches!(desk.cast(tx, casting)?.cast, Cast::Unchanged))
}

fn only(mut outcomes: Vec<VoteOutcome>) -> Result<VoteOutcome> {
    outcomes.pop().ok_or(Error::Unexpected { what: "one vote went in and no outcome came out" })
}

fn shown(register: &Register, voter_id: VoterId, pending: bool) -> Option<Vote> {
    let choice = register.choice?;
    Some(Vote { qr_hash: register.hash, choice, voted_at: register.at, voter_id, pending })
}

fn parse_pair(cursor: &str) -> Result<(i64, i64)> {
    let (at, id) = cursor.split_once('-').unwrap_or((cursor, ""));
    Ok((parse_cursor(at)?, parse_cursor(id)?))
}
