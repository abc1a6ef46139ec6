//! What is made of answers: of good ones, and of those that are too much.

use std::{io::Write, sync::Arc};

use flate2::{Compression, write::GzEncoder};
use safescan_core::{
    clock::ManualClock,
    model::{DAY_MS, UnixMillis},
    net::{self, Answer, Failure},
};

use crate::{
    ask, brisk, calm, get, in_time,
    line::{Server, answer},
    plain,
};

pub const JSON: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
const MIB: usize = 1024 * 1024;

async fn answered(bytes: impl Into<Vec<u8>>) -> Result<Answer, Failure> {
    let server = Server::answering(bytes).await;
    ask(&server, calm()).await
}

pub fn zipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn status_type_and_body() {
    for status in [200, 201, 204, 400, 401, 404, 418, 426, 429, 500, 503, 529, 599, 999] {
        let body = if status == 204 { "" } else { "{\"a\":1}" };
        let got =
            answered(answer(&format!("{status} \r\ncontent-type: application/problem+json"), body)).await.unwrap();
        assert_eq!((got.status, got.is_json, &*got.body), (status, true, body.as_bytes()));
        assert_eq!(got.retry_after_ms, None);
    }
}

#[tokio::test]
async fn a_captive_portal_is_no_json() {
    let page = "<html><script>location='https://portal.example'</script></html>";
    for head in ["200 OK\r\ncontent-type: text/html", "200 OK", "200 OK\r\ncontent-type: \u{e9}"] {
        let got = answered(answer(head, page)).await.unwrap();
        assert_eq!((got.status, got.is_json, &*got.body), (200, false, page.as_bytes()), "{head}");
    }
}

