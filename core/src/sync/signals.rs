//! What the pump is told, by whom ever: flags, and a bell.

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{Notify, watch};

use crate::{
    error::{Error, Result},
    model::{NetworkState, SyncReport},
};

/// What whoever asked for a run is told when it is given up.
pub(super) const GIVEN_UP: Error = Error::NoServer { what: "the run was given up", status: None };

/// Shared between the pump and everybody who tells it something.
pub(crate) struct Signals {
    state: Mutex<Told>,
    bell: Notify,
    /// The last run that came to an end, and how.
    finished: watch::Sender<Finished>,
    /// The last word to go to sleep of which the pump took note, with nothing else in its hands; every word while there is
    /// no pump.
    heard: watch::Sender<u64>,
}

/// What the pump was told and did not look at yet, and what holds until something else is said.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    /// The number of the last caller who asked for a run.
    pub(crate) asked: u64,
    /// Changes were queued.
    pub(crate) queued: bool,
    /// There is something to fetch.
    pub(crate) to_fetch: bool,
    /// Something is different: whatever failed may work now.
    pub(crate) fresh_start: bool,
    /// A token was given.
    pub(crate) new_token: bool,
    /// The server does not take the token in use.
    pub(crate) token_refused: bool,
    /// Beginnings of hashes that are live now, and of which the present is to be looked up.
    pub(crate) look_ups: BTreeSet<String>,
    /// The app is in the background.
    pub(crate) asleep: bool,
    /// How often it went there.
    word: u64,
    /// What the system says of the network.
    pub(crate) network: NetworkState,
    /// The core was shut down.
    pub(crate) stopped: bool,
    /// A run is under way.
    pub(crate) running: bool,
    /// It is to be given up.
    pub(crate) give_up: bool,
}

#[derive(Clone, Debug)]
struct Finished {
    /// Callers up to this number have their answer.
    up_to: u64,
    result: Result<SyncReport>,
}

impl Signals {
    pub(crate) fn new() -> Self {
        // A new process does not know what waits, nor what happened elsewhere.
        let told = Told { queued: true, to_fetch: true, ..Told::default() };
        let nothing = Finished { up_to: 0, result: Ok(SyncReport::default()) };
        Self {
            state: Mutex::new(told),
            bell: Notify::new(),
            finished: watch::Sender::new(nothing),
            heard: watch::Sender::new(0),
        }
    }

    /// Asks for a run that begins after this call, and waits for its end.
    pub(crate) async fn run(&self) -> Result<SyncReport> {
        let mut finished = self.finished.subscribe();
        let number = {
            let mut told = self.lock();
            if told.stopped {
                return Err(Error::Stopped);
            }
            told.asked += 1;
            told.asked
        };
        self.bell.notify_one();
        let last = finished.wait_for(|finished| finished.up_to >= number).await;
        last.map_err(|_| Error::Stopped)?.result.clone()
    }

    /// Changes were queued.
    pub(crate) fn queued(&self) {
        self.tell(|told| told.queued = true);
    }

    /// There is something to fetch.
    pub(crate) fn fetch(&self) {
        self.tell(|told| told.to_fetch = true);
    }

    /// The same, without a hurry: the next run is to do it.
    pub(crate) fn fetch_later(&self) {
        self.lock().to_fetch = true;
    }

    pub(crate) fn set_network(&self, network: NetworkState) {
        self.tell(|told| {
            let better = network == NetworkState::Online && told.network != NetworkState::Online;
            told.network = network;
            told.fresh_start |= better;
            told.to_fetch |= better;
        });
    }

    /// What is known of these codes is to be brought up to date.
    pub(crate) fn look_up(&self, topics: Vec<String>) {
        self.tell(|told| told.look_ups.extend(topics));
    }

    /// The server does not take the token in use: a run, a look-up or the live link was told so.
    pub(crate) fn token_refused(&self) {
        self.tell(|told| told.token_refused = true);
    }

    pub(crate) fn new_token(&self) {
        self.tell(|told| {
            told.new_token = true;
            told.fresh_start = true;
            told.to_fetch = true;
            told.queued = true;
        });
    }

