use std::sync::{Arc, Mutex, PoisonError};

use super::{HealthBoard, cloud::Cloud};
use crate::{
    clock::Clock,
    config::Config,
    error::{Error, Problem, Result},
    limits::{MAX_KEY_BYTES, check_name, check_qr_text},
    model::{CodeRef, Event, HealthCause, QrHash, QrKind, Service, ServiceState, StoreName, UnixMillis, VoterId},
    qr,
    storage::{Connection, Observer, Store},
    voting::IdentityKey,
};

/// What every feature works with.
pub(crate) struct Context {
    pub(crate) store: Store,
    pub(crate) config: Config,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) health: Arc<HealthBoard>,
    /// The server, if there is one.
    pub(crate) cloud: Option<Cloud>,
    /// Stores whose damage was told already.
    damaged: Mutex<Vec<StoreName>>,
}

/// A code that may be voted on.
pub(crate) struct Subject {
    pub(crate) hash: QrHash,
    pub(crate) host_hash: Option<QrHash>,
}

impl Context {
    pub(crate) fn new(
        store: Store,
        config: Config,
        clock: Arc<dyn Clock>,
        observer: Arc<dyn Observer>,
        health: Arc<HealthBoard>,
        cloud: Option<Cloud>,
    ) -> Self {
        Self { store, config, clock, observer, health, cloud, damaged: Mutex::default() }
    }

    pub(crate) fn now(&self) -> UnixMillis {
        self.clock.wall()
    }

    /// Reads, and notes how it went.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let result = self.store.read(work).await;
        match &result {
            Ok(_) => self.observer.succeeded(),
            Err(error) => self.observer.failed(error),
        }
        result
    }

    /// Tells, once, that rows of a store are withheld.
    pub(crate) fn note_damage(&self, store: StoreName, count: u32) {
        let mut damaged = self.damaged.lock().unwrap_or_else(PoisonError::into_inner);
        if count > 0 && !damaged.contains(&store) {
            damaged.push(store);
            drop(damaged);
            self.observer.happened(Event::DamageFound { store, count });
            self.set_health(Service::LocalStorage, ServiceState::Degraded, HealthCause::DamagedRows);
        }
    }

    /// Damage was taken out: what is found from now on is new.
    pub(crate) fn forget_damage(&self) {
        self.damaged.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.set_health(Service::LocalStorage, ServiceState::Healthy, HealthCause::None);
    }

    /// Changes a part's state, and tells if it was another before.
    pub(crate) fn set_health(&self, service: Service, state: ServiceState, cause: HealthCause) {
        if let Some(health) = self.health.set(service, state, cause, self.now()) {
            self.observer.happened(Event::HealthChanged { health });
        }
    }

    /// The key that hides voters.
    pub(crate) fn identity_key(&self) -> IdentityKey {
        let given = self.config.identity_key.as_deref().and_then(IdentityKey::from_slice);
        given.unwrap_or_else(|| self.store.installation().key.clone())
    }

    /// Who votes: a name that only this device can trace back.
    pub(crate) fn person(&self, user_id: Option<&str>) -> Result<VoterId> {
        if let Some(user_id) = user_id {
            check_name("user_id", user_id, MAX_KEY_BYTES)?;
        }
        let installation = self.store.installation();
        Ok(self.identity_key().voter_id(user_id.unwrap_or(&installation.own_user_id)))
    }

    /// The voter's name outside this device, on this code.
    pub(crate) fn voter(&self, user_id: Option<&str>, code: &QrHash) -> Result<VoterId> {
        Ok(self.names(user_id)?.on(code))
    }

    /// The names of whoever votes.
    pub(crate) fn names(&self, user_id: Option<&str>) -> Result<Names> {
        let person = self.person(user_id)?;
        let unlinkable = self.config.unlinkable_votes.then(|| {
            let own = &self.store.installation().own_user_id;
            (self.identity_key(), user_id.unwrap_or(own).to_owned())
        });
        Ok(Names { person, unlinkable })
    }

    /// What is voted on, or the kind of code that is not.
    pub(crate) fn subject(&self, code: &CodeRef) -> Result<Result<Subject, QrKind>> {
        match code {
            CodeRef::Hash { qr_hash } => Ok(Ok(Subject { hash: *qr_hash, host_hash: None })),
            CodeRef::Text { text } => {
                check_qr_text(text)?;
                let kind = qr::classify(text);
                if !qr::is_votable(kind, self.config.votable_kinds()) {
                    return Ok(Err(kind));
                }
                let host_hash = qr::canonical_host(text).map(|host| qr::hash_host(&host));
                Ok(Ok(Subject { hash: qr::hash_text(text), host_hash }))
            }
        }
    }
}

/// The names of somebody who votes.
#[derive(Clone)]
pub(crate) struct Names {
    /// On this device only.
    pub(crate) person: VoterId,
    /// What names for single codes are made of, if there is to be one for each.
    unlinkable: Option<(IdentityKey, String)>,
}

impl Names {
    /// The name outside this device, on this code.
    pub(crate) fn on(&self, code: &QrHash) -> VoterId {
        match &self.unlinkable {
            Some((key, user_id)) => key.voter_id_for_code(user_id, code),
            None => self.person,
        }
    }
}

/// Reads the number that a cursor hides.
pub(crate) fn parse_cursor(cursor: &str) -> Result<i64> {
    i64::from_str_radix(cursor, 16)
        .ok()
        .filter(|number| *number >= 0)
        .ok_or(Error::invalid("cursor", Problem::Is("is not one that a page gave")))
}
