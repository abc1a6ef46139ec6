//! Goes wrong on purpose, for tests of clients: a layer in front of everything that delays, refuses and cuts answers off,
//! each with a probability, in an order that one seed repeats.

mod layer;
mod spec;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub(crate) use self::layer::before;
use self::spec::{Fault, Rule};
pub use self::spec::{HELP, Spec};

/// The faults of a server.
pub struct Faults(Mutex<State>);

struct State {
    spec: Spec,
    random: u64,
}

impl Faults {
    /// Begins with these.
    #[must_use]
    pub fn new(spec: Spec) -> Self {
        let random = spec.seed;
        Self(Mutex::new(State { spec, random }))
    }

    /// Goes on with others. The key stays.
    pub fn replace(&self, spec: Spec) {
        let mut state = self.state();
        let key = state.spec.key.take();
        *state = State { random: spec.seed, spec: Spec { key, ..spec } };
    }

    /// Whether this key opens them to change.
    #[must_use]
    pub fn opens(&self, key: Option<&str>) -> bool {
        self.state().spec.key.as_deref().is_none_or(|wanted| Some(wanted) == key)
    }

    /// What goes wrong with a request: a delay and one thing besides, at the most.
    fn draw(&self) -> (Option<u32>, Option<Fault>) {
        let mut state = self.state();
        let (mut delay, mut fault) = (None, None);
        for rule in state.spec.rules.clone() {
            // Every rule draws, whatever the others did: changing one does not change when the others hit.
            let hits = state.hits(&rule);
            match rule.fault {
                Fault::CloseSocket => {}
                Fault::Delay(millis) if hits => delay = Some(millis),
                other if hits && fault.is_none() && !matches!(other, Fault::Delay(_)) => fault = Some(other),
                _ => {}
            }
        }
        (delay, fault)
    }

    /// Whether a socket is closed instead of sending its next frame.
    pub(crate) fn closes_socket(&self) -> bool {
        let mut state = self.state();
        let rule = state.spec.rules.iter().find(|rule| rule.fault == Fault::CloseSocket).cloned();
        rule.is_some_and(|rule| state.hits(&rule))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn hits(&mut self, rule: &Rule) -> bool {
        // SplitMix64: one line, and every seed is as good as any other.
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        mixed % 1_000_000 < u64::from(rule.in_a_million)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(spec: &str, times: usize) -> Vec<(Option<u32>, Option<Fault>)> {
        let faults = Faults::new(Spec::parse(spec).expect("a spec"));
        (0..times).map(|_| faults.draw()).collect()
    }

    #[test]
    fn a_seed_repeats_itself_and_probabilities_are_kept() {
        let spec = "seed=7,drop-after-commit=0.1,delay=0.5:20";
        let draws = drawn(spec, 10_000);
        assert_eq!(draws, drawn(spec, 10_000));
        assert_ne!(draws, drawn("seed=8,drop-after-commit=0.1,delay=0.5:20", 10_000));
        let count = |hit: fn(&(Option<u32>, Option<Fault>)) -> bool| draws.iter().filter(|draw| hit(draw)).count();
        assert!((850..1150).contains(&count(|(_, fault)| *fault == Some(Fault::DropAfterCommit))));
        assert!((4700..5300).contains(&count(|(delay, _)| *delay == Some(20))));
        assert!(drawn("", 100).iter().all(|draw| *draw == (None, None)));
        assert!(drawn("html=1", 100).iter().all(|draw| *draw == (None, Some(Fault::Html))));
    }
}
