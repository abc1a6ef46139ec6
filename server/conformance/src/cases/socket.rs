//! §13.1 to §13.3, §13.6: frames one by one.

use std::time::Duration;

use safescan_core::protocol::{ServerFrame, close};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::paragraphs;
use crate::{
    check::{Check, Failure, expect, same, show},
    kit::Kit,
    socket::{Came, SOON, Socket, hello},
    text,
};

paragraphs! {
    "hello is answered by welcome", "§13.3", Nothing, welcome;
    "unknown fields of a frame are passed over", "§2.1", Nothing, unknown_fields;
    "ping is answered by pong", "§13.2", Nothing, ping;
    "sub and unsub are answered", "§13.2", Nothing, sub_unsub;
    "a topic that is none is not subscribed", "§13.3", Nothing, strange_topic;
    "too many topics are not subscribed", "§13.4", Nothing, too_many_topics;
    "ack is taken silently", "§13.2", Nothing, ack;
    "a changed rating of a topic comes", "§13.3", TwoAccounts, rating;
    "a rating on the socket is the looked-up one", "§9.1", TwoAccounts, same_rating;
    "data frames are numbered from 1 without holes", "§13.4", TwoAccounts, numbers;
    "nothing comes of a topic after unsub", "§13.2", TwoAccounts, after_unsub;
    "other devices are told that something changed", "§13.3", OneAccount, changed;
    "a binary frame closes", "§13.6", Nothing, binary;
    "an unreadable frame closes", "§13.2", Nothing, unreadable;
    "a second hello closes", "§13.2", Nothing, second_hello;
    "a frame before hello closes", "§13.2", Nothing, before_hello;
    "hello without a device closes", "§13.2", Nothing, nobody;
    "an unknown token closes", "§13.6", OneAccount, strange_token;
    "silence instead of hello closes", "§13.6", Nothing, silence;
    "a frame of more than 64 KiB closes", "§13.6", Nothing, too_large;
}

async fn welcome(kit: &Kit) -> Check {
    let (_, session) = Socket::live(&kit.phone()).await?;
    let name = &session.name;
    let fits = (1..=128).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic());
    expect(fits, "a session of 1 to 128 visible ASCII characters (§2.2)", name)?;
    expect(session.heartbeat_ms > 0 && session.max_topics > 0, "a heartbeat and room for topics", name)
}

async fn unknown_fields(kit: &Kit) -> Check {
    let phone = kit.phone();
    let mut socket = Socket::open(kit).await?;
    let mut hello = hello(&phone);
    hello["later"] = json!({"deep": [1]});
    hello["resume"] = Value::Null;
    socket.say(&hello).await?;
    socket.welcomed().await.map(drop)
}

async fn ping(kit: &Kit) -> Check {
    let (mut socket, _) = Socket::live(&kit.phone()).await?;
    for t in [0, -7, i64::MAX, i64::MIN] {
        socket.say(&json!({"op": "ping", "t": t})).await?;
        match socket.frame().await? {
            ServerFrame::Pong { t: back } => same("t", &t, &back)?,
            other => return Err(Failure::new("pong", show(&other))),
        }
    }
    Ok(())
}

async fn sub_unsub(kit: &Kit) -> Check {
    let (mut socket, _) = Socket::live(&kit.phone()).await?;
    let topics = [text::topic(&text::hash()), text::topic(&text::hash()).to_uppercase()];
    socket.say(&json!({"op": "sub", "ref": u32::MAX, "topics": topics})).await?;
    let frame = socket.frame().await?;
    expect(frame == ServerFrame::SubOk { reference: u32::MAX }, "subOk with the same ref", &frame)?;
    socket.say(&json!({"op": "sub", "ref": 0, "topics": []})).await?;
    let frame = socket.frame().await?;
    expect(frame == ServerFrame::SubOk { reference: 0 }, "subOk for no topics at all", &frame)?;
    socket.say(&json!({"op": "unsub", "ref": 3, "topics": [topics[0], "ffff"]})).await?;
    let frame = socket.frame().await?;
    expect(frame == ServerFrame::UnsubOk { reference: 3 }, "unsubOk, also for topics that were not there", &frame)
}

