//! §13.4: sessions that outlive their sockets.

use safescan_core::protocol::ServerFrame;
use serde_json::json;

use super::paragraphs;
use crate::{
    check::{Check, Failure, expect, same, show},
    kit::Kit,
    phone::Phone,
    socket::{Socket, hello_again},
    text,
};

paragraphs! {
    "a session goes on after its socket broke", "§13.4", TwoAccounts, resumed;
    "what was missed is sent again under its number", "§13.4", TwoAccounts, missed;
    "topics survive a resumed session", "§13.4", TwoAccounts, topics_survive;
    "an unknown session is reset", "§13.4", Nothing, unknown;
    "a session of another device is reset", "§13.4", Nothing, another_device;
    "a session of another account is reset", "§13.4", TwoAccounts, another_account;
    "topics are gone after a reset", "§13.4", TwoAccounts, topics_gone;
    "a number from the future is reset", "§13.4", Nothing, from_the_future;
    "two sockets of one device do not disturb each other's account", "§13.4", Nothing, two_sockets;
}

/// Comes back, and must be let in where it was.
async fn come_back<'a>(phone: &Phone<'a>, session: &str, seq: u64) -> Check<Socket> {
    let mut socket = Socket::open(phone.kit).await?;
    socket.say(&hello_again(phone, session, seq)).await?;
    match socket.frame().await? {
        ServerFrame::Resumed { from } => same("from", &(seq + 1), &from)?,
        other => return Err(Failure::new("resumed", show(&other))),
    }
    Ok(socket)
}

/// Comes back, and must be let in as somebody new.
async fn start_anew(phone: &Phone<'_>, session: &str, seq: u64) -> Check<Socket> {
    let mut socket = Socket::open(phone.kit).await?;
    socket.say(&hello_again(phone, session, seq)).await?;
    match socket.frame().await? {
        ServerFrame::Reset { .. } => {}
        other => return Err(Failure::new("reset", show(&other))),
    }
    let new = socket.welcomed().await?;
    expect(new.name != session, "a session of another name", &new.name)?;
    Ok(socket)
}

/// Nothing may come but the answer to a ping.
async fn silent(socket: &mut Socket) -> Check {
    socket.say(&json!({"op": "ping", "t": 7})).await?;
    let frame = socket.frame().await?;
    expect(frame == ServerFrame::Pong { t: 7 }, "nothing but pong", &frame)
}

async fn resumed(kit: &Kit) -> Check {
    let (phone, stranger, at, code) = (kit.phone(), kit.stranger(), kit.moment(), text::hash());
    let (mut socket, session) = Socket::live(&phone).await?;
    socket.subscribe(&[text::topic(&code)]).await?;
    stranger.apply(&[stranger.vote(&code, &text::voter(), "safe", at)]).await?;
    let (seq, _) = socket.ratings().await?;
    socket.vanish();
    let mut socket = come_back(&phone, &session.name, seq).await?;
    silent(&mut socket).await
}

async fn missed(kit: &Kit) -> Check {
    let (phone, stranger, at, code) = (kit.phone(), kit.stranger(), kit.moment(), text::hash());
    let (mut socket, session) = Socket::live(&phone).await?;
    socket.subscribe(&[text::topic(&code)]).await?;
    stranger.apply(&[stranger.vote(&code, &text::voter(), "safe", at)]).await?;
    // It comes, and gets lost on the way.
    socket.ratings().await?;
    socket.vanish();
    stranger.apply(&[stranger.vote(&code, &text::voter(), "safe", at.plus(1))]).await?;
    let mut socket = come_back(&phone, &session.name, 0).await?;
    let (mut newest, mut expected) = (0, 1);
    while newest < 2 {
        let (seq, data) = socket.ratings().await?;
        same("seq", &expected, &seq)?;
        expected += 1;
        newest = data.iter().filter(|rating| rating.qr_hash == code).map(|rating| rating.safe.count).max().unwrap_or(0);
    }
    Ok(())
}

async fn topics_survive(kit: &Kit) -> Check {
    let (phone, stranger, at, code) = (kit.phone(), kit.stranger(), kit.moment(), text::hash());
    let (mut socket, session) = Socket::live(&phone).await?;
    socket.subscribe(&[text::topic(&code)]).await?;
    socket.vanish();
    let mut socket = come_back(&phone, &session.name, 0).await?;
    stranger.apply(&[stranger.vote(&code, &text::voter(), "safe", at)]).await?;
    let (seq, data) = socket.ratings().await?;
    same("seq", &1, &seq)?;
    expect(data.iter().any(|rating| rating.qr_hash == code), "the rating of the topic", &data)
}

async fn unknown(kit: &Kit) -> Check {
    start_anew(&kit.phone(), "a-session-of-nobody", 3).await.map(drop)
}

async fn another_device(kit: &Kit) -> Check {
    let (phone, tablet) = (kit.phone(), kit.phone());
    let (socket, session) = Socket::live(&phone).await?;
    socket.vanish();
    start_anew(&tablet, &session.name, 0).await.map(drop)
}

async fn another_account(kit: &Kit) -> Check {
    let (phone, mut stranger) = (kit.phone(), kit.stranger());
    // Of the same name, as far as accounts are told apart by tokens.
    if phone.token.is_some() {
        stranger.device.clone_from(&phone.device);
    }
    let (socket, session) = Socket::live(&phone).await?;
    socket.vanish();
    start_anew(&stranger, &session.name, 0).await.map(drop)
}

async fn topics_gone(kit: &Kit) -> Check {
    let (phone, stranger, at, code) = (kit.phone(), kit.stranger(), kit.moment(), text::hash());
    let (mut socket, _) = Socket::live(&phone).await?;
    socket.subscribe(&[text::topic(&code)]).await?;
    socket.vanish();
    let mut socket = start_anew(&phone, "a-session-of-nobody", 0).await?;
    stranger.apply(&[stranger.vote(&code, &text::voter(), "safe", at)]).await?;
    silent(&mut socket).await
}

async fn from_the_future(kit: &Kit) -> Check {
    let phone = kit.phone();
    let (socket, session) = Socket::live(&phone).await?;
    socket.vanish();
    start_anew(&phone, &session.name, u64::MAX).await.map(drop)
}

async fn two_sockets(kit: &Kit) -> Check {
    let phone = kit.phone();
    let (_first, one) = Socket::live(&phone).await?;
    let (mut second, two) = Socket::live(&phone).await?;
    expect(one.name != two.name, "two sessions", &two.name)?;
    silent(&mut second).await
}
