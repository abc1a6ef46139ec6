//! Logs and figures hold nothing that a client sent, at the finest level either.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on must stop")]

mod support;

use serde_json::json;
use support::{
    NO_LIMITS, Server, TOKENS,
    device::{code, now, operation_id, voter},
};

#[tokio::test]
async fn nothing_of_anybody_is_logged() {
    let server = Server::with(&format!("{NO_LIMITS}{TOKENS}"), &[]);
    let mut device = server.device("canary-device").with_token("token-of-anna");
    let host = code(0xbeef_0001);
    let at = now() - 1000;
    let operations = [
        device.vote_with_host(code(0xdead_0001), host, voter(0x1234_5678), "safe", at),
        device.scan("canary-scan", "https://canary.example/path", at),
        device.setting("canary-setting", json!("canary-value"), at),
        device.operation("canary.kind", at, "canary-key", json!({ "canary": 1 })),
    ];
    device.send(&operations).await;
    device.look_up("dead").await;
    device.topics = vec!["beef".into()];
    device.pull().await;
    device.cursor = Some("canary-cursor".into());
    device.changes_raw(false).await;
    device.token = Some("canary-token".into());
    device.changes_raw(false).await;
    let mut socket = server.socket_with("canary-device", Some("second-token-of-anna"), None).await;
    socket.subscribe(&["dead0001"]).await;
    socket.say_json(&json!({ "op": "canary" })).await;
    socket.hear().await;
    let session = socket.session.clone();
    server.client.get(format!("{}/canary-path?canary-query=1", server.base)).send().await.unwrap();
    let figures = server.client.get(format!("{}/metrics", server.base)).send().await.unwrap().text().await.unwrap();
    let log = server.log();
    let forbidden = [
        "canary".to_owned(),
        "token-of".into(),
        "anna".into(),
        session,
        code(0xdead_0001).to_string(),
        "dead0001".into(),
        host.to_string(),
        voter(0x1234_5678).to_string(),
        operation_id("canary-device", 1).to_string(),
        "127.0.0.1".into(),
    ];
    for word in forbidden {
        assert!(!log.contains(&word), "the log holds {word}");
        assert!(!figures.contains(&word), "the figures hold {word}");
    }
    assert!(log.lines().count() >= 8, "{log}");
    for line in log.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(line["level"].is_string() && line["message"].is_string());
    }
    assert!(figures.contains("safescan_operations_total{outcome=\"applied\"} 3"));
    assert!(figures.contains("safescan_requests_total{route=\"other\",status=\"404\"} 1"));
}
