use proptest::prelude::*;

use super::*;

fn breaker() -> Breaker {
    Breaker::new(BreakerPolicy::default())
}

fn let_in(breaker: &mut Breaker, now_ms: i64) -> Permit {
    match breaker.enter(now_ms) {
        Entry::Allowed(permit) => permit,
        Entry::Refused { retry_after_ms } => panic!("refused for {retry_after_ms} ms"),
    }
}

fn fail_at(breaker: &mut Breaker, now_ms: i64) {
    let permit = let_in(breaker, now_ms);
    breaker.fail(now_ms, permit);
}

fn opened_at(now_ms: i64) -> Breaker {
    let mut breaker = breaker();
    (0..5).for_each(|_| fail_at(&mut breaker, now_ms));
    assert_eq!(breaker.state(now_ms), BreakerState::Open);
    breaker
}

fn refused(retry_after_ms: u32) -> Entry {
    Entry::Refused { retry_after_ms }
}

#[test]
fn failures_close_together_open_it_and_scattered_ones_do_not() {
    let cases: [(&[i64], BreakerState); 5] = [
        (&[0, 0, 0, 0], BreakerState::Closed),
        (&[0, 0, 0, 0, 0], BreakerState::Open),
        (&[0, 1, 2, 3, 9_999], BreakerState::Open),
        (&[0, 1, 2, 3, 10_000], BreakerState::Closed),
        (&[0, 4_000, 8_000, 12_000, 16_000, 20_000, 24_000], BreakerState::Closed),
    ];
    for (failures, state) in cases {
        let mut breaker = breaker();
        failures.iter().for_each(|at| fail_at(&mut breaker, *at));
        assert_eq!(breaker.state(failures[failures.len() - 1]), state, "{failures:?}");
    }
}

#[test]
fn an_open_breaker_tells_when_to_come_back() {
    let mut breaker = opened_at(1_000);
    assert_eq!(breaker.enter(1_000), refused(60_000));
    assert_eq!(breaker.enter(60_999), refused(1));
    assert_eq!((breaker.state(60_999), breaker.state(61_000)), (BreakerState::Open, BreakerState::HalfOpen));
    drop(let_in(&mut breaker, 61_000));
}

#[test]
fn one_probe_tries_and_the_others_wait() {
    let mut breaker = opened_at(0);
    let probe = let_in(&mut breaker, 60_000);
    assert_eq!(breaker.enter(60_500), refused(59_500));
    breaker.succeed(60_600, probe);
    assert_eq!(breaker.state(60_600), BreakerState::Closed);
    (0..4).for_each(|_| fail_at(&mut breaker, 60_700));
    assert_eq!(breaker.state(60_700), BreakerState::Closed, "old failures are forgotten");
}

#[test]
fn a_failed_probe_opens_it_for_the_whole_time_again() {
    let mut breaker = opened_at(0);
    let probe = let_in(&mut breaker, 70_000);
    breaker.fail(71_000, probe);
    assert_eq!(breaker.enter(71_000), refused(60_000));
}

#[test]
fn an_abandoned_probe_gives_its_place_back() {
    let mut breaker = opened_at(0);
    let probe = let_in(&mut breaker, 60_000);
    breaker.abandon(60_001, probe);
    assert_eq!(breaker.state(60_001), BreakerState::HalfOpen);
    let probe = let_in(&mut breaker, 60_001);
    breaker.succeed(60_002, probe);
    assert_eq!(breaker.state(60_002), BreakerState::Closed);
}

#[test]
fn a_probe_that_never_reports_loses_its_place_and_its_word() {
    let mut breaker = opened_at(0);
    let lost = let_in(&mut breaker, 60_000);
    assert_eq!(breaker.enter(119_999), refused(1));
    let probe = let_in(&mut breaker, 120_000);
    breaker.succeed(120_001, lost);
    assert_eq!(breaker.state(120_001), BreakerState::HalfOpen, "too late");
    breaker.succeed(120_002, probe);
    assert_eq!(breaker.state(120_002), BreakerState::Closed);
}

#[test]
fn who_set_out_before_the_last_change_is_not_listened_to() {
    let mut breaker = breaker();
    let (early, earlier) = (let_in(&mut breaker, 0), let_in(&mut breaker, 0));
    (0..5).for_each(|_| fail_at(&mut breaker, 1));
    breaker.succeed(2, early);
    assert_eq!(breaker.state(2), BreakerState::Open, "a late success does not close it");
    let probe = let_in(&mut breaker, 60_001);
    breaker.fail(60_002, earlier);
    assert_eq!(breaker.state(60_002), BreakerState::HalfOpen, "a late failure is no probe's");
    breaker.succeed(60_003, probe);

    let policy = BreakerPolicy { failure_threshold: 1, probes: 2, ..BreakerPolicy::default() };
    let mut breaker = Breaker::new(policy);
    fail_at(&mut breaker, 0);
    let (first, second) = (let_in(&mut breaker, 60_000), let_in(&mut breaker, 60_000));
    assert_eq!(breaker.enter(60_000), refused(60_000));
    breaker.succeed(60_001, first);
    breaker.fail(60_002, second);
    assert_eq!(breaker.state(60_002), BreakerState::Closed, "the other probe set out half open");
}

