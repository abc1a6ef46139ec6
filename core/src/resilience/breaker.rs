//! A circuit breaker as a state machine without a clock.
//!
//! ```text
//!            threshold failures within the monitoring period
//!   Closed ────────────────────────────────────────────────► Open
//!     ▲                                                     ▲  │ reset time-out
//!     │ a probe succeeds                     a probe fails  │  ▼
//!     └───────────────────────────────────────────────── HalfOpen
//! ```
//!
//! Every call that is let in carries a [`Permit`], and its outcome is given back with it. The permit names the state it
//! was given in: a call that set out before the breaker opened and fails long after says nothing about the service as
//! it is now, and is not listened to. A probe that never comes back loses its place after the reset time-out, so that
//! one lost caller does not keep the breaker shut for ever.

use std::collections::VecDeque;

/// When a breaker opens, and how it closes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerPolicy {
    /// So many failures open it (at least one).
    pub failure_threshold: u32,
    /// For how long nobody is let in then; and for how long a probe is waited for.
    pub reset_timeout_ms: u32,
    /// Failures older than this are forgotten.
    pub monitoring_period_ms: u32,
    /// How many calls at a time may try an open breaker's service (at least one).
    pub probes: u32,
}

impl Default for BreakerPolicy {
    fn default() -> Self {
        Self {
            // Fewer would open on one lost connection with its retries.
            failure_threshold: 5,
            // Long enough for a service to be restarted, short enough that nobody gives up waiting.
            reset_timeout_ms: 60_000,
            // Failures that lie further apart than this are bad luck and not an outage.
            monitoring_period_ms: 10_000,
            // A service that comes back is easily knocked over again: one caller tries, the others wait.
            probes: 1,
        }
    }
}

/// What a breaker is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BreakerState {
    /// Everybody is let in.
    Closed,
    /// Nobody is let in.
    Open,
    /// A few are let in to try.
    HalfOpen,
}

/// Whether a call may be made.
#[derive(Debug, PartialEq, Eq)]
pub enum Entry {
    /// Yes; the outcome is to be reported with this permit.
    Allowed(Permit),
    /// No.
    Refused {
        /// When it is worth asking again, in milliseconds from now.
        retry_after_ms: u32,
    },
}

/// One call that was let in. It is used up by reporting the outcome.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "report the outcome, or the breaker learns nothing from it"]
pub struct Permit {
    generation: u64,
    /// Tells apart the probes of one generation; 0 for a call that is none.
    probe: u64,
}

/// One service's breaker.
#[derive(Clone, Debug)]
pub struct Breaker {
    policy: BreakerPolicy,
    /// Counts changes of state.
    generation: u64,
    phase: Phase,
}

#[derive(Clone, Debug)]
enum Phase {
    /// The moments of the latest failures, oldest first; fewer than the threshold.
    Closed {
        failures: VecDeque<i64>,
    },
    Open {
        since: i64,
    },
    /// The probes under way, and the last number given to one.
    HalfOpen {
        probes: Vec<Probe>,
        last: u64,
    },
}

#[derive(Clone, Debug)]
struct Probe {
    number: u64,
    since: i64,
}

impl Breaker {
    /// A closed breaker that saw no failure yet.
    #[must_use]
    pub fn new(policy: BreakerPolicy) -> Self {
        Self::with_generation(policy, 0)
    }

