use super::*;

/// A round moment in 2023.
const NOW: UnixMillis = UnixMillis(1_700_000_000_000);

fn ballot(choice: VoteChoice, at: UnixMillis) -> Ballot {
    Ballot { choice, at, reputation: Reputation::NEUTRAL }
}

fn safe(at: UnixMillis) -> Ballot {
    ballot(VoteChoice::Safe, at)
}

fn tally_of(ballots: &[Ballot]) -> Tally {
    let mut tally = Tally::default();
    ballots.iter().for_each(|ballot| tally.add(ballot));
    tally
}

/// What a store does before a reading, on a list instead of an index.
fn cross(tally: &mut Tally, ballots: &[Ballot], now: UnixMillis) -> Crossing {
    let crossing = tally.crossing(now);
    match crossing {
        Crossing::None => return crossing,
        Crossing::Forward { after, up_to } => {
            ballots.iter().filter(|b| b.at > after && b.at <= up_to).for_each(|b| tally.clamp(b));
        }
        Crossing::Backward { after, up_to } => {
            ballots.iter().filter(|b| b.at > after && b.at <= up_to).for_each(|b| tally.unclamp(b));
        }
    }
    let line = crossing.watermark().expect("it moves");
    tally.set_watermark(line);
    let oldest_linear = ballots.iter().map(|b| b.at).filter(|at| *at > line).min();
    tally.set_extremes(ballots.iter().map(|b| b.at).max(), oldest_linear);
    crossing
}

#[test]
fn a_vote_loses_a_thirtieth_a_day_down_to_a_tenth() {
    for (age_days, tenths_of_a_unit) in [(0, 10), (3, 9), (15, 5), (24, 2), (27, 1), (30, 1), (400, 1)] {
        let vote = [safe(NOW.minus(age_days * DAY_MS))];
        let mut tally = tally_of(&vote);
        cross(&mut tally, &vote, NOW);
        assert_eq!(tally.weights(NOW).safe, tenths_of_a_unit * Weights::UNIT / 10, "{age_days} days");
    }
}

#[test]
fn a_vote_crosses_the_line_once_and_one_millisecond_after_it() {
    let vote = [safe(NOW)];
    let mut tally = tally_of(&vote);
    let on_the_line = NOW.plus(LINE_MS);
    assert_eq!(tally.exact_until, Some(on_the_line));
    assert_eq!(tally.crossing(on_the_line), Crossing::None);
    let beyond = on_the_line.plus(1);
    assert_eq!(cross(&mut tally, &vote, beyond), Crossing::Forward { after: UnixMillis(i64::MIN), up_to: NOW.plus(1) });
    assert_eq!(tally.crossing(beyond.plus(DAY_MS)), Crossing::None, "nothing is left to cross");
    assert_eq!((tally.safe.n, tally.safe.s, tally.safe.c), (0, 0, 1000));
    // A clock that went back finds the vote linear again, with its old weight.
    assert!(matches!(cross(&mut tally, &vote, NOW), Crossing::Backward { .. }));
    assert_eq!(tally.weights(NOW).safe, Weights::UNIT);
}

#[test]
fn what_is_taken_back_leaves_nothing_behind() {
    let old = safe(NOW.minus(40 * DAY_MS));
    let new = ballot(VoteChoice::Unsafe, NOW);
    let mut tally = tally_of(&[old, new]);
    cross(&mut tally, &[old, new], NOW);
    assert!(tally.is_extreme(&new) && !tally.is_extreme(&old));
    tally.remove(&old);
    assert_eq!(tally.safe, Side::default());
    assert_eq!(tally.weights(NOW), Weights { safe: 0, unsafe_: Weights::UNIT });
    tally.remove(&new);
    assert_eq!(tally, Tally::default());
}

#[test]
fn time_before_the_newest_vote_is_never_asked_for() {
    let votes = [safe(NOW), ballot(VoteChoice::Unsafe, NOW.minus(15 * DAY_MS))];
    let tally = tally_of(&votes);
    let then = tally.weights(NOW);
    assert_eq!(then, Weights { safe: Weights::UNIT, unsafe_: Weights::UNIT / 2 });
    assert_eq!(tally.weights(NOW.minus(DAY_MS)), then);
    assert_eq!(tally.weights(UnixMillis(i64::MIN)), then);
}

#[test]
fn without_its_votes_a_tally_keeps_the_last_exact_weights() {
    let votes = [safe(NOW.minus(20 * DAY_MS)), ballot(VoteChoice::Unsafe, NOW)];
    let tally = tally_of(&votes);
    let until = NOW.plus(7 * DAY_MS);
    assert_eq!(tally.weights_as_known(until), Known { weights: tally.weights(until), at: until, exact: true });
    let later = tally.weights_as_known(until.plus(1));
    assert_eq!(later, Known { weights: tally.weights(until), at: until, exact: false });
    let early = tally.weights_as_known(NOW.minus(DAY_MS));
    assert_eq!((early.at, early.exact), (NOW, true));
}

#[test]
fn a_clock_before_the_watermark_reads_as_the_clock_that_set_it() {
    let votes = [safe(NOW.minus(30 * DAY_MS)), ballot(VoteChoice::Unsafe, NOW.minus(DAY_MS))];
    let mut tally = tally_of(&votes);
    cross(&mut tally, &votes, NOW);
    assert_eq!(tally.weights_as_known(NOW.minus(1000)).at, NOW);
}

#[test]
fn absurd_times_and_sums_do_no_harm() {
    let times = [i64::MIN, i64::MIN + 1, -1, 0, i64::MAX - 1, i64::MAX].map(UnixMillis);
    for at in times {
        for now in times {
            let votes = [Ballot { reputation: Reputation::MAX, ..safe(at) }, safe(NOW)];
            let mut tally = tally_of(&votes);
            cross(&mut tally, &votes, now);
            let weights = tally.weights(now);
            assert!(weights.safe <= 11 * Weights::UNIT, "{at:?} read at {now:?}");
            let _ = tally.weights_as_known(now);
            tally.remove(&votes[0]);
        }
    }
    let side = Side { count: u32::MAX, n: i128::MAX, s: i128::MAX, c: i128::MIN };
    let forged = Tally { safe: side, unsafe_: side, exact_until: Some(UnixMillis(i64::MIN)), ..Tally::default() };
    for at in times {
        let mut tally = forged;
        tally.add(&safe(at));
        tally.unclamp(&safe(at));
        let known = tally.weights_as_known(at);
        assert!(known.weights.safe >= 0 && known.weights.unsafe_ >= 0);
    }
}
