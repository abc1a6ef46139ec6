//! The way to a real server, from outside: over real sockets, to servers that break every rule.
#![cfg(feature = "network")]
#![allow(clippy::unwrap_used, clippy::panic, unreachable_pub, reason = "a test that cannot go on must stop")]

mod answers;
mod breaks;
mod certificates;
mod environment;
mod frames;
mod handshake;
#[cfg(target_os = "linux")]
#[path = "../support/held.rs"]
mod held;
mod line;
mod requests;
mod sockets;
mod trust;

use std::{future::Future, sync::Arc, time::Duration};

use safescan_core::{
    clock::{Clock, ManualClock, SystemClock},
    config::SyncConfig,
    model::{Token, UnixMillis},
    net::{self, Answer, Failure, Limits, Method, Network, Request, Socket},
};

use line::Server;

/// 2026-11-22, as of which these tests were written; clocks that do not matter show it.
const NOW: UnixMillis = UnixMillis(1_795_305_600_000);

/// Limits that a test can wait for; the sizes are the real ones.
fn brisk() -> Limits {
    Limits {
        connect: Duration::from_millis(400),
        idle: Duration::from_millis(400),
        request: Duration::from_millis(1_500),
        ..Limits::default()
    }
}

/// Limits of time that no test reaches.
fn calm() -> Limits {
    Limits::default()
}

fn plain(server: &Server) -> SyncConfig {
    SyncConfig { allow_plain_loopback: true, ..SyncConfig::new(server.url()) }
}

fn network(server: &Server, limits: Limits) -> Network {
    net::connect_within(limits, &plain(server), Arc::new(ManualClock::at(NOW))).unwrap()
}

fn system_clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock::new())
}

fn get(path: &str) -> Request {
    Request { method: Method::Get, path: path.into(), token: None, body: Vec::new(), patience: Duration::from_secs(60) }
}

fn post(body: &str) -> Request {
    Request {
        method: Method::Post,
        path: "/api/sync".into(),
        token: Token::new("secret-token"),
        body: body.into(),
        patience: Duration::from_secs(60),
    }
}

/// Asks the server for anything.
async fn ask(server: &Server, limits: Limits) -> Result<Answer, Failure> {
    in_time(network(server, limits).transport.send(get("/"))).await
}

async fn open(server: &Server, limits: Limits) -> Result<Socket, Failure> {
    in_time(network(server, limits).realtime.connect()).await
}

/// Whatever is tested here ends, and long before this.
async fn in_time<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(25), what).await.expect("it does not come back")
}

/// Why a socket did not open.
fn refusal(opened: Result<Socket, Failure>) -> Failure {
    match opened {
        Ok(_) => panic!("it opened"),
        Err(failure) => failure,
    }
}
