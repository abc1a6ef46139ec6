//! Where requests end that have no answer, and what that is called.

use std::{sync::Arc, time::Duration};

use safescan_core::{
    config::SyncConfig,
    net::{self, Failure, Limits},
};
use tokio::net::TcpListener;

use crate::{ask, brisk, calm, get, in_time, line::Server, system_clock};

/// A server that says this to every request and then ends the line.
async fn saying(bytes: &'static [u8], reset: bool) -> Server {
    Server::start(move |mut visit| async move {
        visit.request().await;
        visit.say(bytes).await;
        if reset {
            visit.reset();
        }
    })
    .await
}

#[tokio::test]
async fn nobody_there_is_offline() {
    let port = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap().port()
    };
    for url in [format!("https://127.0.0.1:{port}"), "https://nobody.invalid".into()] {
        let network = net::connect_to(&SyncConfig::new(&url), system_clock()).unwrap();
        assert_eq!(in_time(network.transport.send(get("/"))).await.unwrap_err(), Failure::Offline, "{url}");
        let opened = in_time(network.realtime.connect()).await;
        assert_eq!(crate::refusal(opened), Failure::Offline, "{url}");
    }
}

#[tokio::test]
async fn a_connection_that_does_not_come_about_is_offline() {
    // Accepts, and never says a word of TLS.
    let server = Server::start(|mut visit| async move { visit.until_closed().await }).await;
    let config = SyncConfig::new(server.url().replace("http:", "https:"));
    let network = net::connect_within(brisk(), &config, system_clock()).unwrap();
    assert_eq!(in_time(network.transport.send(get("/"))).await.unwrap_err(), Failure::Offline);
    // Accepts, and hangs up.
    let server = Server::start(|visit| async move { visit.reset() }).await;
    let config = SyncConfig::new(server.url().replace("http:", "https:"));
    let network = net::connect_within(brisk(), &config, system_clock()).unwrap();
    assert_eq!(in_time(network.transport.send(get("/"))).await.unwrap_err(), Failure::Offline);
}

#[tokio::test]
async fn a_line_that_breaks_on_the_way_is_interrupted() {
    const PARTS: [&[u8]; 7] = [
        b"",
        b"HTTP/1.1 2",
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{\"a\":",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"a\":\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nno number\r\n",
    ];
    for part in PARTS {
        for reset in [false, true] {
            let server = saying(part, reset).await;
            let failure = ask(&server, calm()).await.unwrap_err();
            assert_eq!(failure, Failure::Interrupted, "{} {reset}", String::from_utf8_lossy(part));
            assert_eq!(server.connections(), 1, "nothing is sent twice unasked");
        }
    }
}

#[tokio::test]
async fn whoever_does_not_speak_http_is_refused() {
    for part in [
        &b"SSH-2.0-OpenSSH_9.2\r\n\r\n"[..],
        b"220 mail.example ESMTP\r\n\r\n",
        b"\x15\x03\x03\x00\x02\x02\x46 an alert of TLS\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        b"HTTP/2.0 200 OK\r\n\r\n",
    ] {
        let server = saying(part, false).await;
        let failure = ask(&server, calm()).await.unwrap_err();
        assert_eq!(failure, Failure::Refused(None), "{}", String::from_utf8_lossy(part));
    }
}

#[tokio::test]
async fn silence_in_the_middle_is_a_time_out() {
    for part in [&b"HTTP/1.1 200 OK\r\n"[..], b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{\"a\":"] {
        let server = Server::start(move |mut visit| async move {
            visit.request().await;
            visit.say(part).await;
            visit.until_closed().await;
        })
        .await;
        // Only the idle limits can end it.
        let limits = Limits { request: Duration::from_secs(60), ..brisk() };
        assert_eq!(ask(&server, limits).await.unwrap_err(), Failure::TimedOut);
    }
}

#[tokio::test]
async fn drops_of_an_answer_do_not_hold_it_open() {
    let server = Server::start(|mut visit| async move {
        visit.request().await;
        visit.say(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n").await;
        let mut drops = tokio::time::interval(Duration::from_millis(50));
        loop {
            drops.tick().await;
            visit.say(b" ").await;
        }
    })
    .await;
    let limits = Limits { request: Duration::from_millis(1_000), ..brisk() };
    assert_eq!(ask(&server, limits).await.unwrap_err(), Failure::TimedOut);
}

#[tokio::test]
async fn a_server_that_does_not_read_is_a_time_out() {
    let server = Server::start(|visit| async move {
        let _unread = visit;
        std::future::pending::<()>().await;
    })
    .await;
    let network = crate::network(&server, brisk());
    let request = net::Request { body: vec![b' '; 32 * 1024 * 1024], ..crate::post("") };
    assert_eq!(in_time(network.transport.send(request)).await.unwrap_err(), Failure::TimedOut);
}

#[tokio::test]
async fn no_failure_says_anything_of_the_exchange() {
    let server = saying(b"HTTP/1.1 200 SECRET\r\nsecret-token\r\n\r\n", false).await;
    let network = crate::network(&server, calm());
    let failure = in_time(network.transport.send(crate::post("secret-token"))).await.unwrap_err();
    assert_eq!(format!("{failure:?}"), "Refused(None)");
    let shown = format!("{:?}", Arc::new(crate::post("")).token);
    assert_eq!(shown, "Some(Token(…))");
}
