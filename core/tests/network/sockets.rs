//! What an open socket lets through, and what ends it.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use safescan_core::net::{Failure, Frame, Limits};
use tokio::sync::mpsc;

use crate::{
    brisk, calm,
    frames::{BINARY, CLOSE, CONTINUED, PING, PONG, TEXT, frame, headed, hear, part, told, welcome},
    in_time,
    line::Server,
    open,
};

const KIB: usize = 1024;

/// All that comes when a server says this; it must end by itself.
async fn received(said: Vec<u8>) -> Vec<Result<Frame, Failure>> {
    let (_server, socket) = told(said).await;
    in_time(socket.incoming.collect()).await
}

fn text(content: &str) -> Result<Frame, Failure> {
    Ok(Frame::Text(content.into()))
}

/// A close frame with a code.
fn close(code: u16) -> Vec<u8> {
    frame(CLOSE, code.to_be_bytes())
}

#[tokio::test]
async fn texts_go_both_ways() {
    let server = Server::start(|mut visit| async move {
        welcome(&mut visit, "sec-websocket-protocol: safescan.v1\r\n").await;
        while let Some((TEXT, said)) = hear(&mut visit).await {
            visit.say(&frame(TEXT, said)).await;
        }
    })
    .await;
    let mut socket = open(&server, calm()).await.unwrap();
    for content in ["", "{\"op\":\"ping\"}", "größer", &"x".repeat(60 * KIB)] {
        socket.outgoing.send(content.into()).await.unwrap();
        assert_eq!(in_time(socket.incoming.next()).await, Some(text(content)));
    }
}

#[tokio::test]
async fn messages_are_put_together_up_to_the_limit() {
    let fragment = "x".repeat(64 * KIB);
    let whole = [
        part(TEXT, &fragment),
        part(CONTINUED, &fragment),
        frame(PING, "between"),
        part(CONTINUED, &fragment),
        frame(CONTINUED, &fragment),
        close(1000),
    ];
    assert_eq!(received(whole.concat()).await, [text(&fragment.repeat(4)), Ok(Frame::Close(Some(1000)))]);
    let more = [
        part(TEXT, &fragment),
        part(CONTINUED, &fragment),
        part(CONTINUED, &fragment),
        part(CONTINUED, &fragment),
        frame(CONTINUED, "x"),
    ];
    assert_eq!(received(more.concat()).await, [Err(Failure::TooLarge)]);
}

#[tokio::test]
async fn a_frame_is_as_large_as_allowed_and_no_larger() {
    let (full, over) = ("x".repeat(64 * KIB), "x".repeat(64 * KIB + 1));
    assert_eq!(received([frame(TEXT, &full), close(1000)].concat()).await[0], text(&full));
    assert_eq!(received(frame(TEXT, over)).await, [Err(Failure::TooLarge)]);
    // Refused by what it says, before anything of it came.
    for length in [256 * KIB as u64 + 1, 1 << 40, i64::MAX as u64, u64::MAX] {
        let got = received(headed(0x80 | TEXT, length, b"")).await;
        assert!(matches!(*got, [Err(Failure::TooLarge | Failure::Refused(None))]), "{length}: {got:?}");
    }
}

#[tokio::test]
async fn a_flood_of_fragments_gathers_nothing() {
    let flood: Vec<u8> = part(CONTINUED, "").repeat(100_000);
    let said = [part(TEXT, "a"), flood, frame(CONTINUED, "b"), close(1000)].concat();
    assert_eq!(received(said).await[0], text("ab"));
    // With something in each it comes to its limit.
    let server = Server::start(|mut visit| async move {
        welcome(&mut visit, "").await;
        visit.say(&part(TEXT, "")).await;
        visit.say_for_ever(&part(CONTINUED, "x").repeat(1000)).await;
    })
    .await;
    let socket = open(&server, calm()).await.unwrap();
    let got: Vec<_> = in_time(socket.incoming.collect()).await;
    assert_eq!(got, [Err(Failure::TooLarge)]);
}

#[tokio::test]
async fn binary_shows_as_such_and_pings_do_not_show() {
    let said = [frame(BINARY, [1, 2]), frame(PING, "a"), frame(PONG, "b"), frame(TEXT, "c"), close(1000)];
    let got = received(said.concat()).await;
    assert_eq!(got, [Ok(Frame::Binary), text("c"), Ok(Frame::Close(Some(1000)))]);
}

#[tokio::test]
async fn pings_are_answered() {
    let (heard, mut hearing) = mpsc::unbounded_channel();
    let server = Server::start(move |mut visit| {
        let heard = heard.clone();
        async move {
            welcome(&mut visit, "").await;
            visit.say(&frame(PING, "are you there")).await;
            heard.send(hear(&mut visit).await).unwrap();
            visit.until_closed().await;
        }
    })
    .await;
    let mut socket = open(&server, calm()).await.unwrap();
    let answered = in_time(async {
        tokio::select! {
            frame = socket.incoming.next() => panic!("{frame:?}"),
            heard = hearing.recv() => heard.unwrap(),
        }
    });
    assert_eq!(answered.await, Some((PONG, b"are you there".to_vec())));
}

