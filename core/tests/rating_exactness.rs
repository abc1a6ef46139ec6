//! The constant-time rating against two others that go through every vote: exact arithmetic, and the original loop.
//!
//! Random histories of votes, changes, retractions, new reputations and clocks that jump both ways are played into a
//! store in miniature: votes in a map ordered by time, as the index has them, and a tally that is kept by its protocol.

use std::collections::BTreeMap;

use proptest::prelude::*;
use safescan_core::model::{DAY_MS, UnixMillis, VoteChoice};
use safescan_core::voting::{Ballot, Crossing, DECAY_MS, LINE_MS, Reputation, Score, Tally, Weights};

const START: i64 = 1_700_000_000_000;

/// Votes by time and voter, and their sums.
#[derive(Default)]
struct Store {
    index: BTreeMap<(i64, u8), Ballot>,
    time_of: BTreeMap<u8, i64>,
    tally: Tally,
}

impl Store {
    fn set(&mut self, voter: u8, ballot: Ballot) {
        self.retract(voter);
        self.index.insert((ballot.at.0, voter), ballot);
        self.time_of.insert(voter, ballot.at.0);
        self.tally.add(&ballot);
    }

    fn retract(&mut self, voter: u8) {
        let Some(at) = self.time_of.remove(&voter) else { return };
        let ballot = self.index.remove(&(at, voter)).expect("both maps hold the same votes");
        let in_doubt = self.tally.is_extreme(&ballot);
        self.tally.remove(&ballot);
        if in_doubt {
            self.refresh_extremes();
        }
    }

    fn vote_of(&self, voter: u8) -> Option<Ballot> {
        self.time_of.get(&voter).map(|at| self.index[&(*at, voter)])
    }

    fn refresh_extremes(&mut self) {
        let newest = self.index.last_key_value().map(|((at, _), _)| UnixMillis(*at));
        let linear = self.index.keys().find(|(at, _)| *at > self.tally.watermark.0);
        self.tally.set_extremes(newest, linear.map(|(at, _)| UnixMillis(*at)));
    }

    /// Does what the protocol asks for before a reading. How many votes were moved.
    fn cross(&mut self, now: UnixMillis) -> usize {
        let crossing = self.tally.crossing(now);
        let Some(watermark) = crossing.watermark() else { return 0 };
        let (after, up_to, forward) = match crossing {
            Crossing::None => return 0,
            Crossing::Forward { after, up_to } => (after, up_to, true),
            Crossing::Backward { after, up_to } => (after, up_to, false),
        };
        let mut moved = 0;
        for ((at, _), ballot) in self.index.range((after.0, 0)..=(up_to.0, u8::MAX)) {
            if *at > after.0 {
                moved += 1;
                if forward { self.tally.clamp(ballot) } else { self.tally.unclamp(ballot) }
            }
        }
        self.tally.set_watermark(watermark);
        self.refresh_extremes();
        assert_eq!(self.tally.crossing(now), Crossing::None, "one crossing is enough");
        moved
    }

    /// What one pass over all votes gives, in tenths of a tally's unit: `Σ max(A, 10·(A − age))·r`.
    fn exact_tenths(&self, now: UnixMillis) -> (i128, i128) {
        let mut sums = (0, 0);
        for ballot in self.index.values() {
            let age = (i128::from(now.0) - i128::from(ballot.at.0)).max(0);
            let decay = i128::from(DECAY_MS);
            let weight = decay.max(10 * (decay - age)) * i128::from(ballot.reputation.thousandths());
            match ballot.choice {
                VoteChoice::Safe => sums.0 += weight,
                VoteChoice::Unsafe => sums.1 += weight,
            }
        }
        sums
    }

    /// The loop that the rating was first defined by, in doubles.
    fn original_loop(&self, now: UnixMillis) -> f64 {
        let (mut total, mut safe) = (0.0_f64, 0.0_f64);
        for ballot in self.index.values() {
            let age = (now.0 - ballot.at.0) as f64;
            let weight = f64::max(0.1, 1.0 - age / DECAY_MS as f64) * ballot.reputation.weight();
            total += weight;
            if ballot.choice == VoteChoice::Safe {
                safe += weight;
            }
        }
        if total > 0.0 { safe / total } else { 0.5 }
    }

