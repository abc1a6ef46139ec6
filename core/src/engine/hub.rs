use std::sync::{Arc, OnceLock};

use super::{
    bus::Bus,
    dispatcher::{Dispatcher, Listener, Sink},
};
use crate::{
    clock::Clock,
    error::{Error, Result},
    features::{HealthBoard, Reach, SeenRatings, Watched},
    log::{Level, Log},
    model::{Event, HealthCause, Service, ServiceState},
    storage::{Observer, snapshots::Snapshot},
    sync::Signals,
};

/// Where everything that can be observed comes together: events, health, the log.
pub(super) struct Hub {
    pub(super) bus: Arc<Bus>,
    pub(super) health: Arc<HealthBoard>,
    pub(super) log: Log,
    /// Ratings of the last commits, in memory before anybody is told that they changed.
    pub(super) seen: Arc<SeenRatings>,
    /// Codes whose changes are told.
    pub(super) watched: Watched,
    /// What is queued for the server is told here.
    pub(super) signals: Arc<Signals>,
    clock: Arc<dyn Clock>,
    /// Started when the first listener or sink is set: most apps pull.
    dispatcher: OnceLock<Arc<Dispatcher>>,
}

impl Hub {
    pub(super) fn new(network: Reach, clock: Arc<dyn Clock>) -> Self {
        let health = Arc::new(HealthBoard::new(network, clock.wall()));
        let signals = Arc::new(Signals::new());
        Self {
            bus: Arc::default(),
            health,
            log: Log::default(),
            seen: Arc::default(),
            watched: Watched::default(),
            signals,
            clock,
            dispatcher: OnceLock::new(),
        }
    }

    pub(super) fn set_listener(&self, listener: Option<Listener>) -> Result<()> {
        self.dispatcher()?.set_listener(listener);
        Ok(())
    }

    pub(super) fn set_sink(&self, level: Level, sink: Option<Sink>) -> Result<()> {
        let dispatcher = Arc::clone(self.dispatcher()?);
        let hook = sink.map(|sink| -> (Level, crate::log::LogHook) {
            (level, Arc::new(move |record| dispatcher.log(&sink, record)))
        });
        self.log.set_hook(hook);
        Ok(())
    }

    /// Ends all observation.
    pub(super) fn close(&self) {
        self.signals.stop();
        self.set(Service::LocalStorage, ServiceState::Unavailable, HealthCause::Stopped);
        self.bus.close();
        self.log.set_hook(None);
    }

    fn publish(&self, events: Vec<Event>) {
        if let Some(dispatcher) = self.dispatcher.get() {
            dispatcher.publish(&events);
        }
        self.bus.publish(events);
    }

    fn set(&self, service: Service, state: ServiceState, cause: HealthCause) {
        if let Some(health) = self.health.set(service, state, cause, self.clock.wall()) {
            self.publish(vec![Event::HealthChanged { health }]);
        }
    }

    /// The storage is well again, if it was ill for one of these causes.
    fn recover(&self, causes: &[HealthCause]) {
        if causes.contains(&self.health.of(Service::LocalStorage).1) {
            self.set(Service::LocalStorage, ServiceState::Healthy, HealthCause::None);
            self.set(Service::CommunityRatings, ServiceState::Healthy, HealthCause::None);
        }
    }

    fn dispatcher(&self) -> Result<&Arc<Dispatcher>> {
        if self.dispatcher.get().is_none() {
            // Two at once start two; the second ends at once.
            drop(self.dispatcher.set(Arc::new(Dispatcher::start()?)));
        }
        self.dispatcher.get().ok_or(Error::Unexpected { what: "a dispatcher that was set is not there" })
    }
}

impl Observer for Hub {
    fn committed(&self, mut events: Vec<Event>, ratings: &[Snapshot], queued: bool) {
        self.seen.changed(ratings);
        if queued {
            self.signals.queued();
        }
        // Whatever kept writes from succeeding is over. Damaged rows stay until a repair, sleep until the app wakes up.
        self.recover(&[HealthCause::FilesUnavailable, HealthCause::StorageFull, HealthCause::WriteFailed]);
        events.retain(|event| self.watched.wants(event));
        if !events.is_empty() {
            self.publish(events);
        }
    }

    fn succeeded(&self) {
        self.recover(&[HealthCause::FilesUnavailable]);
    }

    fn failed(&self, error: &Error) {
        let (state, cause) = match error {
            Error::Io { .. } | Error::HeldElsewhere => (ServiceState::Unavailable, HealthCause::FilesUnavailable),
            Error::DiskFull | Error::QuotaExceeded => (ServiceState::Degraded, HealthCause::StorageFull),
            Error::Damaged { .. } => (ServiceState::Degraded, HealthCause::DamagedRows),
            Error::Sqlite { .. } | Error::Unexpected { .. } | Error::Panicked { .. } => {
                (ServiceState::Degraded, HealthCause::WriteFailed)
            }
            // The caller's fault, or the end.
            Error::Invalid { .. } | Error::NewerSchema { .. } | Error::Stopped => return,
            // These say nothing of the storage.
            Error::NoServer { .. } | Error::Unauthorized | Error::RateLimited { .. } => return,
        };
        self.set(Service::LocalStorage, state, cause);
        if state == ServiceState::Unavailable {
            // Ratings come from memory and the cache now.
            self.set(Service::CommunityRatings, ServiceState::Degraded, cause);
        }
    }

    fn happened(&self, event: Event) {
        self.publish(vec![event]);
    }

    fn log(&self, level: Level, text: &'static str, fields: &[(&'static str, i64)]) {
        self.log.say(level, "sync", text, fields);
    }
}
