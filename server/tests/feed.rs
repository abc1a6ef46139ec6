//! Changes: who learns what, page by page, and what cursors are good for.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on must stop")]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use reqwest::StatusCode;
use safescan_core::{
    model::VoteChoice,
    protocol::{Change, MUST_REFETCH},
};
use serde_json::json;
use support::{
    NO_LIMITS, Server, TOKENS,
    device::{code, counts, now, ratings, statuses, voter},
};

#[tokio::test]
async fn an_account_s_other_device_learns_its_scans_settings_and_votes() {
    let server = Server::with(&format!("{NO_LIMITS}{TOKENS}"), &[]);
    let (mut phone, at) = (server.device("phone").with_token("token-of-anna"), now() - 1000);
    let operations = [
        phone.scan("s1", "text", at),
        phone.scan("s2", "text", at),
        phone.operation("scan.delete", at, "s2", json!({})),
        phone.setting("theme", json!({ "dark": true }), at),
        phone.vote(code(1), voter(1), "unsafe", at),
        phone.vote(code(2), voter(1), "safe", at),
        phone.retract(code(2), voter(1), at + 1),
    ];
    phone.send(&operations).await;
    let mut tablet = server.device("tablet").with_token("second-token-of-anna");
    let changes = tablet.pull().await;
    let word = |change: &Change| match change {
        Change::Scan(scan) => format!("scan {} {}", scan.key, scan.body.as_ref().unwrap()["text"]),
        Change::ScanDeleted(scan) => format!("deleted {}", scan.key),
        Change::Setting(setting) => format!("setting {} {}", setting.key, setting.body.as_ref().unwrap()["value"]),
        Change::Vote(vote) => format!("vote {:?}", vote.vote),
        Change::Rating(rating) => format!("rating {:?} {}", counts(rating), rating.own.len()),
        Change::Unknown => "unknown".into(),
    };
    let words: BTreeSet<String> = changes.iter().map(word).collect();
    let expected = [
        "scan s1 \"text\"",
        "deleted s2",
        "setting theme {\"dark\":true}",
        "vote Some(Unsafe)",
        "vote None",
        "rating (0, 1) 1",
        "rating (0, 0) 1",
    ];
    assert_eq!(words, expected.into_iter().map(str::to_owned).collect());
    let mut stranger = server.device("phone").with_token("token-of-bert");
    assert!(stranger.pull().await.is_empty(), "a device's name opens nothing");
}

#[tokio::test]
async fn ratings_of_codes_once_voted_on_and_of_topics_are_told() {
    let server = Server::start();
    let (mut anna, mut bert, at) = (server.device("anna"), server.device("bert"), now() - 10_000);
    let votes = [anna.vote(code(1), voter(1), "safe", at), anna.retract(code(1), voter(1), at + 1)];
    anna.send(&votes).await;
    let before = bert.vote(code(0xaaaa_0001), voter(2), "safe", at);
    bert.send(&[before]).await;
    // A topic brings later ratings only; the first come by look-up.
    assert!(anna.pull().await.is_empty());
    anna.topics = vec!["aaaa".into()];
    assert!(anna.pull().await.is_empty());
    let votes = [
        bert.vote(code(1), voter(2), "unsafe", at),
        bert.vote(code(0xaaaa_0002), voter(2), "safe", at),
        bert.vote(code(0xbbbb_0001), voter(2), "safe", at),
    ];
    bert.send(&votes).await;
    let changes = anna.pull().await;
    let told: BTreeSet<_> = ratings(&changes).iter().map(|rating| rating.qr_hash).collect();
    assert_eq!(told, [code(1), code(0xaaaa_0002)].into());
    assert_eq!(changes.len(), 2);
    let mut fresh = server.device("fresh");
    fresh.topics = vec!["aaaa".into()];
    assert!(fresh.pull().await.is_empty(), "a first page does not bring a topic's past");
    let vote = bert.vote(code(0xaaaa_0003), voter(2), "safe", at);
    bert.send(&[vote]).await;
    assert_eq!(ratings(&fresh.pull().await).len(), 1);
}

#[tokio::test]
async fn pages_bring_everything_once_and_stay_within_their_bounds() {
    let server = Server::start();
    let (mut device, at) = (server.device("d"), now() - 1_000_000);
    let mut expected = BTreeMap::new();
    for batch in 0..6 {
        let mut operations = Vec::new();
        for step in 0..3 {
            let (key, text) = (format!("s{batch}-{step}"), "x".repeat(60_000));
            operations.push(device.scan(&key, &text, at));
            expected.insert(key, 1);
        }
        for step in 0..20_u32 {
            let code = code(batch * 100 + step);
            operations.push(device.vote(code, voter(1), "safe", at + i64::from(step)));
            *expected.entry(code.to_string()).or_insert(0) += 2;
        }
        device.send(&operations).await;
    }
    for limit in [7, 1000] {
        let mut reader = server.device("d");
        reader.limit = limit;
        let (mut found, mut pages) = (BTreeMap::new(), 0);
        loop {
            let (status, text) = reader.changes_raw(false).await;
            assert_eq!(status, StatusCode::OK);
            assert!(text.len() <= 512 * 1024, "a page of {} bytes", text.len());
            let page: safescan_core::protocol::SyncResponse = serde_json::from_str(&text).unwrap();
            assert!(page.changes.len() <= limit as usize);
            pages += 1;
            for change in &page.changes {
                let key = match change {
                    Change::Scan(scan) => scan.key.clone(),
                    Change::Vote(vote) => vote.qr_hash.to_string(),
                    Change::Rating(rating) => rating.qr_hash.to_string(),
                    other => panic!("{other:?}"),
                };
                *found.entry(key).or_insert(0) += 1;
            }
            reader.cursor = page.cursor;
            if !page.has_more {
                break;
            }
        }
        assert_eq!(found, expected);
        assert!(pages >= 3, "a megabyte in {pages} pages");
    }
}