#[tokio::test]
async fn redirects_are_told_not_followed() {
    let elsewhere = Server::answering(JSON.to_vec()).await;
    for status in [300, 301, 302, 303, 307, 308] {
        let got = answered(answer(&format!("{status} Go\r\nlocation: {}/", elsewhere.url()), "")).await.unwrap();
        assert_eq!(got.status, status);
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn compression_is_undone() {
    let text = "[1,2,3]".repeat(1000);
    let head = "200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip";
    let got = answered(answer(head, zipped(text.as_bytes()))).await.unwrap();
    assert_eq!((got.is_json, &*got.body), (true, text.as_bytes()));
    let head = "503 Busy\r\ncontent-type: application/json\r\ncontent-encoding: br";
    let got = answered(answer(head, "???")).await.unwrap();
    assert_eq!((got.status, got.is_json, got.body.len()), (503, false, 0), "never asked for");
    let head = "200 OK\r\ncontent-encoding: gzip";
    assert_eq!(answered(answer(head, "{}")).await.unwrap_err(), Failure::Interrupted, "not what it says");
}

#[tokio::test]
async fn a_body_is_as_large_as_allowed_and_no_larger() {
    let got = answered(answer("200 OK", vec![b' '; MIB])).await.unwrap();
    assert_eq!(got.body.len(), MIB);
    assert_eq!(answered(answer("200 OK", vec![b' '; MIB + 1])).await.unwrap_err(), Failure::TooLarge);
    // Refused by what it says, before anything of it came.
    let announced = "HTTP/1.1 200 OK\r\ncontent-length: 1048577\r\n\r\n";
    assert_eq!(answered(announced).await.unwrap_err(), Failure::TooLarge);
    let announced = "HTTP/1.1 200 OK\r\ncontent-length: 18446744073709551615\r\n\r\n";
    assert!(matches!(answered(announced).await.unwrap_err(), Failure::TooLarge | Failure::Refused(None)));
}

#[tokio::test]
async fn a_bomb_is_put_out_at_the_limit() {
    let head = "200 OK\r\ncontent-encoding: gzip";
    let full = answered(answer(head, zipped(&vec![0; MIB]))).await.unwrap();
    assert_eq!(full.body.len(), MIB);
    assert_eq!(answered(answer(head, zipped(&vec![0; MIB + 1]))).await.unwrap_err(), Failure::TooLarge);
    // 64 MiB in 64 KiB.
    assert_eq!(answered(answer(head, zipped(&vec![0; 64 * MIB]))).await.unwrap_err(), Failure::TooLarge);
}

#[tokio::test]
async fn what_never_ends_is_cut_off() {
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
    for (start, again) in [
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", &*chunk),
        ("HTTP/1.1 200 OK\r\n\r\n", "without any length "),
        ("HTTP/1.1 200 OK\r\n", "x-a: b\r\n"),
        ("HTTP/1.1 200 OK\r\nx-a: ", "b"),
        ("HTTP/1.1 200 ", "very "),
    ] {
        let again = again.to_owned().repeat(1 + 4096 / again.len());
        let server = Server::start(move |mut visit| {
            let again = again.clone();
            async move {
                visit.request().await;
                visit.say(start.as_bytes()).await;
                visit.say_for_ever(again.as_bytes()).await;
            }
        })
        .await;
        assert_eq!(ask(&server, calm()).await.unwrap_err(), Failure::TooLarge, "{start}");
    }
}

#[tokio::test]
async fn a_head_has_so_many_lines() {
    let with = |lines: usize| answer(&format!("200 OK{}", "\r\nx-a: b".repeat(lines - 1)), "{}");
    assert!(answered(with(64)).await.is_ok());
    assert_eq!(answered(with(65)).await.unwrap_err(), Failure::TooLarge);
}

#[tokio::test]
async fn trailers_and_extensions_of_chunks_are_bounded_too() {
    for endless in ["1;", "0\r\nx-a: "] {
        let server = Server::start(move |mut visit| async move {
            visit.request().await;
            visit.say(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await;
            visit.say(endless.as_bytes()).await;
            visit.say_for_ever(&[b'x'; 4096]).await;
        })
        .await;
        assert!(ask(&server, calm()).await.is_err());
    }
}

#[tokio::test]
async fn retry_after_is_read_in_both_forms_and_never_long() {
    let now = UnixMillis(784_111_777_000); // Sun, 06 Nov 1994 08:49:37 GMT
    for (said, expected) in [
        ("120", Some(120_000)),
        ("0", Some(0)),
        ("99999999999999999999999", Some(86_400_000)),
        ("Sun, 06 Nov 1994 08:50:07 GMT", Some(30_000)),
        ("Sat, 05 Nov 1994 08:50:07 GMT", Some(0)),
        ("Fri, 31 Dec 9999 23:59:59 GMT", Some(86_400_000)),
        ("soon", None),
        ("-5", None),
        ("", None),
    ] {
        let server = Server::answering(answer(&format!("503 Busy\r\nretry-after: {said}"), "")).await;
        let network = net::connect_to(&plain(&server), Arc::new(ManualClock::at(now))).unwrap();
        let got = in_time(network.transport.send(get("/"))).await.unwrap();
        assert_eq!((got.status, got.retry_after_ms), (503, expected), "{said}");
    }
    assert_eq!(DAY_MS, 86_400_000);
}

#[tokio::test]
async fn preliminary_answers_are_passed_over_while_time_lasts() {
    let got = answered([b"HTTP/1.1 103 Early\r\nlink: a\r\n\r\nHTTP/1.1 100 Go\r\n\r\n", JSON].concat()).await.unwrap();
    assert_eq!((got.status, got.is_json), (200, true));
    let switch = "HTTP/1.1 101 Go\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n";
    assert_eq!(answered(switch).await.unwrap().status, 101, "nobody asked, and nothing comes of it");
    let server = Server::start(|mut visit| async move {
        visit.request().await;
        visit.say_for_ever(b"HTTP/1.1 103 Early\r\n\r\n").await;
    })
    .await;
    assert_eq!(ask(&server, brisk()).await.unwrap_err(), Failure::TimedOut);
}
