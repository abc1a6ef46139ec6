//! Sockets: greeting, topics, resuming, slow clients, the end.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on must stop")]

mod support;

use std::collections::BTreeMap;

use futures_util::SinkExt;
use safescan_core::{
    model::VoteChoice,
    protocol::{ClientFrame, ServerFrame, close},
};
use serde_json::json;
use support::{
    NO_LIMITS, Server, TOKENS,
    device::{code, counts, now, own, voter},
    socket::Socket,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn topics_bring_ratings_each_with_one_s_own_votes() {
    let server = Server::start();
    let (mut anna, mut bert, at) = (server.device("anna"), server.device("bert"), now() - 10_000);
    let (mut for_anna, mut for_bert) = (server.socket("anna").await, server.socket("bert").await);
    for_anna.subscribe(&["aaaa", "bbbb0001"]).await;
    for_bert.subscribe(&["AAAA"]).await;
    let votes = [
        anna.vote(code(0xaaaa_0001), voter(1), "safe", at),
        anna.vote(code(0xbbbb_0001), voter(1), "safe", at),
        anna.vote(code(0xbbbb_1111), voter(1), "safe", at),
    ];
    anna.send(&votes).await;
    let (seq, data) = for_anna.ratings().await;
    assert_eq!((seq, data.len()), (1, 2));
    assert_eq!(data[0].own, [own(voter(1), Some(VoteChoice::Safe), at)]);
    let (seq, data) = for_bert.ratings().await;
    assert_eq!((seq, data.len(), data[0].own.len()), (1, 1, 0), "each their own");
    let vote = bert.vote(code(0xaaaa_0001), voter(2), "unsafe", at);
    bert.send(&[vote]).await;
    let (seq, data) = for_anna.ratings().await;
    assert_eq!((seq, counts(&data[0])), (2, (1, 1)), "numbers are dense");
    assert_eq!(data[0], anna.rating(code(0xaaaa_0001)).await.unwrap(), "as looked up");

    for_anna.say_json(&json!({ "op": "unsub", "ref": 9, "topics": ["aaaa"] })).await;
    assert_eq!(for_anna.hear().await, ServerFrame::UnsubOk { reference: 9 });
    let votes =
        [bert.vote(code(0xaaaa_0001), voter(2), "safe", at + 1), bert.vote(code(0xbbbb_0001), voter(2), "safe", at)];
    bert.send(&votes).await;
    let (seq, data) = for_anna.ratings().await;
    assert_eq!((seq, data.len(), data[0].qr_hash), (3, 1, code(0xbbbb_0001)));
}

#[tokio::test]
async fn topics_are_bounded_and_checked() {
    let server = Server::with("[realtime]\nmax_topics = 3", &[]);
    let mut socket = server.socket("d").await;
    socket.subscribe(&["0001", "0002"]).await;
    for (topics, code) in
        [(json!(["0003", "0004"]), "too_many"), (json!(["xyz"]), "malformed"), (json!([""]), "malformed")]
    {
        socket.say_json(&json!({ "op": "sub", "ref": 1, "topics": topics })).await;
        assert_eq!(socket.hear().await, ServerFrame::SubErr { reference: 1, code: code.into() });
    }
    socket.subscribe(&["0001", "0002", "0003"]).await;
}

#[tokio::test]
async fn an_account_s_other_devices_are_told_that_something_changed() {
    let server = Server::with(&format!("{NO_LIMITS}{TOKENS}"), &[]);
    let token = Some("token-of-anna");
    let mut phone_socket = server.socket_with("phone", token, None).await;
    let mut tablet_socket = server.socket_with("tablet", token, None).await;
    let mut stranger = server.socket_with("tablet", Some("token-of-bert"), None).await;
    let mut phone = server.device("phone").with_token("token-of-anna");
    let setting = phone.setting("theme", json!("dark"), now() - 1000);
    phone.send(&[setting]).await;
    assert_eq!(tablet_socket.hear().await, ServerFrame::Changed { seq: 1 });
    phone_socket.round_trip().await;
    stranger.round_trip().await;
}

#[tokio::test]
async fn a_session_goes_on_where_it_was_left() {
    let server = Server::start();
    let (mut device, at) = (server.device("writer"), now() - 100_000);
    let mut socket = server.socket("d").await;
    socket.subscribe(&["aaaa"]).await;
    let session = socket.session.clone();
    for number in 1..=3 {
        let vote = device.vote(code(0xaaaa_0000 + number), voter(1), "safe", at);
        device.send(&[vote]).await;
        assert_eq!(socket.ratings().await.0, u64::from(number));
    }
    drop(socket);
    // While nobody listens: one new code, and one that was told before.
    let votes = [
        device.vote(code(0xaaaa_0009), voter(1), "safe", at),
        device.vote(code(0xaaaa_0001), voter(1), "unsafe", at + 1),
    ];
    device.send(&votes).await;
    // The device got the first frame only; topics are still there.
    let mut socket = server.resume("d", &session, 1).await;
    assert_eq!(socket.hear().await, ServerFrame::Resumed { from: 2 });
    let (seq, data) = socket.ratings().await;
    let told: BTreeMap<_, _> = data.iter().map(|rating| (rating.qr_hash, counts(rating))).collect();
    let expected = [(2, (1, 0)), (3, (1, 0)), (9, (1, 0)), (1, (0, 1))];
    assert_eq!((seq, told), (2, expected.map(|(number, counts)| (code(0xaaaa_0000 + number), counts)).into()));
    let vote = device.vote(code(0xaaaa_0007), voter(1), "safe", at);
    device.send(&[vote]).await;
    assert_eq!(socket.ratings().await.0, 3);
}

#[tokio::test]
async fn a_session_that_cannot_go_on_is_reset() {
    let server = Server::start();
    let (mut device, at) = (server.device("writer"), now() - 100_000);
    let mut socket = server.socket("d").await;
    socket.subscribe(&["aaaa"]).await;
    for number in 1..=3 {
        let vote = device.vote(code(0xaaaa_0000 + number), voter(1), "safe", at);
        device.send(&[vote]).await;
        socket.ratings().await;
    }
    socket.say(&ClientFrame::Ack { seq: 2 }).await;
    socket.round_trip().await;
    let session = socket.session.clone();
    for (name, device, seq, reason) in [
        ("0000", "d", 1, "unknown"),
        (session.as_str(), "another", 3, "unknown"),
        (session.as_str(), "d", 1, "gap"),
        (session.as_str(), "d", 3, "unknown"),
    ] {
        let mut socket = server.resume(device, name, seq).await;
        assert_eq!(socket.hear().await, ServerFrame::Reset { reason: reason.into() }, "{seq}");
        socket.expect_welcome().await;
        assert_ne!(socket.session, session);
    }
    // Topics do not survive a reset.
    let mut fresh = server.resume("d", &session, 9).await;
    assert!(matches!(fresh.hear().await, ServerFrame::Reset { .. }));
    fresh.expect_welcome().await;
    let vote = device.vote(code(0xaaaa_0001), voter(1), "unsafe", at + 9);
    device.send(&[vote]).await;
    fresh.round_trip().await;
}

#[tokio::test]
async fn a_socket_that_comes_back_takes_over_from_the_dead_one() {
    let server = Server::start();
    let mut old = server.socket("d").await;
    old.subscribe(&["aaaa"]).await;
    let mut new = server.resume("d", &old.session.clone(), 0).await;
    assert_eq!(new.hear().await, ServerFrame::Resumed { from: 1 });
    assert_eq!(old.closed().await, Some(1000));
    let mut device = server.device("writer");
    let vote = device.vote(code(0xaaaa_0001), voter(1), "safe", now() - 1000);
    device.send(&[vote]).await;
    assert_eq!(new.ratings().await.0, 1);
}

#[tokio::test]
async fn a_session_is_forgotten_in_time() {
    let server = Server::with("[realtime]\nresume_seconds = 0", &[]);
    let socket = server.socket("d").await;
    let session = socket.session.clone();
    drop(socket);
    // The sweeper comes every five seconds; how often is asked until then does not matter.
    let forgotten = async { while server.metric("sessions").await > 0 {} };
    tokio::time::timeout(std::time::Duration::from_secs(30), forgotten).await.unwrap();
    let mut socket = server.resume("d", &session, 0).await;
    assert_eq!(socket.hear().await, ServerFrame::Reset { reason: "unknown".into() });
}

#[tokio::test]
async fn a_slow_client_gets_the_newest_of_each_code_and_costs_a_bounded_memory() {
    let server = Server::start();
    let (mut device, at) = (server.device("writer"), now() - 10_000_000);
    let mut slow = server.socket_with("slow", None, Some(4096)).await;
    slow.subscribe(&["aaaa"]).await;
    let codes = 100;
    let rounds: u32 = 60;
    for round in 0..rounds {
        let votes: Vec<_> = (0..codes)
            .map(|number| device.vote(code(0xaaaa_0000 + number), voter(round), "safe", at + i64::from(round)))
            .collect();
        device.send(&votes).await;
    }
    let conflated = server.metric("conflated_total").await;
    assert!(conflated > i64::from(codes * rounds / 3), "{conflated} were overtaken while the client did not read");
    // Now it reads: numbers are dense, revisions of a code grow, and the last of each is the newest.
    let (mut last, mut expected, mut frames_ratings) = (BTreeMap::new(), 1, 0);
    while last.len() < codes as usize || last.values().any(|(_, counts)| *counts != (rounds, 0)) {
        let (seq, data) = slow.ratings().await;
        assert_eq!(seq, expected);
        expected += 1;
        for rating in data {
            frames_ratings += 1;
            let before = last.insert(rating.qr_hash, (rating.rev, counts(&rating)));
            assert!(before.is_none_or(|(rev, _)| rev <= rating.rev));
        }
    }
    assert!(frames_ratings < codes * rounds, "{frames_ratings} ratings were sent");
    slow.round_trip().await;
}

#[tokio::test]
async fn more_changes_than_can_wait_reset_the_session() {
    let server = Server::start();
    let (mut device, at) = (server.device("writer"), now() - 10_000_000);
    let mut slow = server.socket_with("slow", None, Some(4096)).await;
    slow.subscribe(&["aaaa"]).await;
    for batch in 0..40 {
        let votes: Vec<_> = (0..200)
            .map(|number| device.vote(code(0xaaaa_0000 + batch * 200 + number), voter(1), "safe", at))
            .collect();
        device.send(&votes).await;
    }
    let reason = loop {
        match slow.hear().await {
            ServerFrame::Rating { .. } => {}
            ServerFrame::Reset { reason } => break reason,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(reason, "overflow");
    slow.expect_welcome().await;
    slow.subscribe(&["aaaa"]).await;
}

#[tokio::test]
async fn who_does_not_keep_to_the_protocol_is_told_and_closed() {
    let server = Server::with("[realtime]\nhello_seconds = 1\nheartbeat_ms = 400", &[]);
    let fresh = async || Socket { stream: server.raw_socket(None).await, session: String::new() };
    let error = |code: &str| ServerFrame::Error { code: code.into() };
    for first in ["nonsense", r#"{"op":"ping","t":1}"#, r#"{"op":"hello","protocol":1,"device":""}"#] {
        let mut socket = fresh().await;
        socket.stream.send(Message::text(first)).await.unwrap();
        assert_eq!(socket.hear().await, error("protocol"), "{first}");
        assert_eq!(socket.closed().await, Some(close::PROTOCOL));
    }
    let mut socket = fresh().await;
    assert_eq!(socket.hear().await, error("silence"), "no hello");
    assert_eq!(socket.closed().await, Some(close::SILENCE));
    let mut socket = server.socket("d").await;
    socket.stream.send(Message::binary(vec![1, 2])).await.unwrap();
    assert_eq!(socket.closed().await, Some(close::BINARY));
    let mut socket = server.socket("d").await;
    socket.hello("d", None, None).await;
    assert_eq!(socket.hear().await, error("protocol"), "a second hello");
    let mut socket = server.socket("d").await;
    socket.stream.send(Message::text("x".repeat(65 * 1024))).await.unwrap();
    assert_eq!(socket.hear().await, error("protocol"), "too long");
    let mut socket = server.socket("d").await;
    assert_eq!(socket.hear().await, error("silence"), "no ping for two and a half heartbeats");
    assert_eq!(socket.closed().await, Some(close::SILENCE));
}

#[tokio::test]
async fn frames_without_a_mask_are_refused() {
    let server = Server::start();
    let mut raw = tokio::net::TcpStream::connect(server.address()).await.unwrap();
    let request = "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    raw.write_all(request.as_bytes()).await.unwrap();
    let hello = br#"{"op":"hello","protocol":1,"device":"d"}"#;
    let mut frame = vec![0x81, u8::try_from(hello.len()).unwrap()];
    frame.extend_from_slice(hello);
    raw.write_all(&frame).await.unwrap();
    let mut answer = Vec::new();
    let _ = raw.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 101") && !answer.contains("welcome"), "{answer}");
}
