//! What a request carries, what it does not, and on which connections.

use crate::{
    Failure, Method, Network, Request, answers::JSON, brisk, calm, get, in_time, line::Server, network, plain, post,
};
use safescan_core::net;
use std::{sync::Arc, time::Duration};
use tokio::sync::mpsc;

async fn sent(network: &Network, request: Request) -> u16 {
    in_time(network.transport.send(request)).await.unwrap().status
}

#[tokio::test]
async fn a_request_carries_what_it_must_and_nothing_else() {
    let server = Server::answering(JSON.to_vec()).await;
    let network = network(&server, calm());
    assert_eq!(sent(&network, post("{\"data\":[]}")).await, 200);
    assert_eq!(sent(&network, get("/api/sync/changes?topics=9f80")).await, 200);

    let said: Vec<Vec<String>> = server.heard().iter().map(|request| lines(request)).collect();
    let everywhere = [
        format!("user-agent: safescan-core/{}", env!("CARGO_PKG_VERSION")),
        "accept: application/json".into(),
        "accept-encoding: gzip".into(),
        format!("host: 127.0.0.1:{}", server.port),
    ];
    let with = |first: &str, more: &[&str]| {
        let mut lines: Vec<String> = everywhere.iter().cloned().chain(more.iter().map(|&line| line.into())).collect();
        lines.sort();
        lines.insert(0, first.into());
        lines
    };
    let posted = ["authorization: Bearer secret-token", "content-length: 11", "content-type: application/json"];
    assert_eq!(said[0], with("POST /api/sync HTTP/1.1", &posted));
    assert_eq!(said[1], with("GET /api/sync/changes?topics=9f80 HTTP/1.1", &[]));
}

/// The lines of a request's head; the first stays first.
fn lines(request: &str) -> Vec<String> {
    let mut lines: Vec<String> = request.split("\r\n\r\n").next().unwrap().lines().map(Into::into).collect();
    lines[1..].sort();
    lines
}

#[tokio::test]
async fn no_cookie_and_no_referer_ever() {
    let server = Server::answering(crate::line::answer("200 OK\r\nset-cookie: id=1; path=/", "{}")).await;
    let network = network(&server, calm());
    for _ in 0..2 {
        assert_eq!(sent(&network, get("/")).await, 200);
    }
    for request in server.heard() {
        let request = request.to_ascii_lowercase();
        assert!(!request.contains("cookie") && !request.contains("referer"), "{request}");
    }
    assert_eq!(server.heard().len(), 2);
}

#[tokio::test]
async fn a_path_stays_below_the_server_s() {
    let server = Server::answering(JSON.to_vec()).await;
    let mut config = plain(&server);
    config.base_url += "/v1/";
    let network = net::connect_to(&config, Arc::new(safescan_core::clock::SystemClock::new())).unwrap();
    assert_eq!(sent(&network, get("/api/sync")).await, 200);
    for path in ["/../admin", "@127.0.0.1/", "api", ""] {
        assert_eq!(in_time(network.transport.send(get(path))).await.unwrap_err(), Failure::Refused(None), "{path}");
    }
    let heard = server.heard();
    assert_eq!(heard.len(), 1);
    assert!(heard[0].starts_with("GET /v1/api/sync HTTP/1.1\r\n"), "{}", heard[0]);
}

