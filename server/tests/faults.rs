//! What goes wrong on purpose, goes wrong in that way and no other.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on must stop")]

mod support;

use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use support::{
    NO_LIMITS, Server,
    device::{Device, code, counts, now, statuses, voter},
};

fn with(spec: &str) -> Server {
    Server::with(NO_LIMITS, &["--faults", spec])
}

async fn post(server: &Server, device: &mut Device) -> reqwest::Result<Response> {
    let vote = device.vote(code(1), voter(1), "safe", now() - 1000);
    let body = device.request(&[vote], Some(1)).to_string();
    server.client.post(format!("{}/api/sync", server.base)).body(body).send().await
}

async fn set(server: &Server, spec: &str, key: Option<&str>) -> StatusCode {
    let request = server.client.post(format!("{}/faults", server.base)).body(spec.to_owned());
    let request = match key {
        Some(key) => request.bearer_auth(key),
        None => request,
    };
    request.send().await.unwrap().status()
}

/// Whether the operation took effect, once the faults are over.
async fn took_effect(server: &Server) -> bool {
    assert_eq!(set(server, "", None).await, 200);
    server.device("d").rating(code(1)).await.is_some_and(|rating| counts(&rating) == (1, 0))
}

#[tokio::test]
async fn connections_are_cut_before_and_after_the_commit() {
    for (spec, effect) in [("drop=1", false), ("drop-after-commit=1", true)] {
        let server = with(spec);
        assert!(post(&server, &mut server.device("d")).await.is_err(), "{spec}");
        assert_eq!(took_effect(&server).await, effect, "{spec}");
    }
}

#[tokio::test]
async fn statuses_come_before_and_after_the_commit() {
    for (spec, status, effect) in
        [("status-503=1", 503, false), ("status-500-after=1", 500, true), ("status-401=1", 401, false)]
    {
        let server = with(spec);
        let response = post(&server, &mut server.device("d")).await.unwrap();
        assert_eq!(response.status().as_u16(), status);
        let problem: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        assert_eq!(problem["retryable"], json!(status >= 500));
        assert_eq!(took_effect(&server).await, effect, "{spec}");
    }
}

#[tokio::test]
async fn answers_are_cut_slow_broken_or_somebody_else_s() {
    let server = with("cut-body=1");
    let response = post(&server, &mut server.device("d")).await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.content_length().unwrap() > 0 && response.text().await.is_err(), "promised whole, cut amid");
    assert!(took_effect(&server).await);

    let server = with("slow=1:1");
    let response = post(&server, &mut server.device("d")).await.unwrap();
    assert!(serde_json::from_str::<Value>(&response.text().await.unwrap()).is_ok(), "slow, and whole");

    let server = with("bad-json=1");
    let response = post(&server, &mut server.device("d")).await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(serde_json::from_str::<Value>(&response.text().await.unwrap()).is_err());
    assert!(took_effect(&server).await);

    let server = with("html=1");
    let response = post(&server, &mut server.device("d")).await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["content-type"]),
        (200, &"text/html; charset=utf-8".parse().unwrap())
    );
    assert!(!took_effect(&server).await);

    let server = with("rate-limit=1:17");
    let response = post(&server, &mut server.device("d")).await.unwrap();
    assert_eq!((response.status().as_u16(), response.headers()["retry-after"].to_str().unwrap()), (429, "17"));

    let server = with("delay=1:200");
    let begun = now();
    assert_eq!(post(&server, &mut server.device("d")).await.unwrap().status(), 200);
    assert!(now() - begun >= 200);
}

#[tokio::test]
async fn sockets_are_closed_without_a_word() {
    let server = with("");
    let mut socket = server.socket("d").await;
    assert_eq!(set(&server, "close-socket=1", None).await, 200);
    socket.say_json(&json!({ "op": "ping", "t": 1 })).await;
    assert_eq!(socket.closed().await, None);
}

#[tokio::test]
async fn a_client_that_repeats_gets_through_and_everything_happens_once() {
    let server = with(
        "seed=7,drop-after-commit=0.2,drop=0.1,status-503=0.1,status-500-after=0.1,cut-body=0.1,bad-json=0.1,html=0.1",
    );
    let mut device = server.device("d");
    let mut attempts = 0;
    for number in 0..40 {
        let vote = device.vote(code(number), voter(1), "safe", now() - 1000);
        let body = device.request(&[vote], Some(device.next - 1)).to_string();
        loop {
            attempts += 1;
            let request = server.client.post(format!("{}/api/sync", server.base)).body(body.clone());
            let answer = async { request.send().await?.error_for_status()?.text().await };
            if let Ok(answer) = answer.await
                && serde_json::from_str::<Value>(&answer)
                    .is_ok_and(|answer| answer["results"][0]["status"] != "rejected")
            {
                break;
            }
        }
    }
    assert!(attempts > 60, "{attempts} attempts for 40 operations");
    assert_eq!(set(&server, "", None).await, 200);
    for number in 0..40 {
        assert_eq!(counts(&device.rating(code(number)).await.unwrap()), (1, 0));
    }
    let vote = device.vote(code(99), voter(1), "safe", now() - 1000);
    assert_eq!(statuses(&device.send(&[vote]).await), ["applied"]);
}

#[tokio::test]
async fn the_switch_is_guarded_and_there_only_with_faults() {
    assert_eq!(set(&Server::start(), "drop=1", None).await, 404);
    let server = with("key=secret,status-503=1");
    assert_eq!(set(&server, "", None).await, 403);
    assert_eq!(set(&server, "", Some("wrong")).await, 403);
    assert_eq!(set(&server, "storm=1", Some("secret")).await, 400);
    assert_eq!(set(&server, "status-502=1", Some("secret")).await, 200);
    assert_eq!(post(&server, &mut server.device("d")).await.unwrap().status(), 502);
    assert_eq!(set(&server, "", None).await, 403, "the key stays");
    let health = server.client.get(format!("{}/healthz", server.base)).send().await.unwrap();
    assert_eq!(health.status(), 200, "faults do not touch it");
}
