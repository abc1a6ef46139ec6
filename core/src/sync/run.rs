//! One run: everything that is due is sent, everything that is new is fetched.

use std::sync::Arc;

use super::{
    absorb::{self, Absorbed, absorb},
    back_fill::back_fill,
    batch::{self, Batch},
    settle,
};
use crate::{
    error::Result,
    features::{Cloud, Context, Ratings},
    model::{Event, OperationId, ParkedReason, SyncReport},
    protocol::{self, Limits, MUST_REFETCH, SyncResponse, UPGRADE_REQUIRED},
    remote::{Synced, Trouble},
    storage::{dispatch, is_noted, outbox::Entry, sync_state},
};

/// Changes in a request until it is known what goes through.
const FIRST_BATCH: u32 = 200;
/// Requests of one run: each brings a page of half a megabyte. What is left comes with the next run.
const MOST_REQUESTS: u32 = 200;
/// Changes wanted in an answer: a page of half a megabyte, at some 500 bytes each.
const PAGE: u32 = 1_000;

/// Makes runs, one after the other.
pub(super) struct Runner {
    pub(super) context: Arc<Context>,
    pub(super) ratings: Ratings,
    limits: Limits,
    /// Changes in the next request: halved when one fails, doubled when one succeeds. None: the request is to show
    /// whether the server is well, or whether it was about the change that was in the last one.
    batch: u32,
    /// Changes wanted in the next answer: halved when one cannot be read, doubled when one can.
    page: u32,
    /// The name under which the device was made known.
    started_as: Option<String>,
    /// The server takes nothing from this version.
    too_old: bool,
}

/// How a run went.
pub(super) struct Ran {
    pub(super) report: SyncReport,
    /// What ended it early.
    pub(super) trouble: Option<Trouble>,
    /// How long the server wants to be left alone, in milliseconds.
    pub(super) pause_ms: u32,
    /// Whether everything was fetched that the server had.
    pub(super) fetched: bool,
    /// Whether the server takes nothing from this version.
    pub(super) too_old: bool,
    /// Whether the server understood any request.
    understood: bool,
    /// Whether everything was dropped to be fetched anew.
    refetched: bool,
}

/// What a request led to.
enum Exchange {
    /// There is more to do.
    GoOn,
    /// Nothing is left.
    Done,
}

impl Runner {
    pub(super) fn new(context: Arc<Context>, ratings: Ratings) -> Self {
        let limits = Limits::default();
        Self { context, ratings, limits, batch: FIRST_BATCH, page: PAGE, started_as: None, too_old: false }
    }

    /// Makes a run. An error is one of the storage; what the network does is told in [`Ran`].
    pub(super) async fn run(&mut self, cloud: &Cloud) -> Result<Ran> {
        self.start(cloud).await?;
        // The server may have changed its mind: whoever asks for it may find out.
        self.too_old &= !cloud.take_insistence();
        self.context.store.write(|tx| tx.release_all(None)).await?;
        let mut ran = Ran {
            report: SyncReport::default(),
            trouble: None,
            pause_ms: 0,
            fetched: false,
            too_old: false,
            understood: false,
            refetched: false,
        };
        for _ in 0..MOST_REQUESTS {
            match self.exchange(cloud, &mut ran).await {
                Ok(Exchange::GoOn) => {}
                Ok(Exchange::Done) => break,
                Err(Stop::Trouble(trouble)) => {
                    ran.trouble = Some(trouble);
                    break;
                }
                Err(Stop::Storage(error)) => return Err(error),
            }
        }
        ran.too_old = self.too_old;
        ran.report.waiting = self.context.read(dispatch::unsettled).await?;
        Ok(ran)
    }

    /// Once in a process, and after everything was erased: who this device is to the server, and what waits for a newer
    /// version of the protocol.
    async fn start(&mut self, cloud: &Cloud) -> Result<()> {
        if self.started_as.as_ref() == Some(&self.context.store.installation().device) {
            return Ok(());
        }
        let mut state = self.context.store.read_cache(sync_state::load).await.unwrap_or_default();
        let device = self.context.store.installation().device.clone();
        if state.device.as_ref() != Some(&device) {
            // The cache does not know this device: it is new, or it was restored from a backup of another one, whose
            // places the server may have seen already. Under a new name nothing is mistaken for something older.
            let device = self.context.store.rename_device().await?;
            state = sync_state::SyncState { device: Some(device), ..sync_state::SyncState::default() };
            absorb::remember(&self.context, cloud, state).await?;
        } else {
            cloud.set_sync_state(state);
        }
        let spoken: &str = &format!("protocol_{}", protocol::VERSION);
        let note = spoken.to_owned();
        if !self.context.read(move |connection| is_noted(connection, &note)).await? {
            settle::unpark(&self.context, ParkedReason::Schema).await?;
            let note = spoken.to_owned();
            self.context.store.write(move |tx| tx.note(&note)).await?;
        }
        back_fill(&self.context).await?;
        let device = self.context.store.installation().device.clone();
        cloud.may_go_live(device.clone());
        self.started_as = Some(device);
        Ok(())
    }

