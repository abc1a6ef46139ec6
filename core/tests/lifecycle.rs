//! Opening, sleeping, closing, and who may have the files meanwhile.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]
#![allow(clippy::disallowed_methods, reason = "the standard library's locks know the systems that tests run on")]

mod support;

use std::{
    fs::{self, File},
    sync::Arc,
};

use safescan_core::{
    config::Config,
    error::Error,
    model::{ByteCount, CodeRef, NewVote, ScanQuery, Service, ServiceState, VoteChoice},
};
use support::{Phone, history, new_scan, open_files_below};

#[tokio::test(flavor = "multi_thread")]
async fn what_was_recorded_is_there_after_a_restart() {
    let phone = Phone::new();
    let core = phone.open().await;
    let scan = core.scans.record(new_scan(1)).await.unwrap();
    core.votes.submit(NewVote::of(&scan.text, VoteChoice::Unsafe)).await.unwrap();
    let rating = core.ratings.rating(CodeRef::text(&scan.text)).await.unwrap();
    core.shutdown().await.unwrap();
    assert_eq!(core.scans.record(new_scan(2)).await, Err(Error::Stopped));
    assert_eq!(core.scans.find(scan.id).await, Err(Error::Stopped));

    let core = phone.open().await;
    assert_eq!(history(&core).await, std::slice::from_ref(&scan));
    assert_eq!(core.ratings.rating(CodeRef::text(&scan.text)).await.unwrap(), rating);
    let mine = core.votes.mine(CodeRef::text(&scan.text), None).await.unwrap().unwrap();
    assert_eq!((mine.choice, mine.pending), (VoteChoice::Unsafe, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_directory_has_one_core() {
    let phone = Phone::new();
    let core = phone.open().await;
    assert!(Arc::ptr_eq(&core, &phone.open().await));
    let other = Config { max_storage: Some(ByteCount(1 << 20)), ..phone.config() };
    assert!(matches!(phone.open_with(other).await, Err(Error::Invalid { field: "directory", .. })));
    core.shutdown().await.unwrap();
    let again = phone.open().await;
    assert!(!Arc::ptr_eq(&core, &again), "after a shutdown it is a new one");
    again.scans.record(new_scan(1)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_core_that_was_only_dropped_lets_go_of_its_files() {
    let phone = Phone::new();
    for round in 0..5 {
        let core = phone.open().await;
        core.scans.record(new_scan(round)).await.unwrap();
        drop(core);
    }
    let core = phone.open().await;
    assert_eq!(history(&core).await.len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_suspended_no_file_is_open_and_calls_still_work() {
    let phone = Phone::new();
    let core = phone.open().await;
    core.scans.record(new_scan(1)).await.unwrap();
    core.votes.submit(NewVote::of("https://a.example/", VoteChoice::Safe)).await.unwrap();
    assert!(!open_files_below(phone.directory.path()).is_empty(), "or this test proves nothing");
    for round in 2..20 {
        core.suspend().await.unwrap();
        assert_eq!(open_files_below(phone.directory.path()), Vec::<String>::new());
        core.scans.record(new_scan(round)).await.unwrap();
        assert_eq!(history(&core).await.len(), round);
        assert_eq!(open_files_below(phone.directory.path()), Vec::<String>::new());
        core.resume().await.unwrap();
    }
    core.shutdown().await.unwrap();
    assert_eq!(open_files_below(phone.directory.path()), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_reads_keeps_other_processes_away_and_is_kept_away() {
    let phone = Phone::new();
    let core = phone.open().await;
    core.scans.record(new_scan(1)).await.unwrap();
    // Another process, as far as the system knows: a lock belongs to an open file.
    let other = File::options().write(true).open(phone.file("lock")).unwrap();
    assert!(other.try_lock().is_err(), "awake, the core has it");
    core.suspend().await.unwrap();
    other.try_lock().unwrap();
    // What it does with the files meanwhile must not be seen half done.
    assert_eq!(core.scans.page(ScanQuery::default()).await, Err(Error::HeldElsewhere));
    assert_eq!(core.scans.record(new_scan(2)).await, Err(Error::HeldElsewhere));
    assert_eq!(open_files_below(phone.directory.path()).len(), 1, "the other's own");
    other.unlock().unwrap();
    assert_eq!(history(&core).await.len(), 1);
    other.try_lock().expect("a call gives it back before it answers");
    other.unlock().unwrap();
    core.resume().await.unwrap();
    // No write has been made since: the open connection of a reader is enough.
    assert_eq!(history(&core).await.len(), 1);
    assert!(other.try_lock().is_err(), "while a reader has the file open it is the core's");
    core.shutdown().await.unwrap();
    other.try_lock().expect("given back for good");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_database_is_refused_and_left_as_it_is() {
    let phone = Phone::new();
    phone.open().await.shutdown().await.unwrap();
    let mut bytes = fs::read(phone.file("safescan.db")).unwrap();
    let known = u32::from_be_bytes(bytes[60..64].try_into().unwrap());
    bytes[60..64].copy_from_slice(&99_u32.to_be_bytes());
    fs::write(phone.file("safescan.db"), &bytes).unwrap();
    let refused = phone.open_with(phone.config()).await.map(drop);
    assert_eq!(refused, Err(Error::NewerSchema { found: 99, known }));
    assert_eq!(fs::read(phone.file("safescan.db")).unwrap(), bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn directories_that_cannot_be_used_are_named() {
    let phone = Phone::new();
    fs::write(phone.file("file"), "x").unwrap();
    for path in ["file", "file/below"] {
        let config = Config::new(phone.file(path).to_str().unwrap());
        let refused = phone.open_with(config).await.map(drop);
        assert!(matches!(refused, Err(Error::Invalid { field: "directory", .. })), "{path}: {refused:?}");
    }
    assert_eq!(fs::read_to_string(phone.file("file")).unwrap(), "x");
    // A folder in the database's place stands for whatever else keeps the system from opening it.
    fs::create_dir_all(phone.file("data/safescan.db")).unwrap();
    let config = Config::new(phone.file("data").to_str().unwrap());
    let refused = phone.open_with(config).await.map(drop);
    assert!(matches!(refused, Err(Error::Io { .. })), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn erasing_leaves_no_trace_in_the_files() {
    const SECRET: &str = "https://very-private-canary.example/zebra";
    let phone = Phone::new();
    let core = phone.open().await;
    core.scans.record(safescan_core::model::NewScan::of(SECRET)).await.unwrap();
    core.votes.submit(NewVote::of(SECRET, VoteChoice::Safe)).await.unwrap();
    let voter = core.votes.mine(CodeRef::text(SECRET), None).await.unwrap().unwrap().voter_id;
    core.upkeep.erase_all().await.unwrap();
    assert_eq!(history(&core).await, []);
    assert_eq!(core.ratings.rating(CodeRef::text(SECRET)).await.unwrap().total_votes, 0);
    core.votes.submit(NewVote::of("https://new.example/", VoteChoice::Safe)).await.unwrap();
    let new_voter = core.votes.mine(CodeRef::text("https://new.example/"), None).await.unwrap().unwrap().voter_id;
    assert_ne!(voter, new_voter, "a new identity");
    core.shutdown().await.unwrap();
    for entry in fs::read_dir(phone.directory.path()).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(13).any(|window| window == b"private-canar"), "a trace is left");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_that_was_cut_short_is_finished_at_the_next_opening() {
    let phone = Phone::new();
    let core = phone.open().await;
    core.scans.record(new_scan(1)).await.unwrap();
    core.shutdown().await.unwrap();
    fs::write(phone.file("erase"), "").unwrap();
    let core = phone.open().await;
    assert_eq!(history(&core).await, []);
    assert!(!phone.file("erase").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn health_says_healthy_at_first_and_stopped_at_last() {
    let phone = Phone::new();
    let core = phone.open().await;
    let state = |service| {
        let health = core.health();
        health.services.iter().find(|health| health.service == service).unwrap().state
    };
    for service in [Service::LocalStorage, Service::CommunityRatings, Service::Cache] {
        assert_eq!(state(service), ServiceState::Healthy, "{service:?}: a cold start is no illness");
    }
    for service in [Service::CloudSync, Service::Realtime] {
        assert_eq!(state(service), ServiceState::Disabled, "{service:?}");
    }
    core.shutdown().await.unwrap();
    assert_eq!(state(Service::LocalStorage), ServiceState::Unavailable);
}