    /// As [`new`](Self::new), but unable to take permits of an earlier generation for its own.
    pub(super) fn with_generation(policy: BreakerPolicy, generation: u64) -> Self {
        Self { policy, generation, phase: Phase::Closed { failures: VecDeque::new() } }
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    /// Asks to make a call.
    pub fn enter(&mut self, now_ms: i64) -> Entry {
        self.settle(now_ms);
        if let Phase::Open { since } = self.phase {
            let left = remaining(since, self.policy.reset_timeout_ms, now_ms);
            if left > 0 {
                return Entry::Refused { retry_after_ms: left };
            }
            self.turn(Phase::HalfOpen { probes: Vec::new(), last: 0 });
        }
        let generation = self.generation;
        match &mut self.phase {
            Phase::HalfOpen { probes, last } => {
                let places = usize::try_from(self.policy.probes.max(1)).unwrap_or(usize::MAX);
                if probes.len() >= places {
                    // The first probe's time is up then at the latest; it may well report before.
                    let oldest = probes.first().map_or(now_ms, |probe| probe.since);
                    return Entry::Refused { retry_after_ms: remaining(oldest, self.policy.reset_timeout_ms, now_ms) };
                }
                *last += 1;
                probes.push(Probe { number: *last, since: now_ms });
                Entry::Allowed(Permit { generation, probe: *last })
            }
            Phase::Closed { .. } | Phase::Open { .. } => Entry::Allowed(Permit { generation, probe: 0 }),
        }
    }

    /// Reports that the call came back well.
    pub fn succeed(&mut self, now_ms: i64, permit: Permit) {
        self.settle(now_ms);
        if self.take_probe(&permit) {
            self.turn(Phase::Closed { failures: VecDeque::new() });
        }
    }

    /// Reports that the call failed by the service's fault.
    pub fn fail(&mut self, now_ms: i64, permit: Permit) {
        self.settle(now_ms);
        let opens = match &mut self.phase {
            Phase::Closed { failures } if permit.generation == self.generation => {
                failures.push_back(now_ms);
                failures.len() >= usize::try_from(self.policy.failure_threshold).unwrap_or(usize::MAX)
            }
            _ => self.take_probe(&permit),
        };
        if opens {
            self.turn(Phase::Open { since: now_ms });
        }
    }

    /// Reports that nothing can be said of the service: the caller gave up, or it failed by its own fault.
    pub fn abandon(&mut self, now_ms: i64, permit: Permit) {
        self.settle(now_ms);
        self.take_probe(&permit);
    }

    /// What the breaker is doing. An open one whose time is up counts as half open: the next caller is let in.
    #[must_use]
    pub fn state(&self, now_ms: i64) -> BreakerState {
        match self.phase {
            Phase::Closed { .. } => BreakerState::Closed,
            Phase::Open { since } if remaining(since, self.policy.reset_timeout_ms, now_ms) > 0 => BreakerState::Open,
            Phase::Open { .. } | Phase::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }

    /// Whether forgetting the breaker would change nothing: closed, and no failure within the monitoring period.
    #[must_use]
    pub fn is_idle(&mut self, now_ms: i64) -> bool {
        self.settle(now_ms);
        matches!(&self.phase, Phase::Closed { failures } if failures.is_empty())
    }

    /// Forgets what is too old, and brings back to now what a clock that went back left in the future.
    fn settle(&mut self, now_ms: i64) {
        match &mut self.phase {
            Phase::Closed { failures } => {
                failures.iter_mut().for_each(|at| *at = now_ms.min(*at));
                failures.retain(|at| remaining(*at, self.policy.monitoring_period_ms, now_ms) > 0);
            }
            Phase::Open { since } => *since = now_ms.min(*since),
            Phase::HalfOpen { probes, .. } => {
                probes.iter_mut().for_each(|probe| probe.since = now_ms.min(probe.since));
                probes.retain(|probe| remaining(probe.since, self.policy.reset_timeout_ms, now_ms) > 0);
            }
        }
    }

    fn turn(&mut self, phase: Phase) {
        self.phase = phase;
        self.generation += 1;
    }

    /// Frees the probe's place; whether it still had one.
    fn take_probe(&mut self, permit: &Permit) -> bool {
        match &mut self.phase {
            Phase::HalfOpen { probes, .. } if permit.generation == self.generation => {
                let before = probes.len();
                probes.retain(|probe| probe.number != permit.probe);
                probes.len() < before
            }
            _ => false,
        }
    }
}

/// How much is left of a span that began at `since`.
fn remaining(since: i64, span_ms: u32, now_ms: i64) -> u32 {
    let left = i64::from(span_ms).saturating_sub(now_ms.saturating_sub(since));
    u32::try_from(left.max(0)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