async fn strange_topic(kit: &Kit) -> Check {
    let (mut socket, _) = Socket::live(&kit.phone()).await?;
    for topic in ["", "9", "zz", &"a".repeat(65)] {
        socket.say(&json!({"op": "sub", "ref": 5, "topics": ["9f80", topic]})).await?;
        match socket.frame().await? {
            ServerFrame::SubErr { reference: 5, code } if code == "malformed" => {}
            other => return Err(Failure::new("subErr malformed with ref 5", show(&other))),
        }
    }
    Ok(())
}

async fn too_many_topics(kit: &Kit) -> Check {
    let (mut socket, session) = Socket::live(&kit.phone()).await?;
    let most = session.max_topics.min(4_096);
    if session.max_topics > most {
        return Ok(());
    }
    let topics = |from: u32, count: u32| -> Vec<String> { (from..from + count).map(|n| format!("{n:06x}")).collect() };
    socket.subscribe(&topics(0, most)).await?;
    // The same ones again are no more than before.
    socket.subscribe(&topics(0, most)).await?;
    socket.say(&json!({"op": "sub", "ref": 9, "topics": topics(most, 1)})).await?;
    match socket.frame().await? {
        ServerFrame::SubErr { reference: 9, code } if code == "too_many" => {}
        other => return Err(Failure::new("subErr too_many with ref 9", show(&other))),
    }
    socket.say(&json!({"op": "unsub", "ref": 10, "topics": topics(0, 1)})).await?;
    socket.frame().await?;
    socket.subscribe(&topics(most, 1)).await
}

async fn ack(kit: &Kit) -> Check {
    let (mut socket, _) = Socket::live(&kit.phone()).await?;
    socket.say(&json!({"op": "ack", "seq": 0})).await?;
    socket.say(&json!({"op": "ping", "t": 1})).await?;
    let frame = socket.frame().await?;
    expect(frame == ServerFrame::Pong { t: 1 }, "nothing but pong", &frame)
}

async fn rating(kit: &Kit) -> Check {
    let (phone, stranger, at, code) = (kit.phone(), kit.stranger(), kit.moment(), text::hash());
    let (mut socket, _) = Socket::live(&phone).await?;
    socket.subscribe(&[text::topic(&code)]).await?;
    stranger.apply(&[stranger.vote(&code, &text::voter(), "unsafe", at)]).await?;
    let (seq, data) = socket.ratings().await?;
    same("seq", &1, &seq)?;
    let found = data.iter().find(|rating| rating.qr_hash == code);
    expect(found.is_some_and(|rating| rating.unsafe_.count == 1), "the rating with the vote", &data)
}

async fn same_rating(kit: &Kit) -> Check {
    let (phone, stranger, at, code) = (kit.phone(), kit.stranger(), kit.moment(), text::hash());
    phone.apply(&[phone.vote(&code, &text::voter(), "safe", at)]).await?;
    let (mut socket, _) = Socket::live(&phone).await?;
    socket.subscribe(&[text::topic(&code)]).await?;
    stranger.apply(&[stranger.vote(&code, &text::voter(), "unsafe", at)]).await?;
    let (_, data) = socket.ratings().await?;
    let looked_up = phone.rating(&code).await?;
    expect(looked_up.own.len() == 1, "one's own vote in the look-up", &looked_up)?;
    same("the ratings of the code", &Some(&looked_up), &data.iter().find(|rating| rating.qr_hash == code))
}

async fn numbers(kit: &Kit) -> Check {
    let (phone, stranger, at, code) = (kit.phone(), kit.stranger(), kit.moment(), text::hash());
    let (mut socket, _) = Socket::live(&phone).await?;
    socket.subscribe(&[text::topic(&code)]).await?;
    for expected in 1..=4 {
        stranger.apply(&[stranger.vote(&code, &text::voter(), "safe", at.plus(60_000 * expected))]).await?;
        let (seq, _) = socket.ratings().await?;
        same("seq", &i64::try_from(seq).unwrap_or(-1), &expected)?;
    }
    Ok(())
}

