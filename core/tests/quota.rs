//! Room that runs out.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

mod support;

use safescan_core::{
    config::{Config, SyncConfig},
    error::Error,
    model::{ByteCount, CodeRef, Event, KvPair, NewScan, NewVote, VoteChoice},
};
use support::{Phone, history, new_scan};

fn small(phone: &Phone) -> Config {
    Config { max_storage: Some(ByteCount(64 * 1024)), ..phone.config() }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_oldest_scans_make_room_and_votes_stay() {
    let phone = Phone::new();
    let core = phone.open_with(small(&phone)).await.unwrap();
    core.votes.submit(NewVote::of("https://first.example/", VoteChoice::Safe)).await.unwrap();
    for number in 0..2000 {
        phone.clock.advance(10);
        core.scans.record(new_scan(number)).await.unwrap();
    }
    let usage = core.upkeep.usage().await.unwrap();
    assert!(usage.used.0 <= usage.limit.0 * 8 / 10, "{usage:?}");
    let scans = history(&core).await;
    assert!(scans.len() > 200, "{} left", scans.len());
    assert_eq!(scans[0].text, support::link(1999), "the newest is there");
    assert_eq!(usage.scans.0, scans.iter().map(|scan| i64::try_from(scan.text.len()).unwrap() + 96).sum::<i64>());
    let rating = core.ratings.rating(CodeRef::text("https://first.example/")).await.unwrap();
    assert_eq!(rating.total_votes, 1);
    let evicted: u32 = core
        .next_events(500)
        .await
        .unwrap()
        .iter()
        .map(|event| if let Event::ScansEvicted { count } = event { *count } else { 0 })
        .sum();
    assert!(evicted > 0, "the app is told");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_to_be_sent_is_never_evicted() {
    let phone = Phone::new();
    let sync = SyncConfig { share_scans: true, only_when_asked: true, ..SyncConfig::new("https://api.example") };
    let config = Config { sync: Some(sync), ..small(&phone) };
    let core = phone.open_with(config).await.unwrap();
    let mut recorded = 0;
    let refused = loop {
        match core.scans.record(new_scan(recorded)).await {
            Ok(_) => recorded += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(refused, Error::QuotaExceeded);
    let scans = history(&core).await;
    assert_eq!(scans.len(), recorded, "every one of them is still there");
    assert!(core.scans.delete(scans[0].id).await.unwrap(), "deleting works");
    core.scans.record(new_scan(0)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_does_not_fit_leaves_nothing_behind() {
    let phone = Phone::new();
    let core = phone.open_with(small(&phone)).await.unwrap();
    let value = "x".repeat(40_000);
    let pairs = |keys: [&str; 2]| keys.map(|key| KvPair { key: key.into(), value: value.clone() }).to_vec();
    assert_eq!(core.key_value.set_all(pairs(["a", "b"])).await, Err(Error::QuotaExceeded));
    assert_eq!(core.key_value.keys().await.unwrap(), Vec::<String>::new());
    assert_eq!(core.upkeep.usage().await.unwrap().used, ByteCount(0));
    core.scans.record(NewScan::of("still works")).await.unwrap();
    core.key_value.set_all(pairs(["a", "a"])).await.unwrap();
    assert_eq!(core.key_value.find("a".into()).await.unwrap(), Some(value));
}
