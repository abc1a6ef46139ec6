//! The simulation itself is put to the test: with a simple client that is right nothing is found, and with each of its
//! deliberate bugs something is.

use crate::{
    fake::{Bug, Fake, plant},
    plan::Plan,
    seeds,
};

fn first_failure(bug: Bug, seeds: std::ops::Range<u64>) -> Option<(u64, Vec<String>)> {
    plant(bug);
    let found = seeds.into_iter().find_map(|seed| {
        let report = seeds::run::<Fake>(&Plan::of(seed), false);
        (!report.failures.is_empty()).then_some((seed, report.failures))
    });
    plant(Bug::None);
    found
}

#[test]
fn a_simple_client_passes() {
    if let Some((seed, failures)) = first_failure(Bug::None, 0..60) {
        panic!("seed {seed}: {failures:#?}");
    }
}

#[test]
fn every_planted_bug_is_found() {
    let bugs =
        [Bug::NewNames, Bug::LazyDisk, Bug::GivesUp, Bug::CountsTwice, Bug::FlipsBack, Bug::LosesChanges, Bug::Storms];
    for bug in bugs {
        // From the third seed on: the first two last for weeks, and a client that polls takes its time over them.
        let found = first_failure(bug, 2..200);
        let (seed, failures) = found.unwrap_or_else(|| panic!("{bug:?} went unnoticed"));
        println!("{bug:?}: seed {seed}: {}", failures[0]);
    }
}

#[test]
fn the_same_seed_is_the_same_run() {
    for seed in 0..40 {
        let [once, twice] = [(); 2].map(|()| seeds::run::<Fake>(&Plan::of(seed), false));
        assert_eq!((once.hash, once.lines), (twice.hash, twice.lines), "{}", once.plan);
    }
}
