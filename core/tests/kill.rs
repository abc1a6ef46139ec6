//! A process that is killed without warning, over and over, and loses nothing that it said it had.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

mod support;

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, Command, Stdio},
};

use safescan_core::{
    config::Config,
    engine::Core,
    model::{CodeRef, NewVote, ScanId, VoteChoice, VoteOutcome},
};
use support::{Phone, history, link, new_scan};

/// Names the directory for the child; a test run without it has nothing to do there.
const DIRECTORY: &str = "SAFESCAN_KILL_TEST_DIRECTORY";
const KILLS: u64 = 100;

/// Not a test of its own but the process that is killed: writes until then, and says what is acknowledged.
#[tokio::test(flavor = "multi_thread")]
async fn child() {
    let Ok(directory) = std::env::var(DIRECTORY) else { return };
    let config = Config { votes_per_minute: Some(10_000), ..Config::new(directory) };
    let core = Core::open(config).await.unwrap();
    let start = core.statistics().await.unwrap().scans as usize;
    for number in start.. {
        let scan = core.scans.record(new_scan(number)).await.unwrap();
        writeln!(std::io::stdout(), "scan {}", scan.id).unwrap();
        let outcome = core.votes.submit(NewVote::of(&scan.text, VoteChoice::Safe)).await.unwrap();
        assert!(!matches!(outcome, VoteOutcome::Throttled { .. }));
        writeln!(std::io::stdout(), "vote {number}").unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_in_a_hundred_kills() {
    let phone = Phone::new();
    let mut scans: Vec<ScanId> = Vec::new();
    let mut votes: Vec<usize> = Vec::new();
    for kill in 0..KILLS {
        let mut child = start(&phone);
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // A different number of acknowledgements each time; the kill itself comes at whatever instant the child is at.
        let mut until_kill = 1 + (kill * 7919) % 23;
        for line in lines.map_while(Result::ok) {
            match line.split_once(' ') {
                Some(("scan", id)) => scans.push(ScanId::parse(id).unwrap()),
                Some(("vote", number)) => votes.push(number.parse().unwrap()),
                // What the test runner prints.
                _ => continue,
            }
            until_kill = until_kill.saturating_sub(1);
            if until_kill == 0 {
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
    }
    assert!(scans.len() > 100 && votes.len() > 100, "or this test proves nothing");

    let core = Core::open(phone.config()).await.unwrap();
    let kept: std::collections::HashSet<_> = history(&core).await.into_iter().map(|scan| scan.id).collect();
    let lost = scans.iter().filter(|id| !kept.contains(id)).count();
    assert_eq!(lost, 0, "of {} acknowledged scans", scans.len());
    for number in &votes {
        let rating = core.ratings.rating(CodeRef::text(link(*number))).await.unwrap();
        assert_eq!(rating.own_vote, Some(VoteChoice::Safe), "an acknowledged vote is lost");
    }
    assert!(core.upkeep.check_integrity().await.unwrap().intact);
    let statistics = core.statistics().await.unwrap();
    assert_eq!(statistics.scans as usize, kept.len(), "the counters agree with the rows");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_on_the_same_directory_is_told_so() {
    let phone = Phone::new();
    let mut child = start(&phone);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.starts_with("scan")), "the child has the directory now");
    let refused = Core::open(phone.config()).await.map(drop);
    assert_eq!(refused, Err(safescan_core::error::Error::HeldElsewhere));
    child.kill().unwrap();
    child.wait().unwrap();
    Core::open(phone.config()).await.unwrap();
}

fn start(phone: &Phone) -> Child {
    Command::new(std::env::current_exe().expect("this program has a file"))
        .args(["--exact", "child", "--nocapture", "--test-threads=1"])
        .env(DIRECTORY, phone.directory.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("this program starts")
}