    async fn exchange(&mut self, cloud: &Cloud, ran: &mut Ran) -> Result<Exchange, Stop> {
        if self.too_old {
            ran.report.parked += settle::park_all(&self.context, ParkedReason::Schema, Trouble::Upgrade.text()).await?;
        }
        let asks_only = self.batch == 0;
        let mut batch = batch::take(&self.context, self.limits, self.batch).await?;
        for entry in std::mem::take(&mut batch.poison) {
            self.tell_parked(entry.operation.id, ParkedReason::Poison);
            ran.report.parked += 1;
        }
        if batch.is_empty() && ran.fetched && !asks_only {
            return Ok(Exchange::Done);
        }
        let before = cloud.sync_state().cursor;
        let body = batch.request(&self.context, before.clone(), absorb::topics(&self.ratings), self.page)?;
        let answer = cloud.client.sync(body).await;
        if answer.is_ok() {
            ran.understood = true;
            let grown = if batch.is_empty() { self.batch } else { self.batch.saturating_mul(2) };
            self.batch = grown.clamp(1, FIRST_BATCH);
            self.page = self.page.saturating_mul(2).min(PAGE);
        }
        match answer {
            Ok(Synced::Full(response)) => self.full(cloud, ran, batch, *response, before).await,
            Ok(Synced::Plain { conflicts }) => {
                ran.report.plain_server = true;
                ran.fetched = true;
                self.plain(ran, batch, &conflicts).await
            }
            Err(trouble) => self.failed(cloud, ran, batch, trouble).await,
        }
    }

    async fn full(
        &mut self,
        cloud: &Cloud,
        ran: &mut Ran,
        batch: Batch,
        response: SyncResponse,
        before: Option<String>,
    ) -> Result<Exchange, Stop> {
        self.limits = response.limits;
        ran.pause_ms = response.backoff_ms.max(response.limits.min_interval_ms);
        cloud.heard_time(response.server_time, self.context.now());
        let upgrade = response.control.iter().any(|control| control == UPGRADE_REQUIRED);
        let refetch = response.control.iter().any(|control| control == MUST_REFETCH);
        let cursor = absorb::usable(response.cursor.clone());
        let more = response.has_more && cursor.is_some() && cursor != before;
        // Whoever has everything fetched anew again and again has nothing to be fetched.
        ran.fetched = !more && (!refetch || ran.refetched);
        ran.refetched |= refetch;
        let wants_rest = response.backoff_ms > 0;
        let sent = batch.len();
        let absorbed = absorb(&self.context, cloud, &self.ratings, batch.entries, response).await?;
        add(&mut ran.report, &absorbed);
        if upgrade {
            // Reading goes on; what waits is parked before the next request.
            self.too_old = true;
        } else if sent > 0 && absorbed.decided == 0 {
            // It says nothing about anything: asking again at once would go on for ever.
            return Err(Stop::Trouble(Trouble::Transient { retry_after_ms: None }));
        }
        if wants_rest { Ok(Exchange::Done) } else { Ok(Exchange::GoOn) }
    }

    /// A server of the plain protocol takes what it does not call a conflict.
    async fn plain(&mut self, ran: &mut Ran, batch: Batch, conflicts: &[OperationId]) -> Result<Exchange, Stop> {
        let conflicts = conflicts.to_vec();
        let announcer = self.ratings.announcer()?;
        let (taken, parked) = self
            .context
            .store
            .write(move |tx| {
                let (mut taken, mut parked) = (0, 0);
                for entry in batch.entries {
                    let Some(mut entry) = tx.entry(entry.operation.id)? else { continue };
                    let id = entry.operation.id;
                    if conflicts.contains(&id) {
                        tx.park(&mut entry, ParkedReason::Rejected, "the server calls it a conflict")?;
                        tx.emit(Event::OperationParked { id, reason: ParkedReason::Rejected });
                        parked += 1;
                    } else {
                        settle::applied(tx, &announcer, &entry, entry.operation.created_at)?;
                        taken += 1;
                    }
                }
                Ok((taken, parked))
            })
            .await?;
        ran.report.sent += taken;
        ran.report.parked += parked;
        Ok(Exchange::GoOn)
    }

