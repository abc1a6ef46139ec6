//! What becomes of operations: results, repetition, order, floor, paging.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on must stop")]

mod support;

use std::collections::BTreeSet;

use reqwest::StatusCode;
use safescan_core::{
    model::{UnixMillis, VoteChoice},
    protocol::{Change, Outcome},
};
use serde_json::json;
use support::{
    NO_LIMITS, Server, TOKENS,
    device::{code, counts, now, own, ratings, statuses, voter},
};

#[tokio::test]
async fn every_operation_has_a_result_and_a_bad_one_stands_alone() {
    let server = Server::start();
    let mut device = server.device("d");
    let at = now() - 1000;
    let good = device.vote(code(1), voter(1), "safe", at);
    let strange = device.operation("vote.dance", at, code(1), json!({}));
    let broken = device.operation("vote.set", at, code(1), json!({ "vote": "safe" }));
    let long = device.setting("name", json!("x".repeat(65 * 1024)), at);
    let mut foreign = device.setting("a", json!(1), at);
    foreign["id"] = json!("my own kind of id");
    let scan = device.scan("s", "text", at);
    let request = device.request(&[good, strange, broken, long, foreign, scan], Some(1));
    let (status, answer) = device.post(&request).await;
    assert_eq!(status, StatusCode::OK);
    let words: Vec<&str> =
        answer["results"].as_array().unwrap().iter().map(|one| one["status"].as_str().unwrap()).collect();
    assert_eq!(words, ["applied", "rejected", "rejected", "rejected", "rejected", "applied"]);
    let codes = ["unknown_kind", "malformed", "too_large", "malformed"];
    for (at, code) in codes.iter().enumerate() {
        assert_eq!(answer["results"][at + 1]["error"]["code"], *code);
        assert_eq!(answer["conflicts"][at]["code"], *code);
        assert_eq!(answer["results"][at + 1]["id"], answer["conflicts"][at]["id"]);
    }
    assert_eq!(answer["results"][4]["id"], "my own kind of id");
    assert_eq!(answer["limits"], json!({ "maxOps": 200, "maxBytes": 262_144, "minIntervalMs": 2000 }));
    assert!((answer["serverTime"].as_i64().unwrap() - now()).abs() < 5_000);
}

#[tokio::test]
async fn bad_envelopes_are_refused_as_a_whole() {
    let server = Server::start();
    let device = server.device("d");
    let request = |data: serde_json::Value| {
        let mut request = device.request(&[], None);
        request["data"] = data;
        request
    };
    let no_device = {
        let mut request = request(json!([]));
        request["device"] = json!("");
        request
    };
    let topic = {
        let mut request = request(json!([]));
        request["topics"] = json!(["xyz"]);
        request
    };
    for (body, status, code) in [
        (json!([]), 400, "malformed"),
        (json!([0, []]), 400, "malformed"),
        (json!({ "data": 7, "timestamp": 1 }), 400, "malformed"),
        (request(json!([{ "seq": 1 }])), 400, "malformed"),
        (request(json!([{ "id": 7 }])), 400, "malformed"),
        (request(json!(vec![json!({ "id": "x" }); 201])), 413, "too_many_ops"),
        (request(json!([{ "id": "x", "body": "y".repeat(262_144) }])), 413, "too_large"),
        (no_device, 400, "malformed"),
        (topic, 400, "malformed"),
    ] {
        let (answered, problem) = device.post(&body).await;
        assert_eq!((answered.as_u16(), problem["code"].as_str().unwrap()), (status, code));
        assert_eq!((problem["type"].as_str(), problem["retryable"].as_bool()), (Some("about:blank"), Some(false)));
        assert_eq!(problem["status"], status);
    }
    for body in ["[".repeat(200_000), "{\"data\":".repeat(20_000), "{\"data\":[],\"data\":[]".into()] {
        let response = server.client.post(format!("{}/api/sync", server.base)).body(body).send().await.unwrap();
        assert_eq!(response.status(), 400, "deep, cut or named twice");
    }
    for (method, path, status, code) in [
        ("GET", "/nowhere", 404, "not_found"),
        ("DELETE", "/api/sync", 405, "method_not_allowed"),
        ("GET", "/ws", 400, "malformed"),
    ] {
        let request = server.client.request(method.parse().unwrap(), format!("{}{path}", server.base));
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        assert_eq!(response.status().as_u16(), status);
        let problem: serde_json::Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        assert_eq!(problem["code"], code);
    }
}

#[tokio::test]
async fn the_plain_protocol_is_answered_plainly() {
    let server = Server::start();
    let body = json!({ "data": [{ "type": "vote", "qrHash": "sha256_abc", "vote": "safe" }], "timestamp": 1 });
    let (status, answer) = server.device("d").post(&body).await;
    assert_eq!((status, answer["conflicts"].clone()), (StatusCode::OK, json!([])));
}

