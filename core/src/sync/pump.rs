//! The pump: the one task that makes runs, and sleeps when there is nothing to do.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use super::{
    plan::{ASKERS_PATIENCE_MS, Situation, Step, plan},
    run::{Ran, Runner},
    settle,
    signals::{GIVEN_UP, Signals, Told},
    told,
};
use crate::{
    entropy::Entropy,
    error::{Error, Result},
    features::{Context, Ratings, SettingsStore, cause_of},
    log::Level,
    model::{Event, HealthCause, NetworkState, ParkedReason, Service, ServiceState, SyncReport},
    remote::Trouble,
    resilience::BackoffPolicy,
    storage::dispatch,
};

/// The longest a run may take. Every request in it is bounded; this bounds their sum, so that no fault anywhere can keep
/// the pump from ever trying again.
const RUN_PATIENCE: Duration = Duration::from_secs(600);
/// The wait after a failure that only a person can mend: ten minutes, and up to five more, so that devices do not come
/// back together.
const SET_UP_MS: u32 = 600_000;
const SET_UP: BackoffPolicy = BackoffPolicy { base_ms: 300_000, cap_ms: 300_000 };
/// The wait after other failures: from a second up to half a minute.
const USUAL: BackoffPolicy = BackoffPolicy { base_ms: 1_000, cap_ms: 30_000 };

/// Makes runs when there is a reason to.
pub(crate) struct Pump {
    context: Arc<Context>,
    settings: SettingsStore,
    signals: Arc<Signals>,
    ratings: Ratings,
    runner: Runner,
    entropy: Arc<dyn Entropy>,
    /// Failures in a row.
    failures: u32,
    patience_until: i64,
    server_until: i64,
    /// The number of the last token whose refusal was dealt with.
    refused: Option<u64>,
    /// Tokens in a row that were refused.
    refusals: u32,
    /// When the next change is due, by the monotonic clock, so that nobody who turns the other one puts it off; `None`
    /// if none waits.
    due_at: Option<i64>,
    /// What was to be looked up and could not be.
    missed: BTreeSet<String>,
}

impl Pump {
    pub(crate) fn new(
        context: Arc<Context>,
        ratings: Ratings,
        settings: SettingsStore,
        signals: Arc<Signals>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        let runner = Runner::new(Arc::clone(&context), ratings.clone());
        Self {
            context,
            settings,
            signals,
            ratings,
            runner,
            entropy,
            failures: 0,
            patience_until: 0,
            server_until: 0,
            refused: None,
            refusals: 0,
            due_at: None,
            missed: BTreeSet::new(),
        }
    }

    /// Works until the core is shut down. While the app is in the background, and nobody asks for a run, it neither reads
    /// nor writes nor looks at a clock.
    pub(crate) async fn work(mut self) {
        self.signals.begin();
        let _presence = Presence(Arc::clone(&self.signals));
        loop {
            let Some(told) = self.signals.take() else {
                self.signals.rung().await;
                continue;
            };
            if told.stopped {
                return;
            }
            self.context.recall_server().await;
            if told.fresh_start {
                self.failures = 0;
                self.patience_until = 0;
                // What cannot be written now is only tried later.
                drop(self.context.store.write(|tx| tx.hurry()).await);
                self.look_for_work().await;
            }
            if told.new_token && self.refusals > 0 {
                // What an older one parked while this one was on its way.
                drop(settle::unpark(&self.context, ParkedReason::Auth).await);
                self.look_for_work().await;
            }
            if told.token_refused {
                self.deal_with_refusal().await;
            }
            if told.queued {
                self.look_for_work().await;
            }
            if !told.look_ups.is_empty() && self.failures == 0 && !told.asleep {
                self.look_up().await;
                continue;
            }
            match plan(&self.situation(&told).await) {
                Step::Run => self.run(&told).await,
                Step::Rest => self.signals.rung().await,
                Step::Wait(millis) if self.asked(&told) && millis > ASKERS_PATIENCE_MS => {
                    let retry_after_ms = u32::try_from(millis).unwrap_or(u32::MAX);
                    self.signals.finish(told.asked, Err(Error::RateLimited { retry_after_ms }));
                }
                Step::Wait(millis) => {
                    let wait = Duration::from_millis(u64::try_from(millis).unwrap_or(0));
                    drop(tokio::time::timeout(wait, self.signals.rung()).await);
                }
            }
        }
    }

