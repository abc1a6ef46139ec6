//! What a hostile server can make the client keep: in a process of its own, so that nobody else's memory is counted.
#![cfg(all(feature = "network", target_os = "linux"))]
#![allow(clippy::unwrap_used, dead_code, unreachable_pub, reason = "a test that cannot go on must stop")]

#[path = "network/line.rs"]
mod line;

use std::{fs, io::Write, sync::Arc, time::Duration};

use flate2::{Compression, write::GzEncoder};
use futures_util::StreamExt;
use safescan_core::{
    clock::SystemClock,
    config::SyncConfig,
    net::{self, Answer, Failure, Method, Network, Request},
};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use line::Server;

/// What `docs/protocol.md` promises, for server and client in this process together.
const BOUND: usize = 16 * 1024 * 1024;
const MIB: usize = 1024 * 1024;

/// The most memory that this process has ever held.
fn peak() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

fn network(server: &Server) -> Network {
    let config = SyncConfig { allow_plain_loopback: true, ..SyncConfig::new(server.url()) };
    net::connect_to(&config, Arc::new(SystemClock::new())).unwrap()
}

async fn ask(server: &Server) -> Result<Answer, Failure> {
    let request = Request {
        method: Method::Get,
        path: "/".into(),
        token: None,
        body: Vec::new(),
        patience: Duration::from_secs(30),
    };
    network(server).transport.send(request).await
}

/// A server that says one thing once and another for ever.
async fn endless(once: Vec<u8>, again: Vec<u8>) -> Server {
    let (once, again) = (Arc::new(once), Arc::new(again));
    Server::start(move |mut visit| {
        let (once, again) = (once.clone(), again.clone());
        async move {
            visit.request().await;
            visit.say(&once).await;
            visit.say_for_ever(&again).await;
        }
    })
    .await
}

/// A gibibyte of nothing, in about a mebibyte.
fn bomb() -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let zeros = vec![0; MIB];
    (0..1024).for_each(|_| encoder.write_all(&zeros).unwrap());
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_hostile_server_costs_no_more_than_promised() {
    let bomb = bomb();
    assert!(bomb.len() < 2 * MIB, "{}", bomb.len());
    // The first request sets up what later ones share.
    let usual = Server::answering(line::answer("200 OK", "{}")).await;
    assert_eq!(ask(&usual).await.unwrap().status, 200);
    let before = peak();

    let zipped = endless(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n".to_vec(), bomb).await;
    assert_eq!(ask(&zipped).await.unwrap_err(), Failure::TooLarge);
    let filler = vec![b' '; 64 * 1024];
    let body = endless(b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), filler.clone()).await;
    assert_eq!(ask(&body).await.unwrap_err(), Failure::TooLarge);
    let head = endless(b"HTTP/1.1 200 OK\r\nx-a: ".to_vec(), filler.clone()).await;
    assert_eq!(ask(&head).await.unwrap_err(), Failure::TooLarge);

    let socket = Server::start(move |mut visit| {
        let filler = filler.clone();
        async move {
            let request = visit.request().await.unwrap_or_default();
            let key = request.lines().find_map(|line| line.strip_prefix("sec-websocket-key: ")).unwrap_or_default();
            let accept = derive_accept_key(key.as_bytes());
            let head = "HTTP/1.1 101 Go\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept";
            visit.say(format!("{head}: {accept}\r\n\r\n\x01").as_bytes()).await;
            // Says that 4 GiB follow, and begins.
            visit.say(&[127, 0, 0, 0, 1, 0, 0, 0, 0]).await;
            visit.say_for_ever(&filler).await;
        }
    })
    .await;
    let mut socket = network(&socket).realtime.connect().await.ok().unwrap();
    assert_eq!(socket.incoming.next().await, Some(Err(Failure::TooLarge)));

    let cost = peak() - before;
    assert!(cost < BOUND, "{cost} bytes");
}
