//! A host that remembers what it is told.

use super::*;

/// What the host was told, in order.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Note {
    Ratings(Vec<i64>),
    Pull(Pull),
    LookUp(Vec<String>),
    ServerTime(i64),
    State(LiveState),
    TokenRefused,
    LongPoll,
}

/// Remembers what it is told. Storing takes a permit, polls answer what they are told to.
pub(super) struct Recorder {
    pub(super) notes: Mutex<Vec<Note>>,
    pub(super) storage: Semaphore,
    pub(super) polls: Mutex<VecDeque<(Duration, PollOutcome)>>,
}

impl Recorder {
    pub(super) fn note(&self, note: Note) {
        self.notes.lock().unwrap().push(note);
    }

    /// Takes out what was noted.
    pub(super) fn take(&self) -> Vec<Note> {
        std::mem::take(&mut self.notes.lock().unwrap())
    }

    pub(super) fn pulls(&self) -> Vec<Pull> {
        let pull = |note: &Note| if let Note::Pull(why) = note { Some(*why) } else { None };
        self.notes.lock().unwrap().iter().filter_map(pull).collect()
    }

    pub(super) fn stored(&self) -> Vec<i64> {
        let revs = |note: &Note| if let Note::Ratings(revs) = note { revs.clone() } else { Vec::new() };
        self.notes.lock().unwrap().iter().flat_map(revs).collect()
    }

    pub(super) fn state(&self) -> Option<LiveState> {
        let state = |note: &Note| if let Note::State(state) = note { Some(*state) } else { None };
        self.notes.lock().unwrap().iter().rev().find_map(state)
    }

    pub(super) fn count(&self, what: &Note) -> usize {
        self.notes.lock().unwrap().iter().filter(|note| *note == what).count()
    }
}

impl LiveHost for Recorder {
    fn ratings(&self, ratings: Vec<Rating>) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            self.storage.acquire().await.expect("never closed").forget();
            self.note(Note::Ratings(ratings.iter().map(|rating| rating.rev).collect()));
        })
    }

    fn pull(&self, why: Pull) {
        self.note(Note::Pull(why));
    }

    fn look_up(&self, topics: Vec<String>, _over_socket: bool) {
        self.note(Note::LookUp(topics));
    }

    fn server_time(&self, now: UnixMillis) {
        self.note(Note::ServerTime(now.0));
    }

    fn state(&self, state: LiveState) {
        self.note(Note::State(state));
    }

    fn token_refused(&self, _version: u64) {
        self.note(Note::TokenRefused);
    }

    fn long_poll(&self) -> BoxFuture<'_, PollOutcome> {
        Box::pin(async {
            self.note(Note::LongPoll);
            let next = self.polls.lock().unwrap().pop_front();
            let (held, outcome) = next.unwrap_or((Duration::from_secs(15), PollOutcome::Nothing));
            sleep(held).await;
            outcome
        })
    }
}