    fn asked(&self, told: &Told) -> bool {
        told.asked > self.signals.answered()
    }

    async fn situation(&self, told: &Told) -> Situation {
        let now = self.context.clock.monotonic();
        let quiet_until = self.context.cloud.as_ref().map_or(0, |cloud| cloud.client.quiet_until());
        // Read only when it matters: a phone that has nothing to do reads nothing.
        let anything = told.to_fetch || self.due_at.is_some();
        let asked_only = self.context.config.sync.as_ref().is_none_or(|sync| sync.only_when_asked);
        // Where the wish cannot be read nothing can be sent either: the run finds out, and tries again.
        let automatic =
            !asked_only && (!anything || self.settings.read().await.map_or(true, |settings| settings.auto_sync));
        Situation {
            now,
            asked: self.asked(told),
            awake: !told.asleep,
            automatic,
            offline: told.network == NetworkState::Offline,
            unauthorised: self.refused.is_some() && self.refused == self.refused_token(),
            to_fetch: told.to_fetch,
            due_at: self.due_at,
            patience_until: self.patience_until,
            server_until: self.server_until.max(quiet_until),
        }
    }

    async fn run(&mut self, told: &Told) {
        let Some(up_to) = self.signals.set_out(told) else { return };
        let context = Arc::clone(&self.context);
        let Some(cloud) = &context.cloud else { return self.signals.finish(up_to, Ok(SyncReport::default())) };
        if told.asleep {
            cloud.client.begin_errand();
        }
        self.sets_out(told);
        let ran = tokio::select! {
            biased;
            () = self.signals.given_up() => None,
            ran = tokio::time::timeout(RUN_PATIENCE, self.runner.run(cloud)) => ran.ok(),
        };
        if told.asleep {
            cloud.client.end_errand().await;
        }
        let result = match ran {
            Some(Ok(ran)) => self.ran(&ran).await,
            Some(Err(error)) => self.stumbled(error),
            None => {
                // What is in flight is released by the next run.
                self.due_at = Some(i64::MIN);
                self.signals.fetch();
                Err(GIVEN_UP)
            }
        };
        self.signals.finish(up_to, result);
    }

    fn sets_out(&self, told: &Told) {
        let fields = [("asked", i64::from(self.asked(told))), ("failures", i64::from(self.failures))];
        self.context.observer.log(Level::Debug, "a run begins", &fields);
    }

    async fn ran(&mut self, ran: &Ran) -> Result<SyncReport> {
        self.look_for_work().await;
        let now = self.context.clock.monotonic();
        self.server_until = now.saturating_add(i64::from(ran.pause_ms.min(BackoffPolicy::MAX_RETRY_AFTER_MS)));
        let report = ran.report;
        match ran.trouble {
            None => {
                self.failures = 0;
                self.patience_until = 0;
                if !ran.fetched {
                    // The rest comes with another run, after a breath: whoever never comes to an end does not rush us.
                    self.patience_until = now.saturating_add(i64::from(USUAL.base_ms));
                    self.signals.fetch_later();
                }
                (self.refused, self.refusals) = (None, 0);
                let offline = self.context.cloud.as_ref().is_some_and(|cloud| cloud.is_offline());
                let (state, cause) = if offline {
                    // The network went while the run was under way: that it came through is no news of the present.
                    (state_of(Trouble::Offline), cause_of(Trouble::Offline))
                } else if ran.too_old {
                    (state_of(Trouble::Upgrade), cause_of(Trouble::Upgrade))
                } else if report.plain_server {
                    (ServiceState::Degraded, HealthCause::PlainServer)
                } else {
                    (ServiceState::Healthy, HealthCause::None)
                };
                self.context.set_health(Service::CloudSync, state, cause);
                self.context.observer.happened(Event::SyncFinished { report });
                if !self.missed.is_empty() {
                    self.signals.look_up(std::mem::take(&mut self.missed).into_iter().collect());
                }
                Ok(report)
            }
            Some(trouble) => {
                self.met(trouble, now).await;
                Err(told(trouble))
            }
        }
    }

