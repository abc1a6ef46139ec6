use std::collections::VecDeque;

use crate::resilience::{BreakerPolicy, BreakerState, Breakers, Entry, Permit};

/// Calls that may be under way at a time; the oldest of more is given up as never reported.
const UNDER_WAY: usize = 1_024;

/// Whether a call may go through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CircuitEntry {
    /// Make it, and report.
    Allowed {
        /// Names the call in the report.
        permit: u32,
    },
    /// Do not make it.
    Refused {
        /// When another try is worthwhile, in milliseconds from now.
        retry_after_ms: u32,
    },
}

/// Circuit breakers for services of the app's own, with permits as numbers that can cross a language border.
pub(super) struct Circuits {
    breakers: Breakers,
    under_way: VecDeque<(u32, String, Permit)>,
    next: u32,
}

impl Circuits {
    pub(super) fn new() -> Self {
        Self { breakers: Breakers::new(BreakerPolicy::default()), under_way: VecDeque::new(), next: 0 }
    }

    pub(super) fn enter(&mut self, service: &str, now: i64) -> CircuitEntry {
        match self.breakers.enter(service, now) {
            Entry::Refused { retry_after_ms } => CircuitEntry::Refused { retry_after_ms },
            Entry::Allowed(permit) => {
                if self.under_way.len() == UNDER_WAY
                    && let Some((_, service, permit)) = self.under_way.pop_front()
                {
                    self.breakers.abandon(&service, now, permit);
                }
                self.next = self.next.wrapping_add(1);
                self.under_way.push_back((self.next, service.to_owned(), permit));
                CircuitEntry::Allowed { permit: self.next }
            }
        }
    }

    /// An unknown permit is ignored: it was given up, or reported before.
    pub(super) fn report(&mut self, service: &str, permit: u32, succeeded: bool, now: i64) {
        let found = self.under_way.iter().position(|(number, name, _)| *number == permit && name == service);
        if let Some((_, name, permit)) = found.and_then(|place| self.under_way.remove(place)) {
            if succeeded {
                self.breakers.succeed(&name, now, permit);
            } else {
                self.breakers.fail(&name, now, permit);
            }
        }
    }

    pub(super) fn state(&self, service: &str, now: i64) -> BreakerState {
        self.breakers.state(service, now)
    }
}
