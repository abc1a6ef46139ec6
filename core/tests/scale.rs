//! What an operation costs must not grow with what is stored. Counted in steps of SQLite's virtual machine, which no other
//! load on the machine can change.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]
#![cfg(feature = "test-hooks")]

mod support;

use std::sync::Arc;

use safescan_core::{
    config::Config,
    engine::Core,
    model::{ByteCount, CodeRef, NewScan, NewVote, QrHash, ScanQuery, SettingsUpdate, UnixMillis, Verdict, VoteChoice},
};
use support::{MORNING, Phone, link, new_scan};

const MILLION: usize = 1_000_000;
const BATCH: usize = 10_000;
const CODE: QrHash = QrHash([0xc0; 32]);

async fn open(phone: &Phone) -> Arc<Core> {
    let config = Config { max_storage: Some(ByteCount(1 << 40)), votes_per_minute: Some(10), ..phone.config() };
    phone.open_with(config).await.unwrap()
}

/// The steps that `work` takes.
async fn steps<T>(core: &Core, work: impl Future<Output = T>) -> (u64, T) {
    let before = core.test_storage_steps();
    let result = work.await;
    (core.test_storage_steps() - before, result)
}

async fn record_until(core: &Core, phone: &Phone, have: usize, want: usize) {
    for start in (have..want).step_by(BATCH) {
        let scans = (start..want.min(start + BATCH)).map(new_scan).collect();
        phone.clock.advance(1000);
        core.scans.record_all(scans).await.unwrap();
    }
}

/// Steps of an insert, of the newest page, of a page in the depth, of a page by verdict, of finding one by its id.
async fn scan_steps(core: &Core, phone: &Phone) -> [u64; 5] {
    // Once for statements to be prepared and caches of the writer to be filled, once to count.
    let mut counted = [0; 5];
    for _ in 0..2 {
        phone.clock.advance(1000);
        let unsafe_scan = NewScan { verdict: Some(Verdict::Unsafe), ..NewScan::of(link(7)) };
        let (insert, scan) = steps(core, core.scans.record(unsafe_scan)).await;
        let newest = ScanQuery::default();
        let (page, _) = steps(core, core.scans.page(newest)).await;
        let old = ScanQuery { until: Some(MORNING.plus(700)), ..ScanQuery::default() };
        let (depth, _) = steps(core, core.scans.page(old)).await;
        let verdict = ScanQuery { verdict: Some(Verdict::Unsafe), limit: 1, ..ScanQuery::default() };
        let (by_verdict, _) = steps(core, core.scans.page(verdict)).await;
        let (find, _) = steps(core, core.scans.find(scan.unwrap().id)).await;
        counted = [insert, page, depth, by_verdict, find];
    }
    counted
}

#[tokio::test(flavor = "multi_thread")]
async fn a_million_scans_cost_no_more_than_a_thousand() {
    let phone = Phone::new();
    let core = open(&phone).await;
    record_until(&core, &phone, 0, 1000).await;
    let at_a_thousand = scan_steps(&core, &phone).await;
    record_until(&core, &phone, 1000, MILLION).await;
    let at_a_million = scan_steps(&core, &phone).await;
    assert!(at_a_thousand.iter().all(|steps| *steps > 0), "or nothing was counted");
    assert_eq!(at_a_million, at_a_thousand, "insert, newest page, old page, page by verdict, one by id");
    assert!(core.statistics().await.unwrap().scans as usize > MILLION);
}

async fn vote_until(core: &Core, have: usize, want: usize) {
    for start in (have..want).step_by(BATCH) {
        let votes = (start..want.min(start + BATCH)).map(|number| NewVote {
            code: CodeRef::Hash { qr_hash: CODE },
            choice: if number % 5 == 0 { VoteChoice::Unsafe } else { VoteChoice::Safe },
            user_id: Some(format!("user {number}")),
            // Spread over 40 days: some behind the line, most not.
            voted_at: Some(UnixMillis(MORNING.0 - (i64::try_from(number % 40_000).unwrap()) * 86_400)),
        });
        core.votes.submit_all(votes.collect()).await.unwrap();
    }
}

/// Steps of a rating, and of a vote that changes one of the standing ones.
async fn vote_steps(core: &Core, phone: &Phone) -> [u64; 2] {
    let mut counted = [0; 2];
    for round in 0..3 {
        phone.clock.advance(120_000);
        let code = || CodeRef::Hash { qr_hash: CODE };
        // The line passes over votes as time goes by; each is moved once, by whoever comes first.
        // That is stored after the rating has returned: waiting for another write waits for it.
        core.ratings.rating(code()).await.unwrap();
        core.settings.update(SettingsUpdate { notifications: Some(true), ..Default::default() }).await.unwrap();
        let again = NewVote {
            code: code(),
            choice: if round % 2 == 0 { VoteChoice::Safe } else { VoteChoice::Unsafe },
            user_id: Some("user 1".into()),
            voted_at: None,
        };
        let (vote, _) = steps(core, core.votes.submit(again)).await;
        let (rating, _) = steps(core, core.ratings.rating(code())).await;
        counted = [rating, vote];
    }
    counted
}

#[tokio::test(flavor = "multi_thread")]
async fn a_million_votes_cost_no_more_than_a_thousand() {
    let phone = Phone::new();
    let core = open(&phone).await;
    vote_until(&core, 0, 1000).await;
    let at_a_thousand = vote_steps(&core, &phone).await;
    vote_until(&core, 1000, MILLION).await;
    let at_a_million = vote_steps(&core, &phone).await;
    assert!(at_a_thousand.iter().all(|steps| *steps > 0), "or nothing was counted");
    assert_eq!(at_a_million, at_a_thousand, "rating, vote");
    let rating = core.ratings.rating(CodeRef::Hash { qr_hash: CODE }).await.unwrap();
    assert_eq!(rating.total_votes as usize, MILLION);
    assert_eq!((rating.safe_votes + rating.unsafe_votes) as usize, MILLION);
}