#[tokio::test]
async fn a_flood_of_pings_is_answered_only_as_far_as_answers_are_taken() {
    let server = Server::start(|mut visit| async move {
        welcome(&mut visit, "").await;
        // Answers to all of them would be 25 MB, and none is read.
        for _ in 0..2_000 {
            visit.say(&frame(PING, [b'x'; 125]).repeat(100)).await;
        }
        visit.say(&frame(TEXT, "still here")).await;
        std::future::pending::<()>().await;
    })
    .await;
    let mut socket = open(&server, calm()).await.unwrap();
    assert_eq!(in_time(socket.incoming.next()).await, Some(text("still here")));
}

#[tokio::test]
async fn closes_are_told_with_their_code_and_end_it() {
    for code in [1000_u16, 1001, 1003, 1011, 3000, 4001, 4002, 4009, 4999] {
        let got = received([frame(CLOSE, [&code.to_be_bytes()[..], b"why"].concat()), frame(TEXT, "x")].concat()).await;
        assert_eq!(got, [Ok(Frame::Close(Some(code)))]);
    }
    assert_eq!(received(frame(CLOSE, "")).await, [Ok(Frame::Close(None))]);
}

#[tokio::test]
async fn what_is_no_frame_ends_it() {
    let cases: [(&str, Vec<u8>); 9] = [
        ("no UTF-8", frame(TEXT, [0xff, 0xfe])),
        ("an unknown opcode", frame(3, "x")),
        ("reserved bits", headed(0x80 | 0x40 | TEXT, 1, b"x")),
        ("a control frame in parts", part(PING, "x")),
        ("a long control frame", frame(PING, [b'x'; 126])),
        ("a continuation of nothing", frame(CONTINUED, "x")),
        ("a text within a text", [part(TEXT, "a"), frame(TEXT, "b")].concat()),
        ("a close with half a code", frame(CLOSE, [3])),
        ("a page of HTML", b"<html><body>".to_vec()),
    ];
    for (name, said) in cases {
        let got = received(said).await;
        assert!(matches!(*got, [Err(Failure::Refused(None) | Failure::TooLarge)]), "{name}: {got:?}");
    }
}

#[tokio::test]
async fn lines_that_break_are_interrupted() {
    for reset in [false, true] {
        let server = Server::start(move |mut visit| async move {
            welcome(&mut visit, "").await;
            visit.say(&part(TEXT, "half")).await;
            if reset {
                visit.reset();
            }
        })
        .await;
        if let Ok(socket) = open(&server, calm()).await {
            let got: Vec<_> = in_time(socket.incoming.collect()).await;
            assert_eq!(got, [Err(Failure::Interrupted)], "{reset}");
        } else {
            assert!(reset, "a reset may overtake even the answer");
        }
    }
}

#[tokio::test]
async fn a_server_that_does_not_read_holds_up_so_much_and_so_long() {
    let server = Server::start(|mut visit| async move {
        welcome(&mut visit, "").await;
        std::future::pending::<()>().await;
    })
    .await;
    let mut socket = open(&server, Limits { message: 64 * KIB, ..brisk() }).await.unwrap();
    let message = "x".repeat(64 * KIB);
    let mut taken = 0;
    let failure = loop {
        // `feed` leaves it to the sink when to write.
        match in_time(socket.outgoing.feed(message.clone())).await {
            Ok(()) => taken += message.len(),
            Err(failure) => break failure,
        }
    };
    assert_eq!(failure, Failure::TimedOut);
    // The system's own buffers for the line are most of it.
    assert!(taken < 16 * KIB * KIB, "{taken}");
}

#[tokio::test]
async fn a_message_that_is_too_long_is_not_sent() {
    let (_server, mut socket) = told(Vec::new()).await;
    let long = "x".repeat(256 * KIB + 1);
    assert_eq!(in_time(socket.outgoing.send(long)).await, Err(Failure::TooLarge));
    assert_eq!(in_time(socket.outgoing.send("x".repeat(256 * KIB))).await, Ok(()), "the socket stands");
}

#[tokio::test]
async fn sending_after_the_end_fails() {
    let (_server, mut socket) = told(close(4001)).await;
    assert_eq!(in_time(socket.incoming.next()).await, Some(Ok(Frame::Close(Some(4001)))));
    assert_eq!(in_time(socket.incoming.next()).await, None);
    assert_eq!(in_time(socket.outgoing.send("late".into())).await, Err(Failure::Interrupted));
}

/// What the server hears last, when `end` has ended the socket.
async fn heard_at_the_end(end: impl AsyncFnOnce(safescan_core::net::Socket)) -> Option<(u8, Vec<u8>)> {
    let (heard, mut hearing) = mpsc::unbounded_channel();
    let server = Server::start(move |mut visit| {
        let heard = heard.clone();
        async move {
            welcome(&mut visit, "").await;
            heard.send(hear(&mut visit).await).unwrap();
        }
    })
    .await;
    end(open(&server, calm()).await.unwrap()).await;
    in_time(hearing.recv()).await.unwrap()
}

#[tokio::test]
async fn closing_says_so_and_dropping_just_closes() {
    let closed = heard_at_the_end(async |mut socket| {
        let _ = tokio::time::timeout(Duration::from_secs(5), socket.outgoing.close()).await;
    });
    assert_eq!(closed.await.map(|(opcode, _)| opcode), Some(CLOSE));
    assert_eq!(heard_at_the_end(async |socket| drop(socket)).await, None);
}