async fn after_unsub(kit: &Kit) -> Check {
    let (phone, stranger, at, code) = (kit.phone(), kit.stranger(), kit.moment(), text::hash());
    let (mut socket, _) = Socket::live(&phone).await?;
    socket.subscribe(&[text::topic(&code)]).await?;
    socket.say(&json!({"op": "unsub", "ref": 2, "topics": [text::topic(&code)]})).await?;
    socket.frame().await?;
    stranger.apply(&[stranger.vote(&code, &text::voter(), "safe", at)]).await?;
    socket.say(&json!({"op": "ping", "t": 1})).await?;
    let frame = socket.frame().await?;
    expect(frame == ServerFrame::Pong { t: 1 }, "nothing but pong", &frame)
}

async fn changed(kit: &Kit) -> Check {
    let (phone, tablet, at) = (kit.phone(), kit.phone(), kit.moment());
    let (mut socket, _) = Socket::live(&tablet).await?;
    phone.apply(&[phone.setting(&text::device(), 1, at)]).await?;
    match socket.frame().await? {
        ServerFrame::Changed { seq: 1 } => Ok(()),
        other => Err(Failure::new("changed with seq 1", show(&other))),
    }
}

async fn binary(kit: &Kit) -> Check {
    let (mut socket, _) = Socket::live(&kit.phone()).await?;
    socket.send(Message::binary(vec![1, 2, 3])).await?;
    loop {
        match socket.next(SOON).await? {
            Came::Frame(ServerFrame::Error { .. }) => {}
            Came::Close(Some(close::BINARY)) => return Ok(()),
            other => return Err(Failure::new("a close with 1003", format!("{other:?}"))),
        }
    }
}

async fn unreadable(kit: &Kit) -> Check {
    for frame in
        ["", "ping", "[]", "{\"op\":\"dance\"}", "{\"type\":\"subscribe\"}", "{\"op\":\"ping\"}", "{\"op\":4,\"t\":1}"]
    {
        let (mut socket, _) = Socket::live(&kit.phone()).await?;
        socket.send(Message::text(frame)).await?;
        let closed = socket.closed(Some("protocol"), close::PROTOCOL, SOON).await;
        closed.map_err(|failure| Failure::new(format!("{} after {frame:?}", failure.expected), failure.came))?;
    }
    Ok(())
}

async fn second_hello(kit: &Kit) -> Check {
    let phone = kit.phone();
    let (mut socket, _) = Socket::live(&phone).await?;
    socket.say(&hello(&phone)).await?;
    socket.closed(Some("protocol"), close::PROTOCOL, SOON).await
}

async fn before_hello(kit: &Kit) -> Check {
    let mut socket = Socket::open(kit).await?;
    socket.say(&json!({"op": "sub", "ref": 1, "topics": ["9f80"]})).await?;
    socket.closed(Some("protocol"), close::PROTOCOL, SOON).await
}

async fn nobody(kit: &Kit) -> Check {
    let phone = kit.phone();
    for device in [json!(""), json!("a b"), json!("d".repeat(129)), json!(7)] {
        let mut socket = Socket::open(kit).await?;
        let mut hello = hello(&phone);
        hello["device"] = device;
        socket.say(&hello).await?;
        socket.closed(Some("protocol"), close::PROTOCOL, SOON).await?;
    }
    Ok(())
}

async fn strange_token(kit: &Kit) -> Check {
    let mut phone = kit.phone();
    phone.token = Some(text::device());
    let mut socket = Socket::open(kit).await?;
    socket.say(&hello(&phone)).await?;
    socket.closed(Some("auth"), close::AUTH, SOON).await
}

async fn silence(kit: &Kit) -> Check {
    let mut socket = Socket::open(kit).await?;
    socket.closed(Some("silence"), close::SILENCE, Duration::from_secs(20)).await
}

async fn too_large(kit: &Kit) -> Check {
    let (mut socket, _) = Socket::live(&kit.phone()).await?;
    // The server may hang up before it has read everything.
    drop(socket.say(&json!({"op": "ping", "t": 1, "x": "x".repeat(1024 * 1024)})).await);
    loop {
        match socket.next(SOON).await {
            Ok(Came::Frame(ServerFrame::Error { .. })) => {}
            Ok(Came::Close(None | Some(1009 | close::PROTOCOL))) | Err(_) => return Ok(()),
            Ok(other) => return Err(Failure::new("a close with 1009 or 4002", format!("{other:?}"))),
        }
    }
}