    /// What a failure means for the next try.
    async fn met(&mut self, trouble: Trouble, now: i64) {
        let wait = match trouble {
            Trouble::SetUp { .. } | Trouble::Shape { .. } => SET_UP.delay_after(0, self.random(), Some(SET_UP_MS)),
            Trouble::Broken { retry_after_ms } => USUAL.delay_after(self.failures, self.random(), Some(retry_after_ms)),
            Trouble::Transient { retry_after_ms } | Trouble::RateLimited { retry_after_ms } => {
                USUAL.delay_after(self.failures, self.random(), retry_after_ms)
            }
            _ => USUAL.delay(self.failures, self.random()),
        };
        self.failures = self.failures.saturating_add(1);
        self.patience_until = now.saturating_add(i64::from(wait));
        match trouble {
            Trouble::Auth => self.deal_with_refusal().await,
            // What was not fetched is still to be fetched, once there is a way.
            Trouble::Upgrade => {}
            _ => self.signals.fetch_later(),
        }
        self.context.set_health(Service::CloudSync, state_of(trouble), cause_of(trouble));
        self.context.observer.log(Level::Debug, "a run failed", &[("wait_ms", i64::from(wait))]);
    }

    /// The number of the token in use, if the server did not take it.
    fn refused_token(&self) -> Option<u64> {
        self.context.cloud.as_ref().and_then(|cloud| cloud.client.refused_token())
    }

    /// The server did not take a token: the app is asked for another, once for each. If that one is refused as well, what
    /// waits is kept for the app to see, until the next token sets it free.
    async fn deal_with_refusal(&mut self) {
        // Where another was given since, that one has its try.
        let Some(refused) = self.refused_token().filter(|refused| self.refused != Some(*refused)) else { return };
        self.refused = Some(refused);
        self.refusals = self.refusals.saturating_add(1);
        if self.refusals > 1 {
            if settle::park_all(&self.context, ParkedReason::Auth, Trouble::Auth.text()).await.is_err() {
                self.context.observer.log(Level::Warn, "changes could not be parked", &[]);
            }
            self.look_for_work().await;
        }
        // A look-up or the live link may have been the first to hear of it, and then no run is made that could tell.
        self.context.set_health(Service::CloudSync, state_of(Trouble::Auth), cause_of(Trouble::Auth));
        self.context.observer.happened(Event::TokenWanted);
    }

    /// The storage failed: that is told where storage is, and tried again like everything else.
    fn stumbled(&mut self, error: Error) -> Result<SyncReport> {
        let wait = USUAL.delay(self.failures, self.random());
        self.failures = self.failures.saturating_add(1);
        self.patience_until = self.context.clock.monotonic().saturating_add(i64::from(wait));
        if error != Error::Stopped {
            self.due_at = Some(i64::MIN);
            self.signals.fetch_later();
        }
        Err(error)
    }

    /// Fetches the present of codes whose future comes by itself.
    async fn look_up(&mut self) {
        let context = Arc::clone(&self.context);
        let Some(cloud) = &context.cloud else { return };
        let mut topics = self.signals.take_look_ups();
        while let Some(topic) = topics.pop_first() {
            match self.context.look_up_topic(cloud, &topic).await {
                Ok(news) => {
                    cloud.add_live(topic);
                    if self.ratings.announce(&news).await.is_err() {
                        self.context.observer.log(Level::Debug, "ratings could not be read", &[]);
                    }
                }
                // Worth another try when a run shows that there is a way.
                Err(_) => {
                    self.missed.insert(topic);
                    // Where one fails all do, each for as long as it takes, and runs would wait for them.
                    self.missed.append(&mut topics);
                }
            }
        }
    }

    async fn look_for_work(&mut self) {
        let now = self.context.now();
        match self.context.read(move |connection| dispatch::next_due(connection, now)).await {
            Ok(due_at) => {
                let monotonic = self.context.clock.monotonic();
                self.due_at = due_at.map(|due_at| monotonic.saturating_add(due_at.since(now)));
            }
            Err(Error::Stopped) => self.due_at = None,
            // Perhaps something waits: the run will find out.
            Err(_) => self.due_at = Some(i64::MIN),
        }
    }

    fn random(&self) -> u64 {
        let mut bytes = [0; 8];
        self.entropy.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }
}

/// That there is a pump. Dropped when it ends, by a panic as well: nobody is to wait for one that is gone.
struct Presence(Arc<Signals>);

impl Drop for Presence {
    fn drop(&mut self) {
        self.0.end();
    }
}

fn state_of(trouble: Trouble) -> ServiceState {
    match trouble {
        // Reading goes on.
        Trouble::Upgrade => ServiceState::Degraded,
        Trouble::RateLimited { .. } => ServiceState::Degraded,
        _ => ServiceState::Unavailable,
    }
}
