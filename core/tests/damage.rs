//! Broken files: no wrong row is ever returned, and every readable one is kept.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

mod support;

use std::{collections::HashMap, fs};

use safescan_core::{
    engine::Core,
    error::Error,
    model::{CodeRef, Event, HealthCause, KvPair, NewScan, NewVote, RepairReport, Scan, StoreName, VoteChoice},
};
use support::{Phone, history, link, new_scan};

const SCANS: usize = 3_000;
const VOTES: usize = 300;
const PAIRS: usize = 300;

/// What was stored, by what it is found again.
struct Stored {
    scans: HashMap<String, Scan>,
}

async fn fill(phone: &Phone) -> Stored {
    let core = open(phone).await;
    let batch: Vec<NewScan> = (0..SCANS)
        .map(|number| NewScan { metadata: Some(format!("{{\"n\":{number}}}")), ..new_scan(number) })
        .collect();
    let scans = core.scans.record_all(batch).await.unwrap();
    let votes = (0..VOTES).map(|number| NewVote {
        user_id: Some(format!("user {number}")),
        ..NewVote::of(link(number % 50), if number % 3 == 0 { VoteChoice::Unsafe } else { VoteChoice::Safe })
    });
    core.votes.submit_all(votes.collect()).await.unwrap();
    let pairs = (0..PAIRS).map(|number| KvPair { key: format!("key {number}"), value: "value ".repeat(number % 90) });
    core.key_value.set_all(pairs.collect()).await.unwrap();
    core.shutdown().await.unwrap();
    Stored { scans: scans.into_iter().map(|scan| (scan.id.to_string(), scan)).collect() }
}

async fn open(phone: &Phone) -> std::sync::Arc<Core> {
    phone.open().await
}

/// Changes the main database's bytes while nobody has it open.
fn damage(phone: &Phone, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(phone.file("safescan.db")).unwrap();
    change(&mut bytes);
    fs::write(phone.file("safescan.db"), bytes).unwrap();
}

/// A sequence of numbers that looks random and is always the same.
fn numbers(mut seed: u64) -> impl FnMut(usize) -> usize {
    move |below| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % below
    }
}

fn kept(report: &RepairReport, store: StoreName) -> usize {
    report.stores.iter().find(|entry| entry.store == store).unwrap().intact as usize
}

/// Every scan that is returned is one that was stored, to the letter.
async fn assert_no_wrong_scan(core: &Core, stored: &Stored) -> usize {
    let scans = history(core).await;
    for scan in &scans {
        assert_eq!(stored.scans.get(&scan.id.to_string()), Some(scan), "a row that was never written");
    }
    scans.len()
}

