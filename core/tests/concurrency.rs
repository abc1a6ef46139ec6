//! Many callers at once.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

mod support;

use std::{collections::HashSet, sync::Arc};

use safescan_core::model::{CodeRef, KvPair, NewVote, VoteChoice};
use support::{Phone, history, link, new_scan};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_scans_recorded_at_once_are_a_hundred_scans() {
    let phone = Phone::new();
    let core = phone.open().await;
    let recordings: Vec<_> = (0..100)
        .map(|number| {
            let core = Arc::clone(&core);
            tokio::spawn(async move { core.scans.record(new_scan(number)).await.unwrap().id })
        })
        .collect();
    let mut ids = HashSet::new();
    for recording in recordings {
        ids.insert(recording.await.unwrap());
    }
    assert_eq!(ids.len(), 100);
    assert_eq!(history(&core).await.len(), 100);
    assert_eq!(core.statistics().await.unwrap().scans, 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn a_thousand_scans_from_eight_threads_keep_their_order() {
    let phone = Phone::new();
    let core = phone.open().await;
    let threads: Vec<_> = (0..8)
        .map(|thread| {
            let core = Arc::clone(&core);
            tokio::spawn(async move {
                for number in 0..125 {
                    core.scans.record(new_scan(thread * 1000 + number)).await.unwrap();
                }
            })
        })
        .collect();
    for thread in threads {
        thread.await.unwrap();
    }
    let mut scans = history(&core).await;
    assert_eq!(scans.len(), 1000);
    assert!(scans.windows(2).all(|pair| pair[0].id > pair[1].id), "newest first");
    scans.reverse();
    for thread in 0..8 {
        let expected: Vec<_> = (0..125).map(|number| link(thread * 1000 + number)).collect();
        let recorded: Vec<_> =
            scans.iter().map(|scan| &scan.text).filter(|text| expected.contains(text)).cloned().collect();
        assert_eq!(recorded, expected, "each thread's scans in the order of its calls");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_failing_call_does_not_take_its_neighbours_along() {
    let phone = Phone::new();
    let core = phone.open().await;
    core.key_value.set_all(vec![KvPair { key: "text".into(), value: "no object".into() }]).await.unwrap();
    // All of these wait together, so that they share a commit; every third one fails inside the transaction.
    let calls: Vec<_> = (0..60)
        .map(|number| {
            let core = Arc::clone(&core);
            tokio::spawn(async move {
                let pair = |key: String| KvPair { key, value: r#"{"a":1}"#.into() };
                // The failing ones have written something by then, which must be undone.
                let mut pairs = vec![pair(format!("key {number}"))];
                if number % 3 == 0 {
                    pairs.push(pair("text".to_owned()));
                }
                core.key_value.merge_all(pairs).await.is_ok()
            })
        })
        .collect();
    let mut succeeded = 0;
    for call in calls {
        succeeded += u32::from(call.await.unwrap());
    }
    assert_eq!(succeeded, 40);
    assert_eq!(core.key_value.keys().await.unwrap().len(), 41);
    assert_eq!(core.statistics().await.unwrap().kv_entries, 41);
    assert_eq!(core.key_value.find("text".into()).await.unwrap().as_deref(), Some("no object"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn votes_of_many_on_one_code_all_count() {
    let phone = Phone::new();
    let core = phone.open().await;
    let votes: Vec<_> = (0..200)
        .map(|number| {
            let core = Arc::clone(&core);
            let choice = if number % 4 == 0 { VoteChoice::Unsafe } else { VoteChoice::Safe };
            let user_id = Some(format!("user {number}"));
            let vote = NewVote { user_id, ..NewVote::of("https://one.example/", choice) };
            tokio::spawn(async move { core.votes.submit(vote).await.unwrap() })
        })
        .collect();
    for vote in votes {
        vote.await.unwrap();
    }
    let rating = core.ratings.rating(CodeRef::text("https://one.example/")).await.unwrap();
    assert_eq!((rating.safe_votes, rating.unsafe_votes, rating.total_votes), (150, 50, 200));
    assert!((rating.confidence - 0.75).abs() < 1e-12);
}
