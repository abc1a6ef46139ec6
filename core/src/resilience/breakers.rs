use std::collections::HashMap;

use super::{Breaker, BreakerPolicy, BreakerState, Entry, Permit};

/// A breaker for every name. Names are made up by the app, so their number is bounded.
#[derive(Clone, Debug)]
pub struct Breakers {
    policy: BreakerPolicy,
    named: HashMap<String, Named>,
    /// Above every generation of a breaker that was forgotten: permits of those must not count for a new one.
    generation: u64,
}

#[derive(Clone, Debug)]
struct Named {
    breaker: Breaker,
    entered_at: i64,
}

impl Breakers {
    /// An app talks to a handful of services. More names than this are made of ids or addresses, by mistake.
    pub const MAX: usize = 64;

    /// No breaker yet; all will follow this policy.
    #[must_use]
    pub fn new(policy: BreakerPolicy) -> Self {
        Self { policy, named: HashMap::new(), generation: 0 }
    }

    /// See [`Breaker::enter`].
    ///
    /// A new name takes the place of a closed breaker once there are [`MAX`](Self::MAX): of one that saw no failure
    /// lately if there is any, and of the one longest not asked among these. If none is closed, the call is refused
    /// until one may be: a new name is no way around sixty-four open breakers.
    pub fn enter(&mut self, name: &str, now_ms: i64) -> Entry {
        if !self.named.contains_key(name) {
            if self.named.len() >= Self::MAX && !self.forget_one(now_ms) {
                return Entry::Refused { retry_after_ms: self.policy.reset_timeout_ms };
            }
            let breaker = Breaker::with_generation(self.policy, self.generation);
            self.named.insert(name.to_owned(), Named { breaker, entered_at: now_ms });
        }
        let named = self.named.get_mut(name).expect("it was there, or has just been put there");
        named.entered_at = now_ms;
        named.breaker.enter(now_ms)
    }

    /// See [`Breaker::succeed`]. A name that was forgotten meanwhile is passed over.
    pub fn succeed(&mut self, name: &str, now_ms: i64, permit: Permit) {
        if let Some(named) = self.named.get_mut(name) {
            named.breaker.succeed(now_ms, permit);
        }
    }

    /// See [`Breaker::fail`]. A name that was forgotten meanwhile is passed over.
    pub fn fail(&mut self, name: &str, now_ms: i64, permit: Permit) {
        if let Some(named) = self.named.get_mut(name) {
            named.breaker.fail(now_ms, permit);
        }
    }

    /// See [`Breaker::abandon`]. A name that was forgotten meanwhile is passed over.
    pub fn abandon(&mut self, name: &str, now_ms: i64, permit: Permit) {
        if let Some(named) = self.named.get_mut(name) {
            named.breaker.abandon(now_ms, permit);
        }
    }

    /// See [`Breaker::state`]. A name never heard of is closed.
    #[must_use]
    pub fn state(&self, name: &str, now_ms: i64) -> BreakerState {
        self.named.get(name).map_or(BreakerState::Closed, |named| named.breaker.state(now_ms))
    }

    /// How many breakers there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.named.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.named.is_empty()
    }

    fn forget_one(&mut self, now_ms: i64) -> bool {
        let closed = self.named.iter_mut().filter(|(_, named)| named.breaker.state(now_ms) == BreakerState::Closed);
        let ranked = closed.map(|(name, named)| (!named.breaker.is_idle(now_ms), named.entered_at, name));
        let Some(name) = ranked.min().map(|(_, _, name)| name.clone()) else { return false };
        if let Some(forgotten) = self.named.remove(&name) {
            self.generation = self.generation.max(forgotten.breaker.generation() + 1);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn let_in(breakers: &mut Breakers, name: &str, now_ms: i64) -> Permit {
        match breakers.enter(name, now_ms) {
            Entry::Allowed(permit) => permit,
            Entry::Refused { retry_after_ms } => panic!("refused for {retry_after_ms} ms"),
        }
    }

    fn open(breakers: &mut Breakers, name: &str, now_ms: i64) {
        for _ in 0..5 {
            let permit = let_in(breakers, name, now_ms);
            breakers.fail(name, now_ms, permit);
        }
        assert_eq!(breakers.state(name, now_ms), BreakerState::Open);
    }

    #[test]
    fn names_do_not_share_a_breaker() {
        let mut breakers = Breakers::new(BreakerPolicy::default());
        open(&mut breakers, "ratings", 0);
        assert_eq!(breakers.enter("ratings", 1), Entry::Refused { retry_after_ms: 59_999 });
        let permit = let_in(&mut breakers, "sync", 1);
        breakers.succeed("sync", 2, permit);
        let probe = let_in(&mut breakers, "ratings", 60_000);
        breakers.succeed("ratings", 60_001, probe);
        assert_eq!(breakers.state("ratings", 60_001), BreakerState::Closed);
        assert_eq!((breakers.state("unheard of", 0), breakers.len()), (BreakerState::Closed, 2));
    }

    #[test]
    fn the_longest_unused_quiet_breaker_gives_way() {
        let mut breakers = Breakers::new(BreakerPolicy::default());
        open(&mut breakers, "open", 0);
        let troubled = let_in(&mut breakers, "troubled", 1);
        breakers.fail("troubled", 1, troubled);
        for number in 2..64 {
            let permit = let_in(&mut breakers, &format!("quiet {number}"), number);
            breakers.succeed(&format!("quiet {number}"), number, permit);
        }
        for number in 0..1000 {
            let permit = let_in(&mut breakers, &format!("new {number}"), 100);
            breakers.abandon(&format!("new {number}"), 100, permit);
            assert_eq!(breakers.len(), Breakers::MAX);
        }
        assert_eq!(breakers.state("open", 101), BreakerState::Open);
        assert!(breakers.named.contains_key("troubled") && !breakers.named.contains_key("quiet 2"));
    }

    #[test]
    fn among_open_breakers_there_is_no_room_for_a_new_name() {
        let mut breakers = Breakers::new(BreakerPolicy::default());
        (0..64).for_each(|number| open(&mut breakers, &number.to_string(), 0));
        assert_eq!(breakers.enter("one more", 1), Entry::Refused { retry_after_ms: 60_000 });
        assert_eq!(breakers.len(), 64);
        let probe = let_in(&mut breakers, "0", 60_000);
        breakers.succeed("0", 60_000, probe);
        let permit = let_in(&mut breakers, "one more", 60_000);
        breakers.abandon("one more", 60_000, permit);
        assert_eq!((breakers.len(), breakers.named.contains_key("0")), (64, false));
    }

    #[test]
    fn a_permit_of_a_forgotten_breaker_does_not_count_for_its_successor() {
        let policy = BreakerPolicy { failure_threshold: 1, ..BreakerPolicy::default() };
        let mut breakers = Breakers::new(policy);
        let old = let_in(&mut breakers, "service", 0);
        (1..=64).for_each(|number| drop(let_in(&mut breakers, &number.to_string(), number)));
        assert!(!breakers.named.contains_key("service"));
        drop(let_in(&mut breakers, "service", 100));
        breakers.fail("service", 101, old);
        assert_eq!(breakers.state("service", 101), BreakerState::Closed);
    }
}