#[test]
fn a_clock_that_goes_back_does_not_lengthen_the_wait() {
    let mut breaker = opened_at(1_000_000_000);
    assert_eq!(breaker.enter(5), refused(60_000));
    drop(let_in(&mut breaker, 60_005));
    assert_eq!(breaker.enter(0), refused(60_000));
    drop(let_in(&mut breaker, 60_000));
    let mut breaker = self::breaker();
    (0..4).for_each(|_| fail_at(&mut breaker, 1_000_000_000));
    drop(let_in(&mut breaker, 0));
    fail_at(&mut breaker, 10_000);
    assert_eq!(
        breaker.state(10_000),
        BreakerState::Closed,
        "failures of the future count as of the moment it went back"
    );
    for now in [i64::MIN, i64::MAX, 0] {
        let _ = (breaker.enter(now), breaker.state(now), breaker.is_idle(now));
    }
}

#[test]
fn a_policy_of_zeros_still_opens_and_closes() {
    let zeros = BreakerPolicy { failure_threshold: 0, reset_timeout_ms: 0, monitoring_period_ms: 0, probes: 0 };
    let mut breaker = Breaker::new(zeros);
    fail_at(&mut breaker, 0);
    assert_eq!(breaker.state(0), BreakerState::HalfOpen, "open for no time");
    drop(let_in(&mut breaker, 0));
}

#[derive(Clone, Debug)]
enum Step {
    Wait(i64),
    Enter,
    Succeed(prop::sample::Index),
    Fail(prop::sample::Index),
    Abandon(prop::sample::Index),
    Vanish(prop::sample::Index),
}

fn step() -> impl Strategy<Value = Step> {
    let which = any::<prop::sample::Index>;
    prop_oneof![
        2 => prop_oneof![0..3_000_i64, 50_000..70_000_i64].prop_map(Step::Wait),
        5 => Just(Step::Enter),
        1 => which().prop_map(Step::Succeed),
        4 => which().prop_map(Step::Fail),
        1 => which().prop_map(Step::Abandon),
        1 => which().prop_map(Step::Vanish),
    ]
}

fn take(held: &mut Vec<(Permit, i64)>, which: &prop::sample::Index) -> Option<(Permit, i64)> {
    (!held.is_empty()).then(|| held.swap_remove(which.index(held.len())))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever callers do: never more probes than allowed, a refusal's time comes true, nobody is locked out.
    #[test]
    fn no_history_breaks_it(steps in prop::collection::vec(step(), 1..120), probes in 1..4_u32) {
        let policy = BreakerPolicy { probes, ..BreakerPolicy::default() };
        let reset = i64::from(policy.reset_timeout_ms);
        let (mut breaker, mut now) = (Breaker::new(policy), 0_i64);
        let mut held: Vec<(Permit, i64)> = Vec::new();
        for step in steps {
            let before = breaker.state(now);
            let generation = breaker.generation;
            match step {
                Step::Wait(pause) => now += pause,
                Step::Enter => match breaker.enter(now) {
                    Entry::Allowed(permit) => {
                        prop_assert_ne!(before, BreakerState::Open);
                        held.push((permit, now));
                    }
                    Entry::Refused { retry_after_ms } => {
                        prop_assert_ne!(before, BreakerState::Closed);
                        prop_assert!(retry_after_ms > 0 && i64::from(retry_after_ms) <= reset);
                        let later = breaker.clone().enter(now + i64::from(retry_after_ms));
                        prop_assert!(matches!(later, Entry::Allowed(_)), "the time told comes true");
                    }
                },
                Step::Succeed(which) => if let Some((permit, _)) = take(&mut held, &which) {
                    let stale = permit.generation != generation;
                    breaker.succeed(now, permit);
                    prop_assert!(!stale || breaker.generation == generation);
                },
                Step::Fail(which) => if let Some((permit, _)) = take(&mut held, &which) {
                    let stale = permit.generation != generation;
                    breaker.fail(now, permit);
                    prop_assert!(!stale || breaker.generation == generation);
                    prop_assert_ne!((before, breaker.state(now)), (BreakerState::Open, BreakerState::Closed));
                },
                Step::Abandon(which) => if let Some((permit, _)) = take(&mut held, &which) {
                    breaker.abandon(now, permit);
                    prop_assert_eq!(breaker.generation, generation, "nothing was learnt");
                },
                Step::Vanish(which) => drop(take(&mut held, &which)),
            }
            let generation = breaker.generation;
            let under_way = held.iter()
                .filter(|(permit, since)| permit.probe > 0 && permit.generation == generation && now - since < reset);
            prop_assert!(u32::try_from(under_way.count()).is_ok_and(|count| count <= probes));
            match &breaker.phase {
                Phase::Closed { failures } => prop_assert!(failures.len() < 5, "memory is bounded"),
                Phase::Open { .. } => {}
                Phase::HalfOpen { probes: places, .. } => {
                    prop_assert!(u32::try_from(places.len()).is_ok_and(|count| count <= probes));
                }
            }
        }
        prop_assert!(matches!(breaker.enter(now + reset), Entry::Allowed(_)), "nobody is locked out");
    }
}
