//! Keeping what an answer brings. The order is such that a kill in between costs a repetition and nothing else:
//! ratings first, then results and the account's changes, at last the cursor that says that all of it came.

use super::settle::{self, Standing, Value};
use crate::{
    error::Result,
    features::{Cloud, Context, Ratings},
    model::{Event, OperationId, ParkedReason, QrHash, UnixMillis, VoteChoice, VoterId},
    protocol::{Change, MUST_REFETCH, OperationResult, Outcome, Rating, StandingValue, SyncResponse, VoteChange},
    resilience::BackoffPolicy,
    storage::{Transaction, community, dispatch::PUT_OFF, outbox::Entry, sync_state, sync_state::SyncState},
};

/// The shortest time that a change is put off for: less would rush the device and the server.
const SHORTEST_DEFERRAL_MS: u32 = 1_000;
/// Bytes in a cursor, by the protocol. It goes back with every request.
const MAX_CURSOR_BYTES: usize = 1_024;

/// What an answer brought.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Absorbed {
    /// Changes of ours that the server decided about, one way or another.
    pub(super) decided: u32,
    pub(super) sent: u32,
    pub(super) superseded: u32,
    pub(super) parked: u32,
    pub(super) deferred: u32,
    /// What was news here.
    pub(super) received: u32,
}

/// How the server's word on one of our changes is taken.
enum Verdict {
    Applied(UnixMillis),
    Superseded(Standing),
    Rejected(String),
    Deferred(u32),
    /// Nothing was said, or nothing that this version understands.
    Nothing,
}

/// Keeps an answer to these changes.
pub(super) async fn absorb(
    context: &Context,
    cloud: &Cloud,
    ratings: &Ratings,
    batch: Vec<Entry>,
    response: SyncResponse,
) -> Result<Absorbed> {
    let refetch = response.control.iter().any(|control| control == MUST_REFETCH);
    if refetch {
        forget(context, cloud).await?;
    }
    let at = response.server_time;
    let mut said: Vec<Rating> = Vec::new();
    let mut account: Vec<Change> = Vec::new();
    for change in response.changes {
        match change {
            Change::Rating(rating) => said.push(rating),
            Change::Unknown => {}
            other => account.push(other),
        }
    }
    let mut touched = context.keep_said(said, at).await?;

    let announcer = ratings.announcer()?;
    let verdicts: Vec<(Entry, Verdict)> = batch
        .into_iter()
        .map(|entry| {
            let verdict = verdict(entry.operation.id, &response.results, &response.conflicts);
            (entry, verdict)
        })
        .collect();
    touched.extend(verdicts.iter().filter_map(|(entry, _)| QrHash::parse(&entry.key)));
    let owner = Owner::of(context)?;
    let device = context.store.installation().device.clone();
    let anything = !verdicts.is_empty() || !account.is_empty();
    let mut absorbed = Absorbed::default();
    if anything {
        absorbed = context
            .store
            .write(move |tx| {
                let mut absorbed = Absorbed::default();
                if tx.installation()?.device != device {
                    // Everything was erased while the answer was on its way: it belongs to nobody.
                    return Ok(absorbed);
                }
                for (mut entry, verdict) in verdicts {
                    take_verdict(tx, &announcer, &mut entry, verdict, &mut absorbed)?;
                }
                let mut added = Vec::new();
                let mut removed = 0;
                for change in &account {
                    match change {
                        Change::Vote(vote) => {
                            if let Some(person) = owner.person(vote) {
                                settle::adopt_vote(tx, &announcer, vote.qr_hash, person, vote.vote, vote.at)?;
                            }
                        }
                        Change::Scan(scan) => {
                            if let Some(body) = &scan.body {
                                added.extend(settle::adopt_scan(tx, &scan.key, body)?);
                            }
                        }
                        Change::ScanDeleted(scan) => removed += u32::from(settle::remove_scan(tx, &scan.key)?),
                        Change::Setting(setting) => {
                            if let Some(body) = &setting.body {
                                settle::adopt_setting(tx, &setting.key, body, setting.at)?;
                            }
                        }
                        Change::Rating(_) | Change::Unknown => {}
                    }
                    absorbed.received += 1;
                }
                if let Some(latest) = added.iter().max() {
                    let count = u32::try_from(added.len()).unwrap_or(u32::MAX);
                    tx.emit(Event::ScansAdded { count, latest: *latest });
                }
                if removed > 0 {
                    tx.emit(Event::ScansRemoved { count: removed });
                }
                Ok(absorbed)
            })
            .await?;
    }
    absorbed.received += u32::try_from(touched.len()).unwrap_or(u32::MAX);

    let mut state = cloud.sync_state();
    let cursor = if refetch { None } else { usable(response.cursor) };
    let moved = refetch || (cursor.is_some() && cursor != state.cursor);
    if moved {
        state.cursor = cursor;
    }
    // With what the server has of ours goes its clock: what is done next is dated after it.
    if moved || absorbed.decided > 0 {
        remember(context, cloud, state).await?;
    }
    touched.sort_unstable();
    touched.dedup();
    ratings.announce(&touched).await?;
    Ok(absorbed)
}

/// A cursor that can be sent back.
pub(super) fn usable(cursor: Option<String>) -> Option<String> {
    cursor.filter(|cursor| cursor.len() <= MAX_CURSOR_BYTES)
}

