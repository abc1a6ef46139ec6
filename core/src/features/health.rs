use std::sync::{Mutex, PoisonError};

use crate::model::{HealthCause, Service, ServiceHealth, ServiceState, UnixMillis};

/// The state of every part, and since when it is so.
pub(crate) struct HealthBoard {
    services: Mutex<Vec<ServiceHealth>>,
}

impl HealthBoard {
    /// Everything that is there is well: a cold cache and a history without entries are no illness.
    pub(crate) fn new(sync_configured: bool, now: UnixMillis) -> Self {
        let well = (ServiceState::Healthy, HealthCause::None);
        let not_there = if sync_configured {
            (ServiceState::Unavailable, HealthCause::NotSupported)
        } else {
            (ServiceState::Disabled, HealthCause::NotConfigured)
        };
        let services = [
            (Service::LocalStorage, well),
            (Service::CommunityRatings, well),
            (Service::CloudSync, not_there),
            (Service::Realtime, not_there),
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