#[tokio::test]
async fn connections_are_used_again_until_told_to_rest() {
    let server = Server::answering(JSON.to_vec()).await;
    let network = network(&server, calm());
    for _ in 0..3 {
        assert_eq!(sent(&network, post("{}")).await, 200);
    }
    assert_eq!(server.connections(), 1);
    network.transport.rest();
    assert_eq!(sent(&network, post("{}")).await, 200);
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn resting_closes_what_is_not_in_use() {
    let (closed, mut closings) = mpsc::unbounded_channel();
    let server = Server::start(move |mut visit| {
        let closed = closed.clone();
        async move {
            while visit.request().await.is_some() {
                visit.say(JSON).await;
            }
            closed.send(()).unwrap();
        }
    })
    .await;
    let network = network(&server, calm());
    assert_eq!(sent(&network, get("/")).await, 200);
    assert!(closings.try_recv().is_err());
    network.transport.rest();
    in_time(closings.recv()).await.unwrap();
}

#[tokio::test]
async fn an_idle_connection_that_the_server_closed_costs_no_request() {
    let server = Server::start(|mut visit| async move {
        visit.request().await;
        visit.say(JSON).await;
        // And closes, though it said that it would not.
    })
    .await;
    let network = network(&server, calm());
    for _ in 0..20 {
        match in_time(network.transport.send(get("/"))).await {
            Ok(answer) => assert_eq!(answer.status, 200),
            // The close crossed the request on the way.
            Err(failure) => assert_eq!(failure, Failure::Interrupted),
        }
    }
    assert!(server.connections() > 1);
}

#[tokio::test]
async fn nothing_is_set_up_or_sent_before_the_first_request() {
    let server = Server::answering(JSON.to_vec()).await;
    let network = network(&server, calm());
    network.transport.rest();
    assert_eq!(server.connections(), 0);
    assert_eq!(sent(&network, get("/")).await, 200);
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn giving_up_closes_the_connection() {
    let (told, mut telling) = mpsc::unbounded_channel();
    let server = Server::start(move |mut visit| {
        let told = told.clone();
        async move {
            visit.request().await;
            told.send("asked").unwrap();
            visit.until_closed().await;
            told.send("closed").unwrap();
        }
    })
    .await;
    let network = network(&server, calm());
    {
        let mut asking = network.transport.send(get("/"));
        tokio::select! {
            answer = &mut asking => panic!("{answer:?}"),
            said = telling.recv() => assert_eq!(said, Some("asked")),
        }
    }
    assert_eq!(in_time(telling.recv()).await, Some("closed"));
}

#[tokio::test]
async fn patience_counts_up_to_the_limit() {
    let server = Server::start(|mut visit| async move { visit.until_closed().await }).await;
    let limits = net::Limits { request: Duration::from_millis(300), ..calm() };
    for (limits, patience) in [(calm(), 100), (limits, 60_000)] {
        let network = network(&server, limits);
        let request = Request { patience: Duration::from_millis(patience), method: Method::Get, ..get("/") };
        assert_eq!(in_time(network.transport.send(request)).await.unwrap_err(), Failure::TimedOut, "{patience}");
    }
    // What counts otherwise is the time for a connection and the first silence together.
    let network = network(&server, brisk());
    assert_eq!(in_time(network.transport.send(get("/"))).await.unwrap_err(), Failure::TimedOut);
}

/// Sockets of this process whose other end is this port.
#[cfg(target_os = "linux")]
fn sockets_to(port: u16) -> usize {
    crate::held::sockets().into_iter().filter(|other| *other == port).count()
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn when_everything_is_closed_there_is_no_socket() {
    let server = Server::answering(JSON.to_vec()).await;
    let silent = Server::start(|mut visit| async move {
        visit.request().await;
        visit.until_closed().await;
    })
    .await;
    let (lines, lines_to_silence) = (network(&server, calm()), network(&silent, calm()));
    for _ in 0..50 {
        lines.transport.send(get("/")).await.unwrap();
        assert_eq!(sockets_to(server.port), 1, "kept for the next request, or this proves nothing");
        lines.transport.close().await;
        assert_eq!(sockets_to(server.port), 0);

        let (failed, ()) = tokio::join!(lines_to_silence.transport.send(get("/")), async {
            while sockets_to(silent.port) == 0 {
                tokio::task::yield_now().await;
            }
            lines_to_silence.transport.close().await;
            assert_eq!(sockets_to(silent.port), 0, "one in use is closed as well");
        });
        assert_eq!(failed.err(), Some(Failure::Interrupted));
    }
}
