use std::sync::{Mutex, PoisonError};

use crate::{
    model::{HealthCause, Service, ServiceHealth, ServiceState, UnixMillis},
    remote::Trouble,
};

/// Whether there is a way to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The app configured none.
    NotWanted,
    /// This build has no network.
    NotBuilt,
    /// Yes, for whenever the app asks.
    WhenAsked,
    /// Yes, at all times.
    There,
}

/// What a failed exchange is called among the causes.
pub(crate) fn cause_of(trouble: Trouble) -> HealthCause {
    match trouble {
        Trouble::Offline => HealthCause::Offline,
        Trouble::Untrusted => HealthCause::Untrusted,
        Trouble::Transient { .. } | Trouble::Broken { .. } => HealthCause::ServerFailing,
        Trouble::RateLimited { .. } => HealthCause::RateLimited,
        Trouble::Auth => HealthCause::Unauthorized,
        Trouble::SetUp { .. } | Trouble::Shape { .. } | Trouble::Resync => HealthCause::ServerMisconfigured,
        Trouble::Upgrade => HealthCause::UpgradeRequired,
    }
}

/// The state of every part, and since when it is so.
pub(crate) struct HealthBoard {
    services: Mutex<Vec<ServiceHealth>>,
}

impl HealthBoard {
    /// Everything that is there is well: a cold cache and a history without entries are no illness.
    pub(crate) fn new(network: Reach, now: UnixMillis) -> Self {
        let well = (ServiceState::Healthy, HealthCause::None);
        let not_there = match network {
            Reach::NotWanted => (ServiceState::Disabled, HealthCause::NotConfigured),
            Reach::NotBuilt => (ServiceState::Unavailable, HealthCause::NotSupported),
            Reach::WhenAsked | Reach::There => (ServiceState::Unavailable, HealthCause::NotTried),
        };
        let realtime = match network {
            Reach::WhenAsked => (ServiceState::Disabled, HealthCause::NotConfigured),
            _ => not_there,
        };
        let services = [
            (Service::LocalStorage, well),
            (Service::CommunityRatings, well),
            (Service::CloudSync, not_there),
            (Service::Realtime, realtime),
            (Service::Cache, well),
        ];
        let services = services.map(|(service, (state, cause))| ServiceHealth { service, state, cause, since: now });
        Self { services: Mutex::new(services.into()) }
    }

    /// Every part's state.
    pub(crate) fn all(&self) -> Vec<ServiceHealth> {
        self.lock().clone()
    }

    /// One part's state.
    pub(crate) fn of(&self, service: Service) -> (ServiceState, HealthCause) {
        let services = self.lock();
        let found = services.iter().find(|health| health.service == service).expect("the board has every service");
        (found.state, found.cause)
    }

    /// Changes a part's state; what it is now, if it was another before.
    pub(crate) fn set(
        &self,
        service: Service,
        state: ServiceState,
        cause: HealthCause,
        now: UnixMillis,
    ) -> Option<ServiceHealth> {
        let mut services = self.lock();
        let health = services.iter_mut().find(|health| health.service == service)?;
        if (health.state, health.cause) == (state, cause) {
            return None;
        }
        *health = ServiceHealth { service, state, cause, since: now };
        Some(health.clone())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<ServiceHealth>> {
        self.services.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
