use std::{
    collections::BTreeSet,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
};

use safescan_core::model::QrHash;
use tokio::sync::Notify;

use super::backlog::Backlog;
use crate::{rules::Account, storage::Prefix};

/// A device's place in the stream of changes.
pub(super) struct Session {
    /// By which the device comes back.
    pub(super) name: String,
    pub(super) account: Account,
    pub(super) device: String,
    /// Tells the socket to look.
    pub(super) wake: Notify,
    /// Which socket the session belongs to: an older one that finds another number here ends.
    holder: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) backlog: Backlog,
    pub(super) topics: BTreeSet<Prefix>,
    /// Since when no socket serves it; `None` while one does.
    pub(super) left_at: Option<i64>,
}

impl Session {
    pub(super) fn new(name: String, account: Account, device: String) -> Self {
        Self { name, account, device, wake: Notify::new(), holder: AtomicU64::new(1), state: Mutex::default() }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Which socket holds it.
    pub(super) fn holder(&self) -> u64 {
        self.holder.load(SeqCst)
    }

    /// Takes it over from whichever socket holds it.
    pub(super) fn take_over(&self) -> u64 {
        let holder = self.holder.fetch_add(1, SeqCst) + 1;
        self.wake.notify_waiters();
        self.wake.notify_one();
        holder
    }

    /// Ratings changed. Returns how many overtook an earlier change.
    pub(super) fn codes(&self, codes: &[QrHash]) -> u64 {
        let mut state = self.state();
        let overtook = codes.iter().map(|code| u64::from(state.backlog.code(*code))).sum();
        drop(state);
        self.wake.notify_one();
        overtook
    }

    /// Something of the account changed.
    pub(super) fn account_changed(&self) {
        self.state().backlog.account();
        self.wake.notify_one();
    }
}
