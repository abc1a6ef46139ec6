//! What a use-case works on: one transaction, with all that must be undone when it fails.

use rusqlite::Connection;

use super::{Surroundings, counters::Counters, quota::Quota, snapshots::Snapshot};
use crate::model::{Event, UnixMillis};

/// An open transaction. What is done through it happens together or not at all: rows, counters and events.
pub(crate) struct Transaction<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) state: &'a mut State,
    pub(crate) surroundings: &'a Surroundings,
}

/// What the writer knows without asking the database. Marked before each step and put back when it fails.
pub(crate) struct State {
    pub(crate) counters: Counters,
    pub(crate) quota: Quota,
    /// Greatest scan id, so that the next one is known without looking.
    pub(crate) latest_scan: Option<i64>,
    /// To be published after the commit.
    pub(crate) events: Vec<Event>,
    /// Ratings to be remembered in the cache after the commit.
    pub(crate) snapshots: Vec<Snapshot>,
    /// Whether a change was put in the outbox.
    pub(crate) queued: bool,
    /// Whether changes came, were settled, or wait for something else now.
    pub(crate) operations_changed: bool,
}

impl State {
    pub(crate) fn new(counters: Counters, quota: Quota) -> Self {
        Self {
            counters,
            quota,
            latest_scan: None,
            events: Vec::new(),
            snapshots: Vec::new(),
            queued: false,
            operations_changed: false,
        }
    }

    /// Remembers how it is.
    pub(crate) fn mark(&self) -> Mark {
        Mark {
            counters: self.counters,
            quota: self.quota,
            latest_scan: self.latest_scan,
            events: self.events.len(),
            snapshots: self.snapshots.len(),
            queued: self.queued,
            operations_changed: self.operations_changed,
        }
    }

    /// Makes it as it was. Nothing is ever taken out in between, so that what was added stands at the end.
    pub(crate) fn undo(&mut self, mark: &Mark) {
        self.counters = mark.counters;
        self.quota = mark.quota;
        self.latest_scan = mark.latest_scan;
        self.events.truncate(mark.events);
        self.snapshots.truncate(mark.snapshots);
        self.queued = mark.queued;
        self.operations_changed = mark.operations_changed;
    }
}

/// How a [`State`] was.
pub(crate) struct Mark {
    counters: Counters,
    quota: Quota,
    latest_scan: Option<i64>,
    events: usize,
    snapshots: usize,
    queued: bool,
    operations_changed: bool,
}

impl Transaction<'_> {
    /// The time of this transaction.
    pub(crate) fn now(&self) -> UnixMillis {
        self.surroundings.clock.wall()
    }

    /// Says that something happened, once it has.
    pub(crate) fn emit(&mut self, event: Event) {
        self.state.events.push(event);
    }

    /// Random bytes.
    pub(crate) fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.surroundings.entropy.fill(&mut bytes);
        bytes
    }
}