fn repaired(events: &[Event]) -> Option<&RepairReport> {
    events.iter().find_map(|event| if let Event::Repaired { report } = event { Some(report) } else { None })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_header_costs_no_row() {
    let phone = Phone::new();
    let stored = fill(&phone).await;
    damage(&phone, |bytes| bytes[..100].fill(0));
    let core = open(&phone).await;
    let events = core.next_events(10).await.unwrap();
    let report = repaired(&events).expect("the app is told");
    assert!(report.rebuilt);
    assert_eq!(kept(report, StoreName::Scans), SCANS);
    assert_eq!(kept(report, StoreName::Votes), VOTES);
    assert_eq!(kept(report, StoreName::KeyValue), PAIRS);
    assert_eq!(assert_no_wrong_scan(&core, &stored).await, SCANS);
    let quarantine = report.quarantine.as_ref().expect("the broken file is put aside");
    assert!(fs::metadata(quarantine).unwrap().is_dir());
    let rating = core.ratings.rating(CodeRef::text(link(0))).await.unwrap();
    assert_eq!((rating.safe_votes + rating.unsafe_votes) as usize, VOTES / 50, "sums made anew from the votes");
    assert!(core.upkeep.check_integrity().await.unwrap().intact);
    let statistics = core.statistics().await.unwrap();
    assert_eq!((statistics.scans as usize, statistics.votes as usize), (SCANS, VOTES));
    assert_eq!(statistics.lifetime_safe_votes + statistics.lifetime_unsafe_votes, 300);
    core.scans.record(new_scan(1)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn flipped_bytes_never_show_as_data_and_repair_keeps_the_rest() {
    for (seed, flips, share) in [(1, 8, 0.985), (2, 8, 0.985), (3, 64, 0.94), (4, 64, 0.94), (5, 512, 0.75)] {
        let phone = Phone::new();
        let stored = fill(&phone).await;
        let mut number = numbers(seed);
        damage(&phone, |bytes| {
            for _ in 0..flips {
                let at = 4096 + number(bytes.len() - 4096);
                bytes[at] ^= u8::try_from(1 + number(255)).unwrap();
            }
        });
        let core = open(&phone).await;
        // Reading may fail where the structure is broken; what it returns is right.
        let first = core.scans.page(safescan_core::model::ScanQuery { limit: 500, ..Default::default() }).await;
        for scan in first.map(|page| page.scans).unwrap_or_default() {
            assert_eq!(stored.scans.get(&scan.id.to_string()), Some(&scan));
        }
        let report = core.upkeep.repair().await.unwrap();
        let scans = assert_no_wrong_scan(&core, &stored).await;
        assert!(scans as f64 >= share * SCANS as f64, "{flips} flips: {scans} of {SCANS} scans kept");
        assert_eq!(kept(&report, StoreName::Scans), scans);
        assert!(core.upkeep.check_integrity().await.unwrap().intact, "whole again");
        assert_eq!(core.statistics().await.unwrap().scans as usize, scans);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_row_is_withheld_told_once_and_taken_out() {
    let phone = Phone::new();
    let core = open(&phone).await;
    core.scans.record(NewScan::of("https://sound.example/")).await.unwrap();
    let marked = core.scans.record(NewScan::of("https://marked.example/")).await.unwrap();
    core.shutdown().await.unwrap();
    damage(&phone, |bytes| {
        let at = bytes.windows(14).position(|window| window == b"marked.example").unwrap();
        bytes[at] = b'M';
    });
    let core = open(&phone).await;
    for _ in 0..3 {
        let page = core.scans.page(Default::default()).await.unwrap();
        assert_eq!((page.scans.len(), page.withheld), (1, 1));
        assert_eq!(page.scans[0].text, "https://sound.example/");
    }
    assert!(matches!(core.scans.find(marked.id).await, Err(Error::Damaged { .. })));
    let events = core.next_events(10).await.unwrap();
    let told = events.iter().filter(|event| matches!(event, Event::DamageFound { store: StoreName::Scans, count: 1 }));
    assert_eq!(told.count(), 1, "{events:?}");
    assert!(core.health().services.iter().any(|health| health.cause == HealthCause::DamagedRows));
    let report = core.upkeep.repair().await.unwrap();
    assert!(!report.rebuilt, "the structure is sound");
    assert_eq!((kept(&report, StoreName::Scans), report.stores[0].damaged), (1, 1));
    assert_eq!(core.scans.page(Default::default()).await.unwrap().withheld, 0);
    assert!(core.health().services.iter().all(|health| health.cause != HealthCause::DamagedRows));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_truncated_file_keeps_what_is_left() {
    let phone = Phone::new();
    let stored = fill(&phone).await;
    damage(&phone, |bytes| bytes.truncate(bytes.len() * 2 / 3 + 1234));
    let core = open(&phone).await;
    core.upkeep.repair().await.unwrap();
    let scans = assert_no_wrong_scan(&core, &stored).await;
    assert!(scans > SCANS / 4, "{scans} of {SCANS}");
    assert!(core.upkeep.check_integrity().await.unwrap().intact);
    core.scans.record(new_scan(0)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_that_was_cut_short_is_finished_or_begun_again() {
    let phone = Phone::new();
    let stored = fill(&phone).await;
    // Killed while writing the new file: it is worthless, the old one is still there.
    fs::write(phone.file("safescan.db.rebuilding"), "half of something").unwrap();
    let core = open(&phone).await;
    assert_eq!(assert_no_wrong_scan(&core, &stored).await, SCANS);
    core.shutdown().await.unwrap();
    assert!(!phone.file("safescan.db.rebuilding").exists());
    // Killed between "complete" and "in its place": the old one is moved aside, the new one takes its place.
    fs::rename(phone.file("safescan.db"), phone.file("safescan.db.rebuilt")).unwrap();
    fs::write(phone.file("safescan.db"), "the broken one").unwrap();
    let core = open(&phone).await;
    assert_eq!(assert_no_wrong_scan(&core, &stored).await, SCANS);
    assert!(!phone.file("safescan.db.rebuilt").exists());
    let aside: Vec<_> = fs::read_dir(phone.file("quarantine")).unwrap().collect();
    assert_eq!(aside.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_cache_is_made_anew() {
    let phone = Phone::new();
    let core = open(&phone).await;
    core.votes.submit(NewVote::of("https://a.example/", VoteChoice::Safe)).await.unwrap();
    core.shutdown().await.unwrap();
    fs::write(phone.file("cache.db"), [7; 8192]).unwrap();
    let core = open(&phone).await;
    core.votes.submit(NewVote::of("https://b.example/", VoteChoice::Safe)).await.unwrap();
    assert_eq!(core.ratings.rating(CodeRef::text("https://a.example/")).await.unwrap().total_votes, 1);
    core.shutdown().await.unwrap();
    assert!(fs::read(phone.file("cache.db")).unwrap().starts_with(b"SQLite format 3"));
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_in_place_of_the_database_is_put_aside() {
    let phone = Phone::new();
    fs::write(phone.file("safescan.db"), [0x5a; 40_000]).unwrap();
    let core = open(&phone).await;
    assert_eq!(history(&core).await, []);
    let events = core.next_events(10).await.unwrap();
    let quarantine = repaired(&events).unwrap().quarantine.clone().unwrap();
    let aside = std::path::Path::new(&quarantine).join("safescan.db");
    assert_eq!(fs::read(aside).unwrap(), [0x5a; 40_000], "kept as it was");
    core.scans.record(new_scan(1)).await.unwrap();
}
