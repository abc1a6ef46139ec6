//! How a socket opens, and what it is refused for.

use std::time::Duration;

use futures_util::StreamExt;
use safescan_core::net::{Failure, Frame, Limits};

use crate::{
    brisk, calm,
    frames::{TEXT, frame, opening},
    in_time,
    line::{Server, answer},
    open, refusal,
};

/// Opens a socket at a server whose answer `made` makes of the request.
async fn opened(made: impl Fn(&str) -> Vec<u8> + Clone + Send + Sync + 'static) -> Result<Option<Frame>, Failure> {
    let server = Server::start(move |mut visit| {
        let made = made.clone();
        async move {
            let request = visit.request().await.unwrap_or_default();
            visit.say(&made(&request)).await;
            visit.until_closed().await;
        }
    })
    .await;
    let mut socket = open(&server, calm()).await?;
    Ok(in_time(socket.incoming.next()).await.map(|frame| frame.unwrap()))
}

#[tokio::test]
async fn the_request_says_what_a_socket_needs_and_no_token() {
    let server = Server::start(|mut visit| async move { while visit.request().await.is_some() {} }).await;
    let limits = Limits { request: Duration::from_millis(300), ..calm() };
    assert_eq!(refusal(open(&server, limits).await), Failure::TimedOut);
    let heard = server.heard().remove(0);
    let key = heard.lines().find_map(|line| line.strip_prefix("sec-websocket-key: ")).unwrap();
    assert_eq!(key.len(), 24, "16 bytes in base64");
    let mut lines: Vec<&str> = heard.trim_end().lines().filter(|line| !line.contains(key)).collect();
    lines[1..].sort_unstable();
    assert_eq!(
        lines,
        [
            "GET /ws HTTP/1.1",
            "accept: */*",
            "connection: Upgrade",
            &format!("host: 127.0.0.1:{}", server.port),
            "sec-websocket-protocol: safescan.v1",
            "sec-websocket-version: 13",
            "upgrade: websocket",
            &format!("user-agent: safescan-core/{}", env!("CARGO_PKG_VERSION")),
        ]
    );
}

#[tokio::test]
async fn our_subprotocol_or_none() {
    // What comes in the same packet as the answer is not lost.
    let hello = Ok(Some(Frame::Text("hello".into())));
    for more in ["sec-websocket-protocol: safescan.v1\r\n", "", "server: seed\r\n"] {
        let got = opened(move |request| [opening(request, more), frame(TEXT, "hello")].concat()).await;
        assert_eq!(got, hello, "{more}");
    }
    for more in [
        "sec-websocket-protocol: safescan.v2\r\n",
        "sec-websocket-protocol: chat\r\n",
        "sec-websocket-protocol: \r\n",
        "sec-websocket-protocol: safescan.v1, chat\r\n",
        "sec-websocket-protocol: safescan.v1\r\nsec-websocket-protocol: chat\r\n",
        "sec-websocket-extensions: permessage-deflate\r\n",
    ] {
        let got = opened(move |request| opening(request, more)).await;
        assert_eq!(got, Err(Failure::Refused(Some(101))), "{more}");
    }
}

#[tokio::test]
async fn a_switch_to_anything_else_is_none() {
    let changes: [(&str, &str); 6] = [
        ("sec-websocket-accept: ", "sec-websocket-accept: x"),
        ("sec-websocket-accept", "x-websocket-accept"),
        ("upgrade: websocket", "upgrade: h2c"),
        ("upgrade: websocket\r\n", ""),
        ("connection: Upgrade", "connection: keep-alive"),
        ("connection: Upgrade\r\n", ""),
    ];
    for (from, to) in changes {
        let got =
            opened(move |request| String::from_utf8(opening(request, "")).unwrap().replace(from, to).into_bytes())
                .await;
        assert!(matches!(got, Err(Failure::Refused(Some(101) | None))), "{to}: {got:?}");
    }
}

#[tokio::test]
async fn any_other_status_is_told() {
    for status in [200, 204, 301, 302, 400, 401, 403, 404, 426, 429, 500, 503] {
        let server = Server::answering(answer(&format!("{status} No\r\nlocation: /elsewhere"), "")).await;
        assert_eq!(refusal(open(&server, calm()).await), Failure::Refused(Some(status)));
        assert_eq!(server.heard().len(), 1, "{status}: nothing is followed or tried again");
    }
}

#[tokio::test]
async fn a_refusal_s_page_is_not_read() {
    let server = Server::start(|mut visit| async move {
        visit.request().await;
        visit.say(b"HTTP/1.1 200 OK\r\n\r\n").await;
        visit.say_for_ever(&[b' '; 4096]).await;
    })
    .await;
    assert_eq!(refusal(open(&server, calm()).await), Failure::Refused(Some(200)));
}

#[tokio::test]
async fn no_answer_takes_no_longer_than_allowed() {
    let silent = Server::start(|mut visit| async move { visit.until_closed().await }).await;
    // Only the idle limits can end it.
    let limits = Limits { request: Duration::from_secs(60), ..brisk() };
    assert_eq!(refusal(open(&silent, limits).await), Failure::TimedOut);
    let chatty = Server::start(|mut visit| async move {
        visit.request().await;
        visit.say_for_ever(b"HTTP/1.1 100 Continue\r\n\r\n").await;
    })
    .await;
    assert_eq!(refusal(open(&chatty, brisk()).await), Failure::TimedOut);
}

#[tokio::test]
async fn endless_heads_and_breaks_fail_as_they_do_for_requests() {
    let endless = Server::start(|mut visit| async move {
        visit.request().await;
        visit.say(b"HTTP/1.1 101 Go\r\n").await;
        visit.say_for_ever(b"x-a: b\r\n").await;
    })
    .await;
    assert_eq!(refusal(open(&endless, calm()).await), Failure::TooLarge);
    let broken = Server::start(|mut visit| async move {
        visit.request().await;
        visit.say(b"HTTP/1.1 101 Go\r\nupgra").await;
    })
    .await;
    assert_eq!(refusal(open(&broken, calm()).await), Failure::Interrupted);
    let other = Server::answering("SSH-2.0-OpenSSH_9.2\r\n\r\n").await;
    assert_eq!(refusal(open(&other, calm()).await), Failure::Refused(None));
}
