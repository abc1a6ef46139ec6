//! Who may ask.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on must stop")]

mod support;

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use reqwest::StatusCode;
use safescan_core::protocol::{ServerFrame, close};
use serde_json::{Value, json};
use support::{
    Server, TOKENS,
    device::{code, now, voter},
    socket::Socket,
};

const KEYS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/keys");

fn signed(claims: &Value) -> String {
    let key = std::fs::read(format!("{KEYS}/issuer.private.pem")).unwrap();
    encode(&Header::new(Algorithm::EdDSA), claims, &EncodingKey::from_ed_pem(&key).unwrap()).unwrap()
}

async fn status(server: &Server, token: Option<&str>) -> u16 {
    let mut device = server.device("d");
    device.token = token.map(str::to_owned);
    let (posted, problem) = device.post(&device.request(&[], None)).await;
    let (got, _) = device.changes_raw(false).await;
    assert_eq!(posted, got);
    if posted == StatusCode::UNAUTHORIZED {
        assert_eq!((&problem["code"], &problem["retryable"]), (&json!("auth"), &json!(false)));
        let path = format!("{}/api/ratings/prefix/abcd", server.base);
        assert_eq!(server.client.get(path).send().await.unwrap().status(), 401);
    }
    posted.as_u16()
}

#[tokio::test]
async fn listed_tokens_open_their_account() {
    let server = Server::with(TOKENS, &[]);
    assert_eq!(status(&server, Some("token-of-anna")).await, 200);
    for bad in [None, Some("token-of-carl"), Some("token-of-ann"), Some("token-of-annaa")] {
        assert_eq!(status(&server, bad).await, 401, "{bad:?}");
    }
    let mut anna = server.device("same").with_token("token-of-anna");
    let vote = anna.vote(code(1), voter(1), "safe", now() - 1000);
    anna.send(&[vote]).await;
    assert_eq!(server.device("same").with_token("token-of-bert").rating(code(1)).await.unwrap().own.len(), 0);
    assert_eq!(server.device("").with_token("second-token-of-anna").rating(code(1)).await.unwrap().own.len(), 1);
}

#[tokio::test]
async fn signed_tokens_open_their_subject_until_they_expire() {
    let config = format!(
        "[auth]\nmode = \"jwt\"\njwt_public_key_file = \"{KEYS}/issuer.public.pem\"\njwt_issuer = \"us\"\njwt_audience = \"safescan\""
    );
    let server = Server::with(&config, &[]);
    let seconds = now() / 1000;
    let claims = |change: &dyn Fn(&mut Value)| {
        let mut claims = json!({ "sub": "anna", "exp": seconds + 600, "iss": "us", "aud": "safescan" });
        change(&mut claims);
        signed(&claims)
    };
    assert_eq!(status(&server, Some(&claims(&|_| ()))).await, 200);
    let remove = |name: &'static str| move |claims: &mut Value| drop(claims.as_object_mut().unwrap().remove(name));
    for (why, token) in [
        ("expired", claims(&|claims| claims["exp"] = json!(seconds - 600))),
        ("for ever", claims(&remove("exp"))),
        ("of nobody", claims(&remove("sub"))),
        ("of no name", claims(&|claims| claims["sub"] = json!(""))),
        ("not yet", claims(&|claims| claims["nbf"] = json!(seconds + 600))),
        ("another issuer", claims(&|claims| claims["iss"] = json!("them"))),
        ("no issuer", claims(&remove("iss"))),
        ("for others", claims(&|claims| claims["aud"] = json!("others"))),
        ("no token", "abc".into()),
    ] {
        assert_eq!(status(&server, Some(&token)).await, 401, "{why}");
    }
    // With the public key as a shared secret, which anybody could do.
    let public = std::fs::read(format!("{KEYS}/issuer.public.pem")).unwrap();
    let forged = json!({ "sub": "anna", "exp": seconds + 600, "iss": "us", "aud": "safescan" });
    let forged = encode(&Header::new(Algorithm::HS256), &forged, &EncodingKey::from_secret(&public)).unwrap();
    assert_eq!(status(&server, Some(&forged)).await, 401);
    let mut tampered = claims(&|_| ());
    let last = if tampered.pop() == Some('A') { 'B' } else { 'A' };
    tampered.insert(tampered.len() - 10, last);
    assert_eq!(status(&server, Some(&tampered)).await, 401);
}

#[tokio::test]
async fn a_socket_says_its_token_in_the_hello() {
    let server = Server::with(TOKENS, &[]);
    server.socket_with("d", Some("token-of-anna"), None).await;
    for bad in [None, Some("token-of-carl")] {
        let mut socket = Socket { stream: server.raw_socket(None).await, session: String::new() };
        socket.hello("d", bad, None).await;
        assert_eq!(socket.hear().await, ServerFrame::Error { code: "auth".into() });
        assert_eq!(socket.closed().await, Some(close::AUTH));
    }
}