#[tokio::test]
async fn an_answer_with_many_named_ratings_stays_within_a_page() {
    let server = Server::start();
    let (mut device, at) = (server.device("d"), now() - 1_000_000);
    // A crowd on one account, so that every rating has a long list of own registers.
    for person in 0..60 {
        let votes: Vec<_> = (0..200)
            .map(|number| device.vote_with_host(code(number), code(1_000_000 + number), voter(person), "safe", at))
            .collect();
        let (status, answer) = device.post(&device.request(&votes, Some(device.next - 200))).await;
        assert_eq!(status, StatusCode::OK);
        assert!(answer.to_string().len() <= 512 * 1024, "{} bytes", answer.to_string().len());
        let ratings = answer["changes"].as_array().unwrap().iter().filter(|change| change["type"] == "rating").count();
        assert!(ratings >= 400, "every named rating comes: {ratings}");
    }
    let rating = device.rating(code(7)).await.unwrap();
    assert_eq!((counts(&rating), rating.own.len()), ((60, 0), 60));
}

#[tokio::test]
async fn a_foreign_cursor_is_refused_and_operations_are_applied_all_the_same() {
    let (server, other) = (Server::start(), Server::start());
    let (mut device, mut elsewhere) = (server.device("d"), other.device("d"));
    let vote = elsewhere.vote(code(1), voter(1), "safe", now() - 1000);
    elsewhere.send(&[vote]).await;
    for cursor in [elsewhere.cursor.clone().unwrap(), "nonsense".into()] {
        device.cursor = Some(cursor);
        let (status, text) = device.changes_raw(false).await;
        let problem: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((status, &problem["code"]), (StatusCode::GONE, &json!("cursor_invalid")));
        let vote = device.vote(code(1), voter(1), "safe", now() - 1000);
        let answer = device.send(&[vote]).await;
        assert_eq!((answer.control.as_slice(), &answer.cursor), ([MUST_REFETCH.to_owned()].as_slice(), &None));
        assert_eq!(ratings(&answer.changes).len(), 1);
        assert!(statuses(&answer)[0] == "applied");
    }
    device.cursor = None;
    assert!(!device.pull().await.is_empty(), "and then everything can be fetched");
}

#[tokio::test]
async fn a_request_that_waits_is_answered_by_a_change() {
    let server = Server::start();
    let (mut anna, mut bert, at) = (server.device("anna"), server.device("bert"), now() - 1000);
    anna.topics = vec!["aaaa".into()];
    anna.pull().await;
    let waiting = {
        let anna = anna.clone();
        tokio::spawn(async move { anna.changes(true).await })
    };
    // Others' changes do not answer it.
    let noise = bert.vote(code(0xbbbb_0000), voter(2), "safe", at);
    bert.send(&[noise]).await;
    let vote = bert.vote(code(0xaaaa_0000), voter(2), "unsafe", at);
    bert.send(&[vote]).await;
    let fresh = server.device("fresh").changes(true).await;
    assert!(fresh.changes.is_empty(), "without a cursor there is nothing to wait for");
    let answer = waiting.await.unwrap();
    let told = ratings(&answer.changes);
    assert_eq!((told.len(), told[0].qr_hash, counts(told[0])), (1, code(0xaaaa_0000), (0, 1)));
}

#[tokio::test]
async fn votes_of_several_people_of_an_account_are_told_as_its_own() {
    let server = Server::start();
    let (mut device, mut other, at) = (server.device("d"), server.device("e"), now() - 100_000);
    let votes: Vec<_> =
        (0..70).map(|person| device.vote(code(1), voter(person), "safe", at + i64::from(person))).collect();
    let foreign = other.vote(code(1), voter(900), "unsafe", at);
    other.send(&[foreign]).await;
    let answer = device.send(&votes).await;
    let rating = ratings(&answer.changes)[0];
    assert_eq!(counts(rating), (70, 1));
    let voters: Vec<_> = rating.own.iter().map(|own| own.voter).collect();
    assert_eq!(voters, (6..70).rev().map(voter).collect::<Vec<_>>(), "the 64 latest");
    assert!(rating.own.iter().all(|own| own.vote == Some(VoteChoice::Safe)));
    assert_eq!(other.rating(code(1)).await.unwrap().own.len(), 1);
    assert!(server.device("").rating(code(1)).await.unwrap().own.is_empty(), "nobody asks");
}