    /// The moment a reading counts as made at, told from the votes.
    fn effective(&self, now: UnixMillis) -> UnixMillis {
        self.index.keys().map(|(at, _)| UnixMillis(*at)).fold(now, UnixMillis::max)
    }
}

fn share(safe: i128, unsafe_: i128) -> f64 {
    if safe + unsafe_ == 0 { 0.5 } else { safe as f64 / (safe + unsafe_) as f64 }
}

/// Everything that must hold at a reading.
fn check(store: &mut Store, now: UnixMillis) -> Result<(), TestCaseError> {
    store.cross(now);
    let effective = store.effective(now);
    let weights = store.tally.weights(now);
    let (safe, unsafe_) = store.exact_tenths(effective);
    prop_assert_eq!((10 * weights.safe, 10 * weights.unsafe_), (safe, unsafe_), "exact to the last unit");
    let linear = store.index.keys().map(|(at, _)| UnixMillis(*at)).filter(|at| *at > store.tally.watermark);
    prop_assert_eq!(store.tally.exact_until, linear.min().map(|at| at.plus(LINE_MS)), "neither too early nor too late");
    prop_assert_eq!(store.tally.newest, store.index.keys().map(|(at, _)| UnixMillis(*at)).max());
    let standing = |choice| store.index.values().filter(|ballot| ballot.choice == choice).count();
    prop_assert_eq!(usize::try_from(store.tally.safe.count).ok(), Some(standing(VoteChoice::Safe)));
    prop_assert_eq!(usize::try_from(store.tally.unsafe_.count).ok(), Some(standing(VoteChoice::Unsafe)));

    let score = Score::new(weights, store.tally.count());
    prop_assert!((score.confidence - share(safe, unsafe_)).abs() <= 1e-12);
    prop_assert!((score.confidence - store.original_loop(effective)).abs() <= 1e-9);
    prop_assert!(0.0 <= score.lower && score.lower <= score.confidence);
    prop_assert!(score.confidence <= score.upper && score.upper <= 1.0);
    prop_assert!(score.effective_votes <= f64::from(store.tally.count()));
    Ok(())
}

/// What a device makes of the bare sums, at another moment than they were read at.
fn check_as_known(store: &Store, now: UnixMillis) -> Result<(), TestCaseError> {
    let known = store.tally.weights_as_known(now);
    let (safe, unsafe_) = store.exact_tenths(known.at);
    prop_assert_eq!((10 * known.weights.safe, 10 * known.weights.unsafe_), (safe, unsafe_), "exact for its moment");
    let until = store.tally.exact_until;
    prop_assert_eq!(known.exact, until.is_none_or(|until| store.effective(now) <= until));
    if !known.exact {
        prop_assert_eq!(Some(known.at), until, "past it, the last exact moment");
    }
    Ok(())
}

#[derive(Clone, Debug)]
enum Step {
    Vote { voter: u8, safe: bool, age: i64, reputation: u32 },
    Retract { voter: u8 },
    Reputation { voter: u8, reputation: u32 },
    Clock { by: i64 },
    LookElsewhere { by: i64 },
}

/// Spans of time, most of them about the line, for there the mistakes are made.
fn span() -> impl Strategy<Value = i64> {
    prop_oneof![
        Just(0),
        -2..=2_i64,
        (LINE_MS - 2)..=(LINE_MS + 2),
        (DECAY_MS - 2)..=(DECAY_MS + 2),
        0..=LINE_MS,
        LINE_MS..=(3 * DECAY_MS),
        (0..60_i64).prop_map(|days| days * DAY_MS),
    ]
}

fn reputation() -> impl Strategy<Value = u32> {
    prop_oneof![4 => Just(1000), 1 => Just(0), 1 => Just(1), 1 => Just(10_000), 4 => 0..=10_000_u32]
}

fn step() -> impl Strategy<Value = Step> {
    let voter = || 0..12_u8;
    prop_oneof![
        6 => (voter(), any::<bool>(), span(), reputation())
            .prop_map(|(voter, safe, age, reputation)| Step::Vote { voter, safe, age, reputation }),
        2 => voter().prop_map(|voter| Step::Retract { voter }),
        1 => (voter(), reputation()).prop_map(|(voter, reputation)| Step::Reputation { voter, reputation }),
        3 => (span(), any::<bool>()).prop_map(|(by, back)| Step::Clock { by: if back { -by } else { by } }),
        1 => (span(), any::<bool>()).prop_map(|(by, back)| Step::LookElsewhere { by: if back { -by } else { by } }),
    ]
}

