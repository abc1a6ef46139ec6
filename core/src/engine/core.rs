use std::{
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use super::{
    CircuitEntry,
    background::Home,
    bus::EventReader,
    circuits::Circuits,
    dispatcher::{Listener, Sink},
    hub::Hub,
    registry::{self, Slot},
};
use crate::{
    cache::Cache,
    clock::{Clock, SystemClock},
    config::Config,
    entropy::{Entropy, SystemEntropy},
    error::{Error, Problem, Result},
    features::{Cloud, Context, Import, KeyValue, Operations, Ratings, Reach, Scans, SettingsStore, Upkeep, Votes},
    limits::{MAX_KEY_BYTES, MAX_VALUE_BYTES, check_bytes, check_name, check_range},
    log::Level,
    model::{
        CacheStatistics, Event, Health, HealthCause, IdentityKeySource, MemoryPressure, Service, ServiceState,
        Statistics, StoreName,
    },
    net::{Network, RealtimeConnector},
    realtime::LiveLink,
    remote::Client,
    resilience::BreakerState,
    storage::{Place, Store, Surroundings, files::Files},
    sync::{Live, Pump, Sync},
};

/// How long `open` waits for a lock that a core in its last throes may still hold, and how often it looks.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);
const LOCK_INTERVAL: Duration = Duration::from_millis(20);

/// What a core takes from the world around it. The default is the real one.
#[derive(Clone)]
pub struct Environment {
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where randomness comes from.
    pub entropy: Arc<dyn Entropy>,
    /// The way to the server; the real one if not given.
    pub network: Option<Network>,
    /// For simulations: where the core's tasks run, with all work on the storage done in place, so that a run on one
    /// thread and under paused time can be repeated. On threads of the core's own if not given.
    pub runtime: Option<tokio::runtime::Handle>,
}

impl Default for Environment {
    fn default() -> Self {
        Self { clock: Arc::new(SystemClock::new()), entropy: Arc::new(SystemEntropy), network: None, runtime: None }
    }
}

/// A running core. Its features are its public fields.
pub struct Core {
    /// The scan history.
    pub scans: Scans,
    /// Votes cast on this device.
    pub votes: Votes,
    /// What the community thinks of codes.
    pub ratings: Ratings,
    /// Key-value data.
    pub key_value: KeyValue,
    /// What the app's user has chosen.
    pub settings: SettingsStore,
    /// Changes that the server does not know of yet.
    pub operations: Operations,
    /// Keeping the storage small, whole and, at the end, empty.
    pub upkeep: Upkeep,
    /// What AsyncStorage left.
    pub import: Import,
    /// Synchronisation with the server.
    pub sync: Sync,
    context: Arc<Context>,
    cache: Cache,
    circuits: Mutex<Circuits>,
    pub(super) hub: Arc<Hub>,
    /// The one behind `next_events`, made when it is first called.
    reader: OnceLock<EventReader>,
    slot: Slot,
    pub(super) stopped: AtomicBool,
    pub(super) home: Home,
    /// Whose turn it is to go to sleep or to wake up: one after the other, in the order of the calls, or the core would be
    /// left half asleep.
    turn: tokio::sync::Mutex<()>,
    #[cfg(feature = "test-hooks")]
    test_clock: Option<Arc<crate::clock::ShiftedClock>>,
}

impl Core {
    /// Opens the core in `config.directory`, or gives the one that runs there already.
    ///
    /// # Errors
    /// Invalid configuration; the files cannot be opened; another process or a newer version has them.
    pub async fn open(config: Config) -> Result<Arc<Self>> {
        #[cfg(feature = "test-hooks")]
        {
            let clock = Arc::new(crate::clock::ShiftedClock::default());
            let environment = Environment { clock: Arc::clone(&clock) as Arc<dyn Clock>, ..Environment::default() };
            Self::open_with(config, environment, Some(clock)).await
        }
        #[cfg(not(feature = "test-hooks"))]
        Self::open_with(config, Environment::default()).await
    }

    /// The same in a world of the caller's making.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn open_in(config: Config, environment: Environment) -> Result<Arc<Self>> {
        Self::open_with(
            config,
            environment,
            #[cfg(feature = "test-hooks")]
            None,
        )
        .await
    }

    async fn open_with(
        config: Config,
        environment: Environment,
        #[cfg(feature = "test-hooks")] test_clock: Option<Arc<crate::clock::ShiftedClock>>,
    ) -> Result<Arc<Self>> {
        config.validate()?;
        let network = network(&config, &environment)?;
        let connector = network.as_ref().map(|network| Arc::clone(&network.realtime));
        let home = Home::new(environment.runtime.clone())?;
        let directory = config.directory.clone();
        let place = if home.is_simulated() { Place::Here } else { Place::OffThread };
        let files = match place {
            Place::Here => Files::in_directory(&directory)?,
            Place::OffThread => {
                let opened = home.handle().spawn_blocking(move || Files::in_directory(&directory)).await;
                opened.unwrap_or(Err(Error::Panicked { during: "opening" }))?
            }
        };
        let slot = registry::slot(files.directory());
        let mut slot_place = Arc::clone(&slot).lock_owned().await;
        if let Some(core) = slot_place.upgrade().filter(|core| !core.stopped.load(SeqCst)) {
            // However the directory was written, it is the same.
            let spelled = Config { directory: core.context.config.directory.clone(), ..config };
            let same = core.context.config == spelled;
            let other = Error::invalid("directory", Problem::Is("is open already, with another configuration"));
            return if same { Ok(core) } else { Err(other) };
        }

        let reach = match (&config.sync, &network) {
            (None, _) => Reach::NotWanted,
            (Some(_), None) => Reach::NotBuilt,
            (Some(sync), Some(_)) if sync.only_when_asked => Reach::WhenAsked,
            (Some(_), Some(_)) => Reach::There,
        };
        let Environment { clock, entropy, .. } = environment;
        let hub = Arc::new(Hub::new(reach, Arc::clone(&clock)));
        let surroundings =
            Surroundings { clock: Arc::clone(&clock), entropy: Arc::clone(&entropy), log: hub.log.clone() };
        let opening = {
            let (hub, config) = (Arc::clone(&hub), config.clone());
            home.handle().spawn(async move { open_store(&files, &config, &surroundings, &hub, place).await }).await
        };
        let (store, repaired) = opening.unwrap_or(Err(Error::Panicked { during: "opening" }))?;

        let cache = Cache::new(config.cache_capacity(), Arc::clone(&clock));
        let observer: Arc<dyn crate::storage::Observer> = Arc::clone(&hub) as _;
        let cloud = network.map(|network| {
            let signals = Arc::clone(&hub.signals);
            Cloud::new(Client::new(network, Arc::clone(&clock), Box::new(move || signals.token_refused())))
        });
        let context = Arc::new(Context::new(store, config, clock, observer, Arc::clone(&hub.health), cloud));
        let ratings = Ratings::new(Arc::clone(&context), Arc::clone(&hub.seen), hub.watched.clone());
        let core = Arc::new(Self {
            scans: Scans(Arc::clone(&context)),
            votes: Votes::new(Arc::clone(&context), ratings.clone()),
            key_value: KeyValue(Arc::clone(&context)),
            settings: SettingsStore(Arc::clone(&context)),
            operations: Operations(Arc::clone(&context)),
            import: Import::new(Arc::clone(&context), ratings.clone()),
            upkeep: Upkeep {
                context: Arc::clone(&context),
                ratings: ratings.clone(),
                settings: SettingsStore(Arc::clone(&context)),
            },
            sync: Sync { context: Arc::clone(&context), signals: Arc::clone(&hub.signals) },
            ratings,
            cache,
            circuits: Mutex::new(Circuits::new()),
            hub,
            reader: OnceLock::new(),
            slot,
            stopped: AtomicBool::new(false),
            home,
            turn: tokio::sync::Mutex::default(),
            #[cfg(feature = "test-hooks")]
            test_clock,
            context,
        });
        if let Some(report) = repaired {
            core.context.observer.happened(Event::Repaired { report });
        }
        core.begin_sync(&entropy, connector);
        *slot_place = Arc::downgrade(&core);
        Ok(core)
    }

    /// Starts what runs in the background, if there is a server.
    fn begin_sync(&self, entropy: &Arc<dyn Entropy>, connector: Option<Arc<dyn RealtimeConnector>>) {
        let (Some(_), Some(connector)) = (&self.context.cloud, connector) else { return };
        let only_when_asked = self.context.config.sync.as_ref().is_none_or(|sync| sync.only_when_asked);
        if !only_when_asked {
            self.begin_live(Arc::clone(entropy), connector);
        }
        let (context, ratings) = (Arc::clone(&self.context), self.ratings.clone());
        let (signals, entropy) = (Arc::clone(&self.hub.signals), Arc::clone(entropy));
        let (observer, told) = (Arc::clone(&self.context.observer), Arc::clone(&signals));
        let begin = move || {
            let settings = SettingsStore(Arc::clone(&context));
            Pump::new(Arc::clone(&context), ratings.clone(), settings, Arc::clone(&signals), Arc::clone(&entropy))
                .work()
        };
        self.home.keep(begin, move || {
            told.interrupted();
            observer.log(Level::Error, "synchronisation begins anew after a bug", &[]);
        });
    }

    /// Starts the live link.
    fn begin_live(&self, entropy: Arc<dyn Entropy>, connector: Arc<dyn RealtimeConnector>) {
        let (context, ratings) = (Arc::clone(&self.context), self.ratings.clone());
        let (signals, log) = (Arc::clone(&self.hub.signals), self.hub.log.clone());
        let observer = Arc::clone(&self.context.observer);
        let begin = move || {
            let host = Arc::new(Live {
                context: Arc::clone(&context),
                ratings: ratings.clone(),
                signals: Arc::clone(&signals),
            });
            let wanted = context.cloud.as_ref().and_then(Cloud::wanted);
            let link = wanted.map(|wanted| {
                LiveLink::new(Arc::clone(&connector), Arc::clone(&entropy), log.clone(), host, wanted).run()
            });
            async move {
                if let Some(link) = link {
                    link.await;
                }
            }
        };
        self.home.keep(begin, move || observer.log(Level::Error, "the live link begins anew after a bug", &[]));
    }

    /// Closes every file and every connection, and lets no timer run. Calls made meanwhile open files for their own
    /// duration; those that need the server do without it, but for [`run_once`](Sync::run_once).
    ///
    /// # Errors
    /// The log could not be folded into the database. The files are closed all the same, and nothing is lost.
    pub async fn suspend(&self) -> Result<()> {
        let _turn = self.turn.lock().await;
        if self.hub.health.of(Service::LocalStorage).0 == ServiceState::Healthy {
            self.context.set_health(Service::LocalStorage, ServiceState::Healthy, HealthCause::Suspended);
        }
        self.home.set_asleep(true);
        let word = self.hub.signals.sleep();
        if let Some(cloud) = &self.context.cloud {
            cloud.set_asleep(true);
            cloud.client.rest().await;
            self.hub.signals.has_heard(word).await;
            cloud.no_link().await;
            // Nobody uses one any more.
            cloud.client.close().await;
            self.context.show_no_link();
        }
        let closed = self.context.store.suspend().await;
        self.home.forget_timers().await;
        closed
    }

    /// Keeps files open again.
    ///
    /// # Errors
    /// The core was shut down.
    pub async fn resume(&self) -> Result<()> {
        let _turn = self.turn.lock().await;
        self.context.store.resume().await?;
        self.home.set_asleep(false);
        if let Some(cloud) = &self.context.cloud {
            cloud.client.set_awake(true);
            cloud.set_asleep(false);
            self.context.show_no_link();
        }
        self.hub.signals.wake();
        if self.hub.health.of(Service::LocalStorage).1 == HealthCause::Suspended {
            self.context.set_health(Service::LocalStorage, ServiceState::Healthy, HealthCause::None);
        }
        Ok(())
    }

    /// Ends everything. May be called again.
    ///
    /// # Errors
    /// None.
    pub async fn shutdown(&self) -> Result<()> {
        // Held until the files are closed: whoever opens the directory next finds them free.
        let _place = self.slot.lock().await;
        if !self.stopped.swap(true, SeqCst) {
            self.hub.signals.stop();
            if let Some(cloud) = &self.context.cloud {
                cloud.end_link();
            }
            self.home.join().await;
            self.context.store.stop().await;
            self.cache.clear();
            self.hub.close();
        }
        Ok(())
    }

    /// Gives memory back.
    ///
    /// # Errors
    /// The core was shut down.
    pub fn memory_pressure(&self, level: MemoryPressure) -> Result<()> {
        match level {
            MemoryPressure::Moderate => self.cache.shrink(),
            MemoryPressure::Critical => {
                self.cache.clear();
                self.ratings.forget_all();
            }
        }
        Ok(())
    }

    /// The state of every part.
    #[must_use]
    pub fn health(&self) -> Health {
        let given = self.context.config.identity_key.is_some();
        let identity_key = if given { IdentityKeySource::Host } else { IdentityKeySource::Database };
        Health { services: self.hub.health.all(), identity_key }
    }

    /// Counts over everything stored.
    ///
    /// # Errors
    /// The storage cannot be read.
    pub async fn statistics(&self) -> Result<Statistics> {
        let counters = self.context.store.counters().await?;
        let count = |rows: i64| u32::try_from(rows.max(0)).unwrap_or(u32::MAX);
        Ok(Statistics {
            scans: count(counters.rows(StoreName::Scans)),
            votes: count(counters.rows(StoreName::Votes)),
            rated_codes: count(counters.rated_codes()),
            lifetime_safe_votes: count(counters.lifetime_safe()),
            lifetime_unsafe_votes: count(counters.lifetime_unsafe()),
            kv_entries: count(counters.rows(StoreName::KeyValue)),
            pending_operations: count(counters.rows(StoreName::Operations)),
            cache: self.cache.statistics(),
        })
    }

    /// Waits for events and takes up to `max`; none means that there will be no more for this reader.
    ///
    /// # Errors
    /// Invalid input.
    pub async fn next_events(&self, max: u32) -> Result<Vec<Event>> {
        self.reader.get_or_init(|| self.event_reader(false)).next(max).await
    }

    /// A reader of events of its own; with `news_only`, of what happens from now on.
    pub fn event_reader(&self, news_only: bool) -> EventReader {
        self.hub.bus.reader(news_only)
    }

    /// Tells `listener` of every event from now on.
    ///
    /// # Errors
    /// No thread can be started.
    pub fn set_listener(&self, listener: Option<Listener>) -> Result<()> {
        self.hub.set_listener(listener)
    }

    /// Sends log records of `level` and above to `sink` from now on.
    ///
    /// # Errors
    /// No thread can be started.
    pub fn set_log_sink(&self, level: Level, sink: Option<Sink>) -> Result<()> {
        self.hub.set_sink(level, sink)
    }

    /// The value under `key` in the cache.
    ///
    /// # Errors
    /// Invalid input.
    pub fn cache_get(&self, key: &str) -> Result<Option<String>> {
        check_name("key", key, MAX_KEY_BYTES)?;
        Ok(self.cache.find(key).map(|value| value.as_ref().to_owned()))
    }

    /// Keeps a value in the cache.
    ///
    /// # Errors
    /// Invalid input.
    pub fn cache_set(&self, key: String, value: String, ttl_ms: Option<u32>) -> Result<()> {
        check_name("key", &key, MAX_KEY_BYTES)?;
        check_bytes("value", &value, MAX_VALUE_BYTES)?;
        let ttl_ms = ttl_ms.unwrap_or(self.context.config.cache_ttl_ms());
        check_range("ttl_ms", ttl_ms.into(), 1, u32::MAX.into())?;
        self.cache.keep(key, &value, ttl_ms);
        Ok(())
    }

    /// Forgets a key of the cache; false if it was not there.
    ///
    /// # Errors
    /// Invalid input.
    pub fn cache_remove(&self, key: &str) -> Result<bool> {
        check_name("key", key, MAX_KEY_BYTES)?;
        Ok(self.cache.forget(key))
    }

    /// Forgets everything in the cache.
    ///
    /// # Errors
    /// The core was shut down.
    pub fn cache_clear(&self) -> Result<()> {
        self.cache.clear();
        Ok(())
    }

    /// How the cache is doing.
    ///
    /// # Errors
    /// The core was shut down.
    pub fn cache_statistics(&self) -> Result<CacheStatistics> {
        Ok(self.cache.statistics())
    }

    /// Asks to make a call of `service`.
    ///
    /// # Errors
    /// Invalid input.
    pub fn circuit_enter(&self, service: &str) -> Result<CircuitEntry> {
        check_name("service", service, MAX_KEY_BYTES)?;
        Ok(self.circuits().enter(service, self.context.clock.monotonic()))
    }

    /// Reports how a call of `service` went.
    ///
    /// # Errors
    /// Invalid input.
    pub fn circuit_report(&self, service: &str, permit: u32, succeeded: bool) -> Result<()> {
        check_name("service", service, MAX_KEY_BYTES)?;
        self.circuits().report(service, permit, succeeded, self.context.clock.monotonic());
        Ok(())
    }

    /// How the breaker of `service` stands.
    ///
    /// # Errors
    /// Invalid input.
    pub fn circuit_state(&self, service: &str) -> Result<BreakerState> {
        check_name("service", service, MAX_KEY_BYTES)?;
        Ok(self.circuits().state(service, self.context.clock.monotonic()))
    }

    fn circuits(&self) -> std::sync::MutexGuard<'_, Circuits> {
        self.circuits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// For this project's own tests.
#[cfg(feature = "test-hooks")]
impl Core {
    /// Lets so much time pass at once.
    pub fn test_advance_clock(&self, millis: i64) {
        if let Some(clock) = &self.test_clock {
            clock.advance(millis);
        }
    }

    /// Panics.
    ///
    /// # Errors
    /// Never; it panics.
    #[expect(clippy::panic, reason = "this is what it is for")]
    pub fn test_panic(&self) -> Result<()> {
        panic!("a test asked for it");
    }

    /// Lets every access to the main database fail, or no longer.
    pub fn test_fail_storage(&self, fail: bool) {
        self.context.store.probe().refuse(fail);
    }

    /// Ends as a kill of the process does: tasks where they stand, files as they are, and nobody is told. Only in a
    /// simulation, where the core has no threads of its own.
    pub fn test_kill(&self) {
        self.stopped.store(true, SeqCst);
        self.home.abort();
        self.context.store.kill();
    }

    /// Steps of SQLite's virtual machine so far.
    #[must_use]
    pub fn test_storage_steps(&self) -> u64 {
        self.context.store.probe().steps()
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        self.hub.close();
    }
}

/// The way to the server, if the configuration names one: the given one, else the real one.
fn network(config: &Config, environment: &Environment) -> Result<Option<Network>> {
    let Some(_sync) = &config.sync else { return Ok(None) };
    if let Some(given) = &environment.network {
        return Ok(Some(given.clone()));
    }
    #[cfg(feature = "network")]
    return crate::net::connect_to(_sync, Arc::clone(&environment.clock)).map(Some);
    #[cfg(not(feature = "network"))]
    Ok(None)
}

async fn open_store(
    files: &Files,
    config: &Config,
    surroundings: &Surroundings,
    hub: &Arc<Hub>,
    place: Place,
) -> Result<(Store, Option<crate::model::RepairReport>)> {
    let mut waited = Duration::ZERO;
    loop {
        let observer: Arc<dyn crate::storage::Observer> = Arc::clone(hub) as _;
        match Store::open(files.clone(), config, surroundings.clone(), observer, place).await {
            // A core that was dropped without a shutdown lets go of the files a moment later.
            Err(Error::HeldElsewhere) if waited < LOCK_PATIENCE => {
                tokio::time::sleep(LOCK_INTERVAL).await;
                waited += LOCK_INTERVAL;
            }
            result => return result,
        }
    }
}
