//! Beginning and end: options, kills, restarts, goodbyes.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on must stop")]

mod support;

use std::{collections::BTreeSet, process::Output};

use safescan_core::protocol::{Change, ServerFrame};
use serde_json::{Value, json};
use support::{
    NO_LIMITS, Server, TOKENS,
    device::{code, counts, now, statuses, voter},
    program,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const KILLS: u32 = 12;

#[tokio::test]
async fn what_was_acknowledged_survives_every_kill() {
    let mut server = Server::start();
    let (mut acknowledged, mut unsure) = (BTreeSet::new(), Vec::<(String, Value)>::new());
    let mut next = [1_i64; 4];
    for kill in 0..KILLS {
        let mut writers = Vec::new();
        for (number, next) in next.iter().enumerate() {
            let mut device = server.device(&format!("writer-{number}"));
            device.next = *next;
            let client = server.client.clone();
            let url = format!("{}/api/sync", server.base);
            writers.push(tokio::spawn(async move {
                let mut done = Vec::new();
                loop {
                    let seq = device.next;
                    let voter = voter(u32::try_from(number).unwrap());
                    let place = u32::try_from(seq).unwrap();
                    let code = code(u32::try_from(number).unwrap() * 1_000_000 + place);
                    let vote = device.vote(code, voter, "safe", now() - 1000);
                    let scan = device.scan(&format!("s{seq}"), "text", now() - 1000);
                    let body = device.request(&[vote, scan], Some(seq)).to_string();
                    let answer = async { client.post(&url).body(body.clone()).send().await?.text().await };
                    match answer.await {
                        Ok(answer) => {
                            let answer: Value = serde_json::from_str(&answer).unwrap();
                            assert_eq!(answer["results"][1]["status"], "applied");
                            done.push((device.name.clone(), seq, code));
                        }
                        Err(_) => return (device, done, body),
                    }
                }
            }));
        }
        // The kill comes after this many acknowledgements of a fifth device, at no particular moment of the others.
        let mut pace = server.device("pace");
        for _ in 0..=kill % 5 {
            pace.send(&[]).await;
            let setting = pace.setting("pace", json!(kill), now());
            pace.next = pace.next.max(i64::from(kill) * 100);
            pace.send(&[setting]).await;
        }
        server = server.kill_and_restart();
        for (writer, next) in writers.into_iter().zip(&mut next) {
            let (device, done, body) = writer.await.unwrap();
            acknowledged.extend(done);
            *next = device.next;
            unsure.push((device.name.clone(), serde_json::from_str(&body).unwrap()));
        }
        // What was not acknowledged took effect whole or not at all, and takes effect once when it comes again.
        for (_, body) in unsure.drain(..) {
            let (_, answer) = server.device("").post(&body).await;
            let statuses: BTreeSet<&str> =
                answer["results"].as_array().unwrap().iter().map(|one| one["status"].as_str().unwrap()).collect();
            assert!(statuses == ["applied"].into() || statuses == ["duplicate"].into(), "{answer}");
        }
    }
    assert!(acknowledged.len() > KILLS as usize, "only {} were acknowledged", acknowledged.len());
    for number in 0..4 {
        let mut device = server.device(&format!("writer-{number}"));
        let mut scans = BTreeSet::new();
        for change in device.pull().await {
            match change {
                Change::Scan(scan) => assert!(scans.insert(scan.key)),
                Change::Rating(rating) => assert_eq!(counts(&rating), (1, 0)),
                Change::Vote(_) => {}
                other => panic!("{other:?}"),
            }
        }
        for (name, seq, code) in acknowledged.iter().filter(|(name, ..)| *name == device.name) {
            assert!(scans.contains(&format!("s{seq}")), "{name} lost {seq}");
            assert_eq!(counts(&device.rating(*code).await.unwrap()), (1, 0));
        }
    }
}

#[tokio::test]
async fn memory_of_operations_and_cursors_survives_a_restart() {
    let server = Server::start();
    let mut device = server.device("d");
    let vote = device.vote(code(1), voter(1), "safe", now() - 1000);
    device.send(std::slice::from_ref(&vote)).await;
    let cursor = device.cursor.clone();
    let server = server.kill_and_restart();
    let mut device = server.device("d");
    device.cursor = cursor;
    let answer = device.send(&[vote]).await;
    assert_eq!(statuses(&answer), ["duplicate of applied"]);
    assert_eq!(answer.changes.len(), 1, "the named rating and nothing else");
}

#[tokio::test]
async fn a_server_that_is_asked_to_stop_finishes_and_says_goodbye() {
    let mut server = Server::with(&format!("{NO_LIMITS}{TOKENS}"), &[]);
    let mut socket = server.socket_with("d", Some("token-of-anna"), None).await;
    let mut waiting = server.device("d").with_token("token-of-anna");
    waiting.pull().await;
    let long_poll = tokio::spawn(async move { waiting.changes(true).await });
    // A request whose body is still on the way, and a connection that was used before.
    let device = server.device("half").with_token("token-of-bert");
    let body = device.request(&[], None).to_string();
    let head = format!(
        "POST /api/sync HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer token-of-bert\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut half = TcpStream::connect(server.address()).await.unwrap();
    half.write_all(head.as_bytes()).await.unwrap();
    half.write_all(&body.as_bytes()[..10]).await.unwrap();
    let mut kept = TcpStream::connect(server.address()).await.unwrap();
    let ask = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    kept.write_all(ask).await.unwrap();
    let mut first = [0; 1024];
    let read = kept.read(&mut first).await.unwrap();
    assert!(first[..read].starts_with(b"HTTP/1.1 200"));
    // The request that waits, the half one, and the one that asks.
    while server.metric("requests_in_flight").await < 3 {}
    server.terminate();
    assert_eq!(socket.hear().await, ServerFrame::Bye { reconnect_after_ms: [5_000, 60_000] });
    assert_eq!(socket.closed().await, Some(1001));
    assert!(long_poll.await.unwrap().changes.is_empty(), "who waits is answered");
    kept.write_all(ask).await.unwrap();
    let mut refused = String::new();
    kept.read_to_string(&mut refused).await.unwrap();
    assert!(
        refused.starts_with("HTTP/1.1 503") && refused.contains("draining") && refused.contains("connection: close"),
        "{refused}"
    );
    assert!(refused.contains("retry-after: 5"));
    assert!(TcpStream::connect(server.address()).await.is_err(), "nobody new is accepted");
    half.write_all(&body.as_bytes()[10..]).await.unwrap();
    let mut answer = String::new();
    half.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "what was begun is finished: {answer}");
    assert_eq!(server.exit_code(), Some(0));
}

fn run(arguments: &[&str]) -> Output {
    program().args(arguments).output().unwrap()
}

#[test]
fn bad_options_are_told_in_one_line() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let data = data.to_str().unwrap();
    let config = |text: &str| {
        let file = directory.path().join("config.toml");
        std::fs::write(&file, text).unwrap();
        run(&["--data", data, "--listen", "127.0.0.1:0", "--config", file.to_str().unwrap()])
    };
    let cases = [
        (run(&[]), "--data"),
        (run(&["--data"]), "--data"),
        (run(&["--data", data, "--listen", "nowhere"]), "nowhere"),
        (run(&["--data", data, "--listen", "203.0.113.1:80"]), "cannot listen"),
        (run(&["--data", data, "--log-level", "loud"]), "loud"),
        (run(&["--data", data, "--dance"]), "--dance"),
        (run(&["--data", data, "--faults", "storm=1"]), "storm"),
        (run(&["--data", data, "--config", "/nowhere.toml"]), "/nowhere.toml"),
        (run(&["--data", "/dev/null/x", "--listen", "127.0.0.1:0"]), "/dev/null/x"),
        (config("[requests]\nmax_opps = 3"), "config.toml:2"),
        (config("[requests]\nmax_ops = 0"), "max_ops"),
        (config("[auth]\nmode = \"tokens\""), "tokens"),
        (config("[auth]\nmode = \"jwt\""), "jwt_public_key_file"),
        (config("[auth]\nmode = \"jwt\"\njwt_public_key_file = \"/dev/null\"\njwt_algorithms = [\"HS256\"]"), "HS256"),
        (config("[auth]\nmode = \"jwt\"\njwt_public_key_file = \"/dev/null\""), "/dev/null"),
    ];
    for (output, word) in cases {
        let text = String::from_utf8(output.stderr).unwrap();
        let last = text.lines().last().unwrap_or_default();
        assert!(!output.status.success() && output.stdout.is_empty(), "{text}");
        assert!(last.starts_with("safescan-server: ") && last.contains(word), "{text}");
    }
    let help = run(&["--help"]);
    assert!(help.status.success() && String::from_utf8(help.stdout).unwrap().contains("drop-after-commit"));
}

#[tokio::test]
async fn a_newer_file_is_left_alone() {
    let server = Server::start();
    let mut device = server.device("d");
    let vote = device.vote(code(1), voter(1), "safe", now() - 1000);
    device.send(&[vote]).await;
    let directory = std::sync::Arc::clone(&server.directory);
    let data = server.data();
    drop(server);
    assert!(directory.path().exists());
    let database = data.join("safescan-server.db");
    let connection = rusqlite::Connection::open(&database).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let before = std::fs::read(&database).unwrap();
    let output = run(&["--data", data.to_str().unwrap(), "--listen", "127.0.0.1:0"]);
    assert!(!output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().contains("version 99"));
    assert_eq!(std::fs::read(&database).unwrap(), before);
}
