//! The golden requests, operations and frames of `docs/protocol/golden`, with names of this run.

use safescan_core::protocol::{OperationResult, Outcome, ServerFrame, close};
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};
use tokio_tungstenite::tungstenite::Message;

use super::paragraphs;
use crate::{
    check::{Check, Failure, show},
    kit::Kit,
    phone::{Ask, Phone},
    socket::{SOON, Socket},
    text,
};

paragraphs! {
    "golden requests are answered as they say", "§3.1", Nothing, requests;
    "golden operations become what they say", "§4", Nothing, operations;
    "golden frames are taken or refused as they say", "§13.2", Nothing, frames;
}

const REQUESTS: &str = include_str!("../../../../docs/protocol/golden/sync-request.json");
const FRAMES: &str = include_str!("../../../../docs/protocol/golden/client-frame.json");
const OPERATIONS: &str = include_str!("../../../../docs/protocol/golden/operation.json");

/// Names in the golden files, without their case: the names of others on a server that is in use.
const HASHES: [&str; 3] = [
    "9f801c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c",
    "9f807e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e",
    "03ac5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d",
];
const VOTERS: [&str; 2] = ["a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1", "b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2"];
const SCANS: [&str; 3] = ["001a18d1b2c3d4e5", "001a18d1b2c3d4e6", "001a18d1b2c3d4e7"];
const DEVICE: &str = "device-a1";

#[derive(Deserialize)]
struct Golden {
    cases: Vec<GoldenCase>,
}

#[derive(Deserialize)]
struct GoldenCase {
    name: String,
    valid: bool,
    variant: Option<String>,
    json: Option<Box<RawValue>>,
    text: Option<String>,
    answer: Option<Value>,
    result: Option<Value>,
}

impl GoldenCase {
    fn text(&self, phone: &Phone<'_>) -> String {
        let mut text =
            self.json.as_ref().map(|json| json.get()).or(self.text.as_deref()).unwrap_or_default().to_owned();
        let mut replace = |old: &str, new: &str| {
            text = text.replace(old, new);
            // Some cases write ids in capitals.
            if old.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                text = text.replace(&old.to_uppercase(), &new.to_uppercase());
            }
        };
        HASHES.iter().for_each(|old| replace(old, &text::hash().to_string()));
        VOTERS.iter().for_each(|old| replace(old, &text::voter().to_string()));
        SCANS.iter().for_each(|old| replace(old, &text::scan_id()));
        for name in ["notifications", "a"] {
            for colon in [":", ": "] {
                replace(&format!("\"key\"{colon}\"{name}\""), &format!("\"key\":\"{}\"", text::device()));
            }
        }
        // Too long ones, and such that cannot be one, stay.
        replace(&format!("\"{DEVICE}\""), &format!("\"{}\"", phone.device));
        text
    }
}

fn parse(file: &str) -> Check<Vec<GoldenCase>> {
    let golden: Golden =
        serde_json::from_str(file).map_err(|error| Failure::new("a golden file", error.to_string()))?;
    Ok(golden.cases)
}

/// One failure that lists them all.
fn sum_up(offences: &[String]) -> Check {
    let expected = "what each golden case says";
    if offences.is_empty() { Ok(()) } else { Err(Failure::new(expected, offences.join("\n      "))) }
}

async fn requests(kit: &Kit) -> Check {
    let mut offences = Vec::new();
    for case in parse(REQUESTS)? {
        let Some(expected) = &case.answer else { continue };
        let phone = kit.phone();
        let answer = phone.post(case.text(&phone)).await?;
        let shown = answer.shown();
        let (body, control) = (&shown["body"], &expected["control"]);
        let ordered = || body["control"].as_array().is_some_and(|orders| orders.contains(control));
        let held = shown["status"] == expected["status"]
            && (expected["code"].is_null() || body["code"] == expected["code"])
            && (control.is_null() || ordered());
        if !held {
            offences.push(format!("{}: expected {expected}; came {}", case.name, show(&shown)));
        }
    }
    sum_up(&offences)
}

async fn operations(kit: &Kit) -> Check {
    let mut offences = Vec::new();
    for case in parse(OPERATIONS)? {
        let Some(expected) = &case.result else { continue };
        let phone = kit.phone();
        let text = case.text(&phone);
        // As a text: not every operation is JSON that a program could hold.
        let envelope = json!({"timestamp": 1, "protocol": 1, "device": phone.device, "oldestPending": 1}).to_string();
        let body = format!("{{\"data\":[{text}],{}", envelope.trim_start_matches('{'));
        let response: safescan_core::protocol::SyncResponse = phone.post(body).await?.read(200)?;
        let came = match response.results.as_slice() {
            [OperationResult { outcome: Outcome::Applied { at, .. }, .. }] => {
                if expected["at"].is_null() {
                    json!({"status": "applied"})
                } else {
                    json!({"status": "applied", "at": at.0})
                }
            }
            [OperationResult { outcome: Outcome::Rejected { error }, .. }] => {
                json!({"status": "rejected", "code": error.code})
            }
            other => json!(other),
        };
        if came != *expected {
            offences.push(format!("{}: expected {expected}; came {}", case.name, show(&came)));
        }
    }
    sum_up(&offences)?;
    // The phone that asks last sees that all of this harmed nobody.
    kit.phone().ask(Ask(json!({"data": []}))).await.map(drop)
}

async fn frames(kit: &Kit) -> Check {
    let mut offences = Vec::new();
    for case in parse(FRAMES)? {
        if let Err(failure) = frame(kit, &case).await {
            offences.push(format!("{}: {failure}", case.name));
        }
    }
    sum_up(&offences)
}

async fn frame(kit: &Kit, case: &GoldenCase) -> Check {
    let phone = kit.phone();
    let text = case.text(&phone);
    if case.variant.as_deref() == Some("Hello") {
        let mut frame: Value = serde_json::from_str(&text).unwrap_or_default();
        frame["token"] = phone.token.clone().into();
        let mut socket = Socket::open(kit).await?;
        socket.say(&frame).await?;
        if !frame["resume"].is_null() {
            // Nobody knows this session.
            socket.frame().await?;
        }
        return socket.welcomed().await.map(drop);
    }
    let (mut socket, _) = Socket::live(&phone).await?;
    socket.send(Message::text(text)).await?;
    if !case.valid {
        return socket.closed(Some("protocol"), close::PROTOCOL, SOON).await;
    }
    socket.say(&json!({"op": "ping", "t": 12_345})).await?;
    loop {
        match socket.frame().await? {
            ServerFrame::Pong { t: 12_345 } => return Ok(()),
            ServerFrame::Error { code } => return Err(Failure::new("a frame that is taken", code)),
            _ => {}
        }
    }
}
