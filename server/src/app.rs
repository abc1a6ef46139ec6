//! What holds everything together.

use std::{path::Path, sync::Arc};

use crate::{
    auth::Auth,
    clock::Clock,
    config::Config,
    drain::Drain,
    error::Result,
    faults::Faults,
    limits::RequestLimits,
    metrics::Metrics,
    realtime::Hub,
    storage::{Storage, sqlite::Sqlite},
};

/// What every request is served with.
pub struct App {
    /// As the operator wants it.
    pub config: Config,
    /// Where everything is kept.
    pub storage: Arc<dyn Storage>,
    /// Who asks.
    pub auth: Auth,
    /// How often.
    pub limits: RequestLimits,
    /// Who wants to know.
    pub hub: Arc<Hub>,
    /// How far the end has come.
    pub drain: Drain,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// What goes wrong on purpose.
    pub faults: Option<Arc<Faults>>,
    /// The time.
    pub clock: Clock,
}

impl App {
    /// Opens the embedded database in a directory.
    ///
    /// # Errors
    /// The database cannot be opened.
    pub fn open(data: &Path, config: Config, auth: Auth, faults: Option<Faults>) -> Result<Arc<Self>> {
        let storage: Arc<dyn Storage> = Arc::new(Sqlite::open(data)?);
        let (clock, metrics) = (Clock::start(), Arc::new(Metrics::default()));
        let hub = Hub::new(config.realtime, clock, Arc::clone(&metrics));
        let limits = RequestLimits::new(&config.requests);
        let faults = faults.map(Arc::new);
        let drain = Drain::new();
        Ok(Arc::new(Self { config, storage, auth, limits, hub: Arc::new(hub), drain, metrics, faults, clock }))
    }
}