#[tokio::test]
async fn an_operation_takes_effect_once_and_repeats_its_outcome() {
    let server = Server::start();
    let mut device = server.device("d");
    let at = now() - 1000;
    let first = device.vote(code(1), voter(1), "safe", at);
    let older = device.vote(code(1), voter(1), "unsafe", at - 500);
    let both = [first, older];
    let answer = device.send(&both).await;
    assert_eq!(statuses(&answer), ["applied", "superseded"]);
    let Outcome::Applied { at: applied_at, rev: Some(rev) } = answer.results[0].outcome else { panic!() };
    assert_eq!(applied_at, UnixMillis(at));
    assert_eq!(ratings(&answer.changes)[0].rev, rev, "the revision is that of the rating it made");

    let again = device.send(&both).await;
    assert_eq!(statuses(&again), ["duplicate of applied", "duplicate of superseded"]);
    assert_eq!(
        again.results[0].outcome,
        Outcome::Duplicate { of: "applied".into(), at: UnixMillis(at), rev: Some(rev) }
    );
    assert_eq!(again.conflicts, answer.conflicts, "the conflict is repeated as well");
    let conflict = &answer.conflicts[0];
    let server_value = conflict.server.clone().unwrap();
    assert_eq!(
        (conflict.code.as_str(), server_value.vote.as_deref(), server_value.at),
        ("superseded", Some("safe"), UnixMillis(at))
    );
    let rating = device.rating(code(1)).await.unwrap();
    assert_eq!((counts(&rating), rating.rev), ((1, 0), rev), "nothing happened twice");
}

#[tokio::test]
async fn an_acknowledgement_comes_with_its_rating_whatever_the_cursor_says() {
    let server = Server::start();
    let (mut device, at) = (server.device("d"), now() - 1000);
    let vote = device.vote_with_host(code(1), code(2), voter(1), "safe", at);
    device.send(std::slice::from_ref(&vote)).await;
    assert!(device.send(&[]).await.changes.is_empty(), "all is known");
    let again = device.send(std::slice::from_ref(&vote)).await;
    let named: BTreeSet<_> = ratings(&again.changes).iter().map(|rating| rating.qr_hash).collect();
    assert_eq!(named, [code(1), code(2)].into());
    assert_eq!(ratings(&again.changes)[1].own, [own(voter(1), Some(VoteChoice::Safe), at)]);
    let late = device.retract(code(1), voter(1), at - 1);
    let lost = device.send(&[late]).await;
    assert_eq!(statuses(&lost), ["superseded"]);
    assert_eq!(ratings(&lost.changes).len(), 2, "of the host as well, which a retraction does not name");
}

#[tokio::test]
async fn of_two_changes_the_later_then_the_larger_device_then_the_later_place_wins() {
    let server = Server::with(&format!("{NO_LIMITS}{TOKENS}"), &[]);
    let device = |name: &str| server.device(name).with_token("token-of-anna");
    let (mut a, mut b, at) = (device("a"), device("b"), now() - 10_000);
    let mut step = 0;
    for (winner_is_b, at_a, at_b) in [(true, at, at + 1), (false, at + 1, at), (true, at, at)] {
        for b_first in [false, true] {
            step += 1;
            let key = step.to_string();
            let (of_a, of_b) = (a.setting(&key, json!("a"), at_a), b.setting(&key, json!("b"), at_b));
            if b_first {
                b.send(&[of_b]).await;
                a.send(&[of_a]).await;
            } else {
                a.send(&[of_a]).await;
                b.send(&[of_b]).await;
            }
            let changes = device("c").pull().await;
            let stands = changes.iter().find_map(|change| match change {
                Change::Setting(setting) if setting.key == key => setting.body.clone(),
                _ => None,
            });
            assert_eq!(stands.unwrap()["value"], if winner_is_b { "b" } else { "a" }, "{at_a} {at_b} {b_first}");
        }
    }
    let (one, two) = (a.setting("same", json!(1), at), a.setting("same", json!(2), at));
    assert_eq!(statuses(&a.send(&[two, one]).await), ["applied", "superseded"]);
}

#[tokio::test]
async fn clocks_are_clamped_and_never_a_reason_to_refuse() {
    let server = Server::start();
    let mut device = server.device("d");
    for (at, number) in [(i64::MAX, 1), (now() + 10 * 365 * 86_400_000, 2)] {
        let before = now();
        let vote = device.vote(code(number), voter(1), "safe", at);
        let answer = device.send(&[vote]).await;
        let Outcome::Applied { at: used, .. } = answer.results[0].outcome else { panic!("{answer:?}") };
        assert!((before..=now()).contains(&used.0));
    }
    for at in [i64::MIN, -1] {
        let vote = device.vote(code(3), voter(u32::try_from(at & 0xff).unwrap()), "safe", at);
        let answer = device.send(&[vote]).await;
        assert!(matches!(answer.results[0].outcome, Outcome::Applied { at: UnixMillis(0), .. }));
        assert!(ratings(&answer.changes)[0].tally().is_some(), "devices accept the sums");
    }
}

