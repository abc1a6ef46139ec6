//! Limits: of votes, of requests, of patience.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on must stop")]

mod support;

use safescan_core::{
    model::DAY_MS,
    protocol::{Outcome, SyncResponse},
};
use serde_json::{Value, json};
use support::{
    NO_LIMITS, Server, TOKENS,
    device::{Device, code, now, statuses, voter},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// How many were applied, and the longest wait of the others.
fn applied_and_wait(answer: &SyncResponse) -> (usize, u32) {
    let applied = statuses(answer).iter().filter(|status| *status == "applied").count();
    let wait = answer.results.iter().filter_map(|result| match result.outcome {
        Outcome::Deferred { retry_after_ms } => Some(retry_after_ms),
        _ => None,
    });
    (applied, wait.max().unwrap_or(0))
}

fn votes(device: &mut Device, count: u32, at: impl Fn(u32) -> i64) -> Vec<Value> {
    (0..count).map(|number| device.vote(code(number), voter(1), "safe", at(number))).collect()
}

#[tokio::test]
async fn an_honest_backlog_passes_at_once_and_a_rapid_one_drains() {
    let server = Server::with("[votes]\naccount_per_minute = 0", &[]);
    let (mut device, start) = (server.device("d"), now() - 3 * DAY_MS);
    let backlog = votes(&mut device, 150, |number| start + i64::from(number) * 7_000);
    assert_eq!(applied_and_wait(&device.send(&backlog).await).0, 150, "nine a minute for an hour, days ago");
    let mut rapid: Vec<Value> =
        (0..25).map(|number| device.vote(code(1000 + number), voter(2), "safe", start)).collect();
    let (applied, wait) = applied_and_wait(&device.send(&rapid).await);
    assert_eq!(applied, 10);
    assert!((1..=60_000).contains(&wait));
    // The retry is rated by its receipt: the minute of now is empty.
    let answer = device.send(&rapid).await;
    assert_eq!(applied_and_wait(&answer).0, 10);
    rapid.retain(|vote| {
        let settled = answer.results.iter().filter(|result| !matches!(result.outcome, Outcome::Deferred { .. }));
        !settled.map(|result| result.id.to_string()).any(|id| vote["id"] == id)
    });
    let (applied, wait) = applied_and_wait(&device.send(&rapid).await);
    assert_eq!((rapid.len(), applied), (5, 0));
    assert!((50_000..=60_000).contains(&wait), "until the ten of now are a minute old: {wait}");
}

#[tokio::test]
async fn more_than_five_changes_of_a_code_in_a_minute_wait() {
    let server = Server::with("[votes]\nvoter_per_minute = 100", &[]);
    let (mut device, at) = (server.device("d"), now() - 10_000);
    let changes: Vec<Value> = (0..7)
        .map(|step| match step % 2 {
            0 => device.vote(code(1), voter(1), "safe", at + step),
            _ => device.retract(code(1), voter(1), at + step),
        })
        .collect();
    let answer = device.send(&changes).await;
    assert_eq!(statuses(&answer)[4..], ["applied", "deferred", "deferred"]);
    let other = device.vote(code(2), voter(1), "safe", at + 10);
    assert_eq!(statuses(&device.send(&[other]).await), ["applied"]);
}

#[tokio::test]
async fn a_day_s_share_is_counted_by_receipt_and_only_what_was_applied() {
    let config = format!(
        "{TOKENS}[votes]\nvoter_per_day = 3\naccount_per_day = 5\nvoter_per_minute = 0\naccount_per_minute = 0"
    );
    let server = Server::with(&config, &[]);
    let mut device = server.device("d").with_token("token-of-anna");
    let long_ago = now() - 100 * DAY_MS;
    let sent = votes(&mut device, 5, |number| long_ago + i64::from(number) * DAY_MS);
    let (applied, wait) = applied_and_wait(&device.send(&sent).await);
    assert_eq!(applied, 3, "the voter's share");
    assert!(i64::from(wait) <= DAY_MS);
    let lost = device.vote(code(0), voter(1), "unsafe", long_ago - 1);
    assert_eq!(statuses(&device.send(&[lost]).await), ["superseded"], "what has no effect costs nothing");
    let others: Vec<Value> = (0..3).map(|number| device.vote(code(50 + number), voter(2), "safe", long_ago)).collect();
    assert_eq!(applied_and_wait(&device.send(&others).await).0, 2, "the account's share");
    let back = device.retract(code(0), voter(1), now());
    assert_eq!(statuses(&device.send(&[back]).await), ["applied"], "a retraction need not wait for a day");
}

#[tokio::test]
async fn a_voter_belongs_to_the_first_account_that_used_it() {
    let server = Server::with(&format!("{NO_LIMITS}{TOKENS}"), &[]);
    let (mut anna, mut bert) =
        (server.device("d").with_token("token-of-anna"), server.device("d").with_token("token-of-bert"));
    let at = now() - 1000;
    let first = anna.vote(code(1), voter(1), "safe", at);
    anna.send(&[first]).await;
    let operations = [
        bert.vote(code(1), voter(1), "unsafe", at + 1),
        bert.retract(code(1), voter(1), at + 2),
        bert.operation(
            "vote.set",
            at,
            code(2),
            json!({ "vote": "safe", "voter": voter(2).to_string(), "hostHash": code(3).to_string(), "hostVoter": voter(1).to_string() }),
        ),
        bert.vote(code(1), voter(3), "unsafe", at),
    ];
    let answer = bert.send(&operations).await;
    assert_eq!(statuses(&answer), ["voter_taken", "voter_taken", "voter_taken", "applied"]);
    let rating = bert.rating(code(1)).await.unwrap();
    assert_eq!((rating.safe.count, rating.unsafe_.count), (1, 1));
    let again = anna.vote(code(1), voter(1), "unsafe", at + 5);
    assert_eq!(statuses(&server.device("e").with_token("second-token-of-anna").send(&[again]).await), ["applied"]);
}

#[tokio::test]
async fn too_many_requests_are_told_when_to_come_again() {
    let one = "{ per_second = 1, burst = 2 }";
    let many = "{ per_second = 1000, burst = 1000 }";
    for (config, same_voter) in [
        (format!("[requests]\naddress = {one}\naccount = {many}\nvoter = {many}"), false),
        (format!("[requests]\naddress = {many}\naccount = {one}\nvoter = {many}"), false),
        (format!("[requests]\naddress = {many}\naccount = {many}\nvoter = {one}"), true),
    ] {
        let server = Server::with(&config, &[]);
        let mut device = server.device("d");
        let mut refused = None;
        for number in 0..10 {
            let voter = voter(if same_voter { 1 } else { number });
            let vote = device.vote(code(number), voter, "safe", now() - 600_000 + i64::from(number) * 60_000);
            let body = device.request(&[vote], Some(1)).to_string();
            let response = server.client.post(format!("{}/api/sync", server.base)).body(body).send().await.unwrap();
            if response.status().as_u16() == 429 {
                refused = Some((number, response));
                break;
            }
        }
        let (number, response) = refused.expect("the bucket is empty");
        assert!(number >= 2, "{config}");
        let wait: u32 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=2).contains(&wait));
        let problem: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        assert_eq!((&problem["code"], &problem["retryable"]), (&json!("rate_limited"), &json!(true)));
        assert_eq!(server.client.get(format!("{}/healthz", server.base)).send().await.unwrap().status(), 200);
    }
}