/// Writes down how far the server is known.
pub(super) async fn remember(context: &Context, cloud: &Cloud, state: SyncState) -> Result<()> {
    cloud.set_sync_state(state.clone());
    context.store.write_cache(move |connection| sync_state::save(connection, &state)).await
}

/// Drops what the server can give again. What exists only here stays.
pub(super) async fn forget(context: &Context, cloud: &Cloud) -> Result<()> {
    cloud.forget_all();
    let state = SyncState { cursor: None, ..cloud.sync_state() };
    cloud.set_sync_state(state.clone());
    context
        .store
        .write_cache(move |connection| {
            community::forget_all(connection)?;
            sync_state::save(connection, &state)
        })
        .await
}

/// Whose votes the account's are.
struct Owner {
    own: crate::features::Names,
    unlinkable: bool,
}

impl Owner {
    fn of(context: &Context) -> Result<Self> {
        Ok(Self { own: context.names(None)?, unlinkable: context.config.unlinkable_votes })
    }

    /// Who on this device goes by that name on the code. With a name for every code only the owner's can be told.
    fn person(&self, vote: &VoteChange) -> Option<VoterId> {
        if !self.unlinkable {
            return Some(vote.voter);
        }
        (self.own.on(&vote.qr_hash) == vote.voter).then_some(self.own.person)
    }
}

fn take_verdict(
    tx: &mut Transaction<'_>,
    announcer: &crate::features::ratings::Announcer,
    entry: &mut Entry,
    verdict: Verdict,
    absorbed: &mut Absorbed,
) -> Result<()> {
    // It may have been given up meanwhile: then the answer concerns nobody.
    let id = entry.operation.id;
    let Some(current) = tx.entry(id)? else {
        absorbed.decided += 1;
        return Ok(());
    };
    *entry = current;
    match verdict {
        Verdict::Applied(at) => {
            settle::applied(tx, announcer, entry, at)?;
            absorbed.sent += 1;
        }
        Verdict::Superseded(standing) if settle::is_as_wanted(entry, &standing) => {
            settle::superseded(tx, announcer, entry, &standing)?;
            absorbed.sent += 1;
        }
        Verdict::Superseded(standing) => {
            settle::superseded(tx, announcer, entry, &standing)?;
            tx.emit(Event::OperationSuperseded { id, kind: entry.operation.kind });
            absorbed.superseded += 1;
        }
        Verdict::Rejected(code) => {
            tx.park(entry, ParkedReason::Rejected, &code)?;
            tx.emit(Event::OperationParked { id, reason: ParkedReason::Rejected });
            absorbed.parked += 1;
        }
        Verdict::Deferred(wait_ms) => {
            let wait_ms = wait_ms.clamp(SHORTEST_DEFERRAL_MS, BackoffPolicy::MAX_RETRY_AFTER_MS);
            tx.release(entry, Some(wait_ms), Some(PUT_OFF))?;
            absorbed.deferred += 1;
        }
        Verdict::Nothing => {
            let wait_ms = settle::own_pace(tx, entry);
            tx.release(entry, wait_ms, Some("the server said nothing about it"))?;
            if wait_ms.is_none() {
                return Ok(());
            }
        }
    }
    absorbed.decided += 1;
    Ok(())
}

fn verdict(id: OperationId, results: &[OperationResult], conflicts: &[crate::protocol::Conflict]) -> Verdict {
    let Some(result) = results.iter().find(|result| result.id == id) else { return Verdict::Nothing };
    let server = conflicts.iter().find(|conflict| conflict.id == id).and_then(|conflict| conflict.server.as_ref());
    let standing =
        |at: UnixMillis| Standing { at: server.map_or(at, |server| server.at), value: server.and_then(value) };
    match &result.outcome {
        Outcome::Applied { at, .. } => Verdict::Applied(*at),
        Outcome::Duplicate { of, at, .. } if of == "superseded" || server.is_some() => {
            Verdict::Superseded(standing(*at))
        }
        Outcome::Duplicate { at, .. } => Verdict::Applied(*at),
        Outcome::Superseded { at } => Verdict::Superseded(standing(*at)),
        Outcome::Rejected { error } => Verdict::Rejected(code(&error.code)),
        Outcome::Deferred { retry_after_ms } => Verdict::Deferred(*retry_after_ms),
        Outcome::Unknown => Verdict::Nothing,
    }
}

fn value(server: &StandingValue) -> Option<Value> {
    match server.vote.as_deref() {
        Some("safe") => Some(Value::Vote(Some(VoteChoice::Safe))),
        Some("unsafe") => Some(Value::Vote(Some(VoteChoice::Unsafe))),
        Some("none") => Some(Value::Vote(None)),
        Some(_) => None,
        None => server.body.clone().map(Value::Body),
    }
}

/// A code of the server's as it may be shown: a word, and never content.
fn code(code: &str) -> String {
    /// As long as the longest code of the reference, with some to spare.
    const LONGEST: usize = 40;
    let is_word =
        !code.is_empty() && code.len() <= LONGEST && code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    if is_word { code.to_owned() } else { "rejected".to_owned() }
}

/// The beginnings of hashes that go with a request: those whose ratings are watched.
pub(super) fn topics(ratings: &Ratings) -> Vec<String> {
    ratings.topics().into_iter().collect()
}