    /// The app goes to the background; what is under way is given up, and what was asked for as well. The number of this
    /// word, for [`has_heard`](Self::has_heard).
    pub(crate) fn sleep(&self) -> u64 {
        let word = {
            let mut told = self.lock();
            told.asleep = true;
            told.word += 1;
            told.word
        };
        self.give_up_in_background();
        word
    }

    /// The app comes to the front.
    pub(crate) fn wake(&self) {
        self.tell(|told| {
            told.fresh_start |= told.asleep;
            told.to_fetch |= told.asleep;
            told.queued = true;
            told.asleep = false;
        });
    }

    /// What is under way, or was asked for, is to be given up; unless the app is in front, where it may go on.
    pub(crate) fn give_up_in_background(&self) {
        let not_begun = {
            let mut told = self.lock();
            told.give_up |= told.asleep;
            (told.asleep && !told.running && told.asked > self.answered()).then_some(told.asked)
        };
        match not_begun {
            Some(asked) => self.finish(asked, Err(GIVEN_UP)),
            None => self.bell.notify_one(),
        }
    }

    pub(crate) fn stop(&self) {
        self.tell(|told| {
            told.stopped = true;
            told.give_up = true;
        });
        self.finish(u64::MAX, Err(Error::Stopped));
    }

    /// Waits until the pump has taken note of this word to go to sleep: whatever it did before is over then.
    pub(crate) async fn has_heard(&self, word: u64) {
        // The sender lives as long as this.
        drop(self.heard.subscribe().wait_for(|heard| *heard >= word).await);
    }

    /// Waits for the bell.
    pub(crate) async fn rung(&self) {
        self.bell.notified().await;
    }

    /// Waits until a run is to be given up.
    pub(crate) async fn given_up(&self) {
        loop {
            if self.lock().give_up {
                return;
            }
            self.bell.notified().await;
        }
    }

    /// What was said; what was said once is taken. Nothing while the app is in the background and nobody asks: it is kept
    /// until either changes.
    pub(crate) fn take(&self) -> Option<Told> {
        let mut told = self.lock();
        self.heard.send_replace(told.word);
        if told.asleep && !told.stopped && told.asked <= self.answered() {
            return None;
        }
        let taken = told.clone();
        told.queued = false;
        told.fresh_start = false;
        told.new_token = false;
        told.token_refused = false;
        Some(taken)
    }

    /// What is to be looked up; it is not asked for again.
    pub(crate) fn take_look_ups(&self) -> BTreeSet<String> {
        std::mem::take(&mut self.lock().look_ups)
    }

    /// The pump is there.
    pub(crate) fn begin(&self) {
        self.heard.send_replace(0);
    }

    /// The pump is gone.
    pub(crate) fn end(&self) {
        self.heard.send_replace(u64::MAX);
    }

    /// By a panic: what was being done is not known. Everybody who asked is told, and the next pump looks for everything.
    pub(crate) fn interrupted(&self) {
        let asked = {
            let mut told = self.lock();
            (told.queued, told.to_fetch) = (true, true);
            told.asked
        };
        self.finish(asked, Err(Error::Panicked { during: "a run" }));
    }

    /// A run begins: it answers everybody who has asked so far. `None` if something happened since `planned` that may
    /// speak against it.
    pub(crate) fn set_out(&self, planned: &Told) -> Option<u64> {
        let mut told = self.lock();
        if told.stopped || told.word != planned.word {
            return None;
        }
        told.running = true;
        told.give_up = false;
        told.to_fetch = false;
        Some(told.asked)
    }

    /// A run, or what came in its place, is over.
    pub(crate) fn finish(&self, up_to: u64, result: Result<SyncReport>) {
        let stopped = {
            let mut told = self.lock();
            told.running = false;
            told.stopped
        };
        let result = if stopped { Err(Error::Stopped) } else { result };
        self.finished.send_modify(|finished| {
            *finished = Finished { up_to: up_to.max(finished.up_to), result };
        });
        // Whoever rang while the run was under way may have been heard by the run.
        self.bell.notify_one();
    }

    /// The number of the last caller who has an answer.
    pub(crate) fn answered(&self) -> u64 {
        self.finished.borrow().up_to
    }

    fn tell(&self, what: impl FnOnce(&mut Told)) {
        what(&mut self.lock());
        self.bell.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Told> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