fn ballot(safe: bool, at: UnixMillis, reputation: u32) -> Ballot {
    let choice = if safe { VoteChoice::Safe } else { VoteChoice::Unsafe };
    Ballot { choice, at, reputation: Reputation::from_thousandths(reputation).expect("in range") }
}

fn play(steps: &[Step]) -> Result<(), TestCaseError> {
    let (mut store, mut now) = (Store::default(), UnixMillis(START));
    for step in steps {
        match *step {
            Step::Vote { voter, safe, age, reputation } => store.set(voter, ballot(safe, now.minus(age), reputation)),
            Step::Retract { voter } => store.retract(voter),
            Step::Reputation { voter, reputation } => {
                if let Some(vote) = store.vote_of(voter) {
                    store.set(voter, ballot(vote.choice == VoteChoice::Safe, vote.at, reputation));
                }
            }
            Step::Clock { by } => now = now.plus(by),
            Step::LookElsewhere { by } => {
                check(&mut store, now)?;
                check_as_known(&store, now.plus(by))?;
            }
        }
        // Not after every step: a tally must also bear several changes between two readings.
        if matches!(step, Step::Clock { .. } | Step::Retract { .. }) {
            check(&mut store, now)?;
        }
    }
    check(&mut store, now)?;
    check_as_known(&store, now)
}

/// A failure shows its own shrunk input; no file is left behind for it.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(12_000))]

    #[test]
    fn every_history_is_rated_exactly(steps in prop::collection::vec(step(), 1..40)) {
        play(&steps)?;
    }
}

proptest! {
    #![proptest_config(cases(2_000))]

    /// Times that no clock shows. The first instant of all is left out: it is before every line.
    #[test]
    fn absurd_times_are_rated_exactly_too(
        votes in prop::collection::vec((i64::MIN + 1..=i64::MAX, any::<bool>(), reputation()), 1..12),
        clocks in prop::collection::vec(any::<i64>(), 1..6),
    ) {
        let mut store = Store::default();
        for (voter, (at, safe, reputation)) in (0..).zip(votes) {
            store.set(voter, ballot(safe, UnixMillis(at), reputation));
        }
        for now in clocks.into_iter().map(UnixMillis) {
            store.cross(now);
            let weights = store.tally.weights(now);
            let exact = store.exact_tenths(store.effective(now));
            prop_assert_eq!((10 * weights.safe, 10 * weights.unsafe_), exact);
        }
    }

    /// The order in which votes arrive, and what was retracted in between, leaves no trace in the sums.
    #[test]
    fn the_way_there_does_not_matter(
        votes in prop::collection::vec((0..12_u8, any::<bool>(), span(), reputation()), 1..40),
    ) {
        let now = UnixMillis(START);
        let mut wandering = Store::default();
        for (voter, safe, age, reputation) in votes {
            wandering.set(voter, ballot(safe, now.minus(age), reputation));
            wandering.cross(now.minus(age / 2));
        }
        let mut straight = Store::default();
        for ((_, voter), ballot) in &wandering.index {
            straight.set(*voter, *ballot);
        }
        wandering.cross(now);
        straight.cross(now);
        prop_assert_eq!(wandering.tally.weights(now), straight.tally.weights(now));
        prop_assert_eq!(wandering.tally.newest, straight.tally.newest);
    }
}

/// What makes it constant time: as time goes on a vote is moved once, and a reading without a crossing moves none.
#[test]
fn every_vote_is_moved_once() {
    let mut store = Store::default();
    for voter in 0..200 {
        store.set(voter, ballot(true, UnixMillis(START).plus(i64::from(voter) * DAY_MS / 8), 1000));
    }
    let moved: usize = (0..3000).map(|tick| store.cross(UnixMillis(START).plus(tick * DAY_MS / 40))).sum();
    assert_eq!(moved, 200);
    assert_eq!(store.tally.safe.c, 200 * 1000);
    assert_eq!(store.tally.weights(UnixMillis(START).plus(80 * DAY_MS)).safe, 20 * Weights::UNIT);
}