#[tokio::test]
async fn a_deleted_scan_stays_deleted() {
    let server = Server::start();
    let (mut device, at) = (server.device("d"), now() - 10_000);
    let put = device.scan("s", "text", at + 100);
    let earlier_delete = device.operation("scan.delete", at, "s", json!({}));
    let later_put = device.scan("s", "again", at + 200);
    let later_delete = device.operation("scan.delete", at + 300, "s", json!({}));
    let answer = device.send(&[put, earlier_delete, later_put, later_delete]).await;
    assert_eq!(statuses(&answer), ["applied", "applied", "superseded", "applied"]);
    let mut other = server.device("d");
    let changes = other.pull().await;
    assert!(matches!(&changes[..], [Change::ScanDeleted(scan)] if scan.at == UnixMillis(at + 300)), "{changes:?}");
}

#[tokio::test]
async fn memory_ends_at_the_floor_and_below_it_the_register_judges() {
    let server = Server::start();
    let (mut device, at) = (server.device("d"), now() - 100_000);
    let votes: Vec<_> = (0..4).map(|step| device.vote(code(1), voter(1), "safe", at + step)).collect();
    let future = device.vote(code(2), voter(1), "safe", now() + 1_000_000);
    device.send(&votes).await;
    device.send_with(std::slice::from_ref(&future), Some(1)).await;
    assert_eq!(server.metric("remembered_operations").await, 5);

    device.send_with(&[], Some(4)).await;
    assert_eq!(server.metric("remembered_operations").await, 2);
    let answer = device.send_with(&votes, Some(1)).await;
    let expected = ["superseded", "superseded", "superseded", "duplicate of applied"];
    assert_eq!(statuses(&answer), expected, "the floor never goes back");

    device.send_with(&[], None).await;
    assert_eq!(server.metric("remembered_operations").await, 0, "nothing waits");
    let answer = device.send_with(&votes[3..], Some(4)).await;
    assert_eq!(statuses(&answer), ["duplicate of applied"], "it stands there");
    let answer = device.send_with(std::slice::from_ref(&future), Some(5)).await;
    assert_eq!(statuses(&answer), ["duplicate of applied"], "its time was clamped, its place was not");
    let newer = device.vote(code(2), voter(1), "unsafe", now() + 1);
    device.send_with(&[newer], Some(6)).await;
    let answer = device.send_with(&[future], Some(5)).await;
    assert_eq!(statuses(&answer), ["superseded"], "it would be clamped and win twice");
    let mut forgotten = device.vote(code(3), voter(1), "safe", at);
    forgotten["seq"] = json!(2);
    assert_eq!(statuses(&device.send_with(&[forgotten], Some(2)).await), ["applied"], "nothing stood there");
}

#[tokio::test]
async fn memory_is_bounded_even_for_a_device_that_settles_nothing() {
    let server = Server::start();
    let (mut device, at) = (server.device("d"), now() - 1_000_000);
    for _ in 0..60 {
        let settings: Vec<_> =
            (0..200).map(|key| device.setting(&key.to_string(), json!(0), at + device.next)).collect();
        device.send_with(&settings, Some(1)).await;
        assert!(server.metric("remembered_operations").await <= 10_000 + 200);
    }
    let last = device.setting("last", json!(0), at);
    device.send_with(std::slice::from_ref(&last), Some(1)).await;
    let answer = device.send_with(&[last], Some(1)).await;
    assert_eq!(statuses(&answer), ["duplicate of applied"], "the latest are remembered");
}

#[tokio::test]
async fn rejected_and_deferred_are_judged_anew() {
    let config = "[votes]\nchanges_per_code = 1\nvoter_per_minute = 100";
    let server = Server::with(config, &[]);
    let (mut device, at) = (server.device("d"), now() - 600_000);
    let first = device.vote(code(1), voter(1), "safe", at);
    let second = device.vote(code(1), voter(1), "unsafe", at + 1);
    let answer = device.send(&[first, second.clone()]).await;
    assert_eq!(statuses(&answer), ["applied", "deferred"]);
    assert!(ratings(&answer.changes)[0].safe.count == 1);
    let answer = device.send(std::slice::from_ref(&second)).await;
    assert_eq!(statuses(&answer), ["applied"], "by its receipt, ten minutes after the other");
    assert_eq!(statuses(&device.send(&[second]).await), ["duplicate of applied"]);
}