/// What the server answers to these bytes until it closes the connection.
async fn raw(server: &Server, bytes: &[u8]) -> String {
    let mut socket = TcpStream::connect(server.address()).await.unwrap();
    socket.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn slow_requests_are_cut() {
    let server = Server::with("[requests]\nheader_seconds = 1\nbody_seconds = 1", &[]);
    let answer = raw(&server, b"POST /api/sync HTTP/1.1\r\nHost: x\r\nX-Slow: ").await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
    let answer =
        raw(&server, b"POST /api/sync HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 100\r\n\r\n{").await;
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("too_slow"), "{answer}");
    assert!(raw(&server, b"").await.is_empty(), "a connection without a request");
}

#[tokio::test]
async fn headers_are_bounded() {
    let server = Server::start();
    for headers in [format!("X-Long: {}\r\n", "x".repeat(64 * 1024)), "X-Many: x\r\n".repeat(200)] {
        let answer = raw(&server, format!("GET /healthz HTTP/1.1\r\nHost: x\r\n{headers}\r\n").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 431") || answer.is_empty(), "{answer}");
    }
    let token = format!(
        "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {}\r\n\r\n",
        "x".repeat(8 * 1024)
    );
    assert!(raw(&server, token.as_bytes()).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn connections_beyond_the_bound_wait_for_a_place() {
    let server = Server::with("[requests]\nmax_connections = 2\nheader_seconds = 1", &[]);
    let held =
        [TcpStream::connect(server.address()).await.unwrap(), TcpStream::connect(server.address()).await.unwrap()];
    let request = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    // The two that say nothing lose their places after a second; the third is served then.
    let answer = raw(&server, request).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    drop(held);
}