    async fn failed(&mut self, cloud: &Cloud, ran: &mut Ran, batch: Batch, trouble: Trouble) -> Result<Exchange, Stop> {
        let sent = batch.len();
        match trouble {
            Trouble::Shape { .. } if sent == 1 && !ran.understood => {
                // Perhaps nothing is understood: then it is not about this one.
                self.batch = 0;
                self.release(batch.entries, trouble, false).await?;
                return Ok(Exchange::GoOn);
            }
            Trouble::Shape { status } if sent == 1 => {
                // It stands alone now: this is the one that the server does not take.
                let reason = if status == 413 { ParkedReason::Poison } else { ParkedReason::Schema };
                self.park(batch.entries, reason, trouble.text()).await?;
                ran.report.parked += 1;
                return Ok(Exchange::GoOn);
            }
            Trouble::Shape { .. } if sent > 1 => {
                self.batch = sent.div_ceil(2);
                self.release(batch.entries, trouble, false).await?;
                return Ok(Exchange::GoOn);
            }
            Trouble::Upgrade => {
                self.release(batch.entries, trouble, false).await?;
                return self.failed_upgrade(ran).await;
            }
            Trouble::Resync if !ran.refetched => {
                ran.refetched = true;
                self.release(batch.entries, trouble, false).await?;
                absorb::forget(&self.context, cloud).await?;
                ran.fetched = false;
                return Ok(Exchange::GoOn);
            }
            Trouble::Transient { .. } => {
                self.batch = match batch.entries.as_slice() {
                    [] => self.batch,
                    // Perhaps the server is down for everybody: the next run finds out without any change first.
                    [alone] if settle::was_tried_often(alone) && !ran.understood => 0,
                    _ => (sent / 2).max(1),
                };
                // It may have been too much to be read.
                self.page = (self.page / 2).max(1);
                self.release(batch.entries, trouble, sent == 1 && ran.understood).await?;
            }
            _ => {
                self.batch = self.batch.max(1);
                self.release(batch.entries, trouble, false).await?;
            }
        }
        Err(Stop::Trouble(trouble))
    }

    async fn failed_upgrade(&mut self, ran: &mut Ran) -> Result<Exchange, Stop> {
        self.too_old = true;
        ran.report.parked += settle::park_all(&self.context, ParkedReason::Schema, Trouble::Upgrade.text()).await?;
        Err(Stop::Trouble(Trouble::Upgrade))
    }

    /// Puts changes back. One that failed alone, and often, waits by itself from now on.
    async fn release(&self, entries: Vec<Entry>, trouble: Trouble, alone: bool) -> Result<()> {
        self.context
            .store
            .write(move |tx| {
                for entry in entries {
                    let Some(mut entry) = tx.entry(entry.operation.id)? else { continue };
                    let wait_ms = if alone { settle::own_pace(tx, &entry) } else { None };
                    tx.release(&mut entry, wait_ms, Some(trouble.text()))?;
                }
                Ok(())
            })
            .await
    }

    async fn park(&self, entries: Vec<Entry>, reason: ParkedReason, error: &'static str) -> Result<()> {
        self.context
            .store
            .write(move |tx| {
                for entry in entries {
                    let Some(mut entry) = tx.entry(entry.operation.id)? else { continue };
                    tx.park(&mut entry, reason, error)?;
                    tx.emit(Event::OperationParked { id: entry.operation.id, reason });
                }
                Ok(())
            })
            .await
    }

    fn tell_parked(&self, id: OperationId, reason: ParkedReason) {
        self.context.observer.happened(Event::OperationParked { id, reason });
    }
}

/// Why a run goes no further.
enum Stop {
    Trouble(Trouble),
    Storage(crate::error::Error),
}

impl From<crate::error::Error> for Stop {
    fn from(error: crate::error::Error) -> Self {
        Self::Storage(error)
    }
}

fn add(report: &mut SyncReport, absorbed: &Absorbed) {
    report.sent += absorbed.sent;
    report.superseded += absorbed.superseded;
    report.parked += absorbed.parked;
    report.deferred += absorbed.deferred;
    report.received += absorbed.received;
}
