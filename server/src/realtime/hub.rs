//! Everybody who wants to know.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering::Relaxed},
};

use safescan_core::model::QrHash;
use tokio::sync::watch;

use super::session::Session;
use crate::{clock::Clock, config::RealtimeConfig, metrics::Metrics, rules::Account, storage::Prefix};

/// Sessions of one account at most: a hundred devices would be a bot. The one longest away goes first.
const MOST_OF_ACCOUNT: usize = 64;

/// All sessions, and which of them a change is told to.
pub struct Hub {
    config: RealtimeConfig,
    clock: Clock,
    metrics: Arc<Metrics>,
    state: Mutex<State>,
    commits: watch::Sender<()>,
}

#[derive(Default)]
struct State {
    sessions: HashMap<String, Arc<Session>>,
    by_topic: HashMap<Prefix, Vec<Arc<Session>>>,
    /// How many topics there are of each length: a hash is looked up once for each length in use.
    lengths: BTreeMap<usize, usize>,
    by_account: HashMap<Account, Vec<Arc<Session>>>,
}

impl Hub {
    pub(crate) fn new(config: RealtimeConfig, clock: Clock, metrics: Arc<Metrics>) -> Self {
        Self { config, clock, metrics, state: Mutex::default(), commits: watch::Sender::new(()) }
    }

    /// Told whenever something was committed.
    pub(crate) fn commits(&self) -> watch::Receiver<()> {
        self.commits.subscribe()
    }

    /// Tells who wants to know: of ratings that changed, and of an account that one of its devices changed.
    pub(crate) fn publish(&self, codes: &[QrHash], account: Option<(&Account, &str)>) {
        if codes.is_empty() && account.is_none() {
            return;
        }
        self.commits.send_replace(());
        let state = self.state();
        // By session, so that what was committed together is told together.
        let mut told: HashMap<&str, (&Arc<Session>, Vec<QrHash>)> = HashMap::new();
        for code in codes {
            let digits = code.to_string();
            for length in state.lengths.keys() {
                let topic = digits.get(..*length).and_then(Prefix::parse);
                for session in topic.and_then(|topic| state.by_topic.get(&topic)).into_iter().flatten() {
                    told.entry(&session.name).or_insert_with(|| (session, Vec::new())).1.push(*code);
                }
            }
        }
        // A code under two topics of a session comes twice, which is no overtaking.
        let overtook = told.values_mut().map(|(session, codes)| {
            codes.dedup();
            session.codes(codes)
        });
        self.metrics.conflated.fetch_add(overtook.sum(), Relaxed);
        if let Some((account, device)) = account {
            let sessions = state.by_account.get(account).into_iter().flatten();
            sessions.filter(|session| session.device != device).for_each(|session| session.account_changed());
        }
    }

    /// Begins a session; `None` when there are too many. One that this device left is forgotten.
    pub(super) fn begin(&self, account: &Account, device: &str) -> Option<Arc<Session>> {
        let mut state = self.state();
        let of_account: Vec<Arc<Session>> = state.by_account.get(account).cloned().unwrap_or_default();
        let left = |session: &Session| session.state().left_at;
        for session in of_account.iter().filter(|session| session.device == device && left(session).is_some()) {
            state.forget(session);
        }
        let remaining = state.by_account.get(account).map_or(0, Vec::len);
        if remaining >= MOST_OF_ACCOUNT {
            // Those that are served sort last: `None` would sort first.
            let oldest = of_account.iter().min_by_key(|session| left(session).unwrap_or(i64::MAX))?;
            state.forget(oldest);
            oldest.take_over();
        }
        if state.sessions.len() >= self.config.max_sessions as usize {
            return None;
        }
        let session = Arc::new(Session::new(new_name()?, account.clone(), device.to_owned()));
        state.sessions.insert(session.name.clone(), Arc::clone(&session));
        state.by_account.entry(account.clone()).or_default().push(Arc::clone(&session));
        self.metrics.sessions.store(i64::try_from(state.sessions.len()).unwrap_or(i64::MAX), Relaxed);
        Some(session)
    }

    /// The session of this name, if it is this device's.
    pub(super) fn find(&self, name: &str, account: &Account, device: &str) -> Option<Arc<Session>> {
        let found = self.state().sessions.get(name).cloned();
        found.filter(|session| session.account == *account && session.device == device)
    }

    /// Adds topics; false, and nothing is added, if that would be too many.
    pub(super) fn subscribe(&self, session: &Arc<Session>, topics: &[Prefix]) -> bool {
        let mut state = self.state();
        let mut own = session.state();
        let new: Vec<&Prefix> = topics.iter().filter(|topic| !own.topics.contains(topic)).collect();
        if own.topics.len() + new.len() > self.config.max_topics as usize {
            return false;
        }
        for topic in new {
            own.topics.insert(topic.clone());
            state.by_topic.entry(topic.clone()).or_default().push(Arc::clone(session));
            *state.lengths.entry(topic.digits().len()).or_default() += 1;
        }
        true
    }

    /// Takes topics away.
    pub(super) fn unsubscribe(&self, session: &Arc<Session>, topics: &[Prefix]) {
        let mut state = self.state();
        for topic in topics {
            if session.state().topics.remove(topic) {
                state.leave(session, topic);
            }
        }
    }

    /// A socket left a session, unless another has taken it over.
    pub(super) fn leave(&self, session: &Session, holder: u64) {
        if session.holder() == holder {
            session.state().left_at = Some(self.clock.monotonic());
        }
    }

    /// Forgets a session.
    pub(super) fn end(&self, session: &Arc<Session>) {
        let mut state = self.state();
        state.forget(session);
        self.metrics.sessions.store(i64::try_from(state.sessions.len()).unwrap_or(i64::MAX), Relaxed);
    }

    /// Forgets sessions that nobody came back to in time.
    pub(crate) fn sweep(&self) {
        let before = self.clock.monotonic() - i64::from(self.config.resume_seconds) * 1000;
        let mut state = self.state();
        let is_over = |session: &&Arc<Session>| session.state().left_at.is_some_and(|left| left < before);
        let over: Vec<Arc<Session>> = state.sessions.values().filter(is_over).cloned().collect();
        over.iter().for_each(|session| state.forget(session));
        self.metrics.sessions.store(i64::try_from(state.sessions.len()).unwrap_or(i64::MAX), Relaxed);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn forget(&mut self, session: &Arc<Session>) {
        if self.sessions.remove(&session.name).is_none() {
            return;
        }
        for topic in std::mem::take(&mut session.state().topics) {
            self.leave(session, &topic);
        }
        if let Some(of_account) = self.by_account.get_mut(&session.account) {
            of_account.retain(|other| !Arc::ptr_eq(other, session));
            if of_account.is_empty() {
                self.by_account.remove(&session.account);
            }
        }
    }

    fn leave(&mut self, session: &Arc<Session>, topic: &Prefix) {
        if let Some(sessions) = self.by_topic.get_mut(topic) {
            sessions.retain(|other| !Arc::ptr_eq(other, session));
            if sessions.is_empty() {
                self.by_topic.remove(topic);
            }
        }
        let length = topic.digits().len();
        if let Some(count) = self.lengths.get_mut(&length) {
            *count -= 1;
            if *count == 0 {
                self.lengths.remove(&length);
            }
        }
    }
}

/// 128 random bits: nobody comes back into a session by guessing.
fn new_name() -> Option<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).ok()?;
    Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
