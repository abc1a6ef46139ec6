use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use safescan_core::protocol::{Rating, SUBPROTOCOL, ServerFrame, read};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest as _, http::HeaderValue},
};

use crate::{
    check::{Check, Failure, show},
    kit::Kit,
    phone::Phone,
};

/// How long a frame may take that is due at once.
pub(crate) const SOON: Duration = Duration::from_secs(10);

/// An open socket.
pub(crate) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

/// What comes.
#[derive(Debug)]
pub(crate) enum Came {
    Frame(ServerFrame),
    Close(Option<u16>),
    Nothing,
}

/// A session, as `welcome` told it.
pub(crate) struct Session {
    pub(crate) name: String,
    pub(crate) heartbeat_ms: u32,
    pub(crate) max_topics: u32,
}

impl Socket {
    /// Opens a socket with the subprotocol agreed upon.
    pub(crate) async fn open(kit: &Kit) -> Check<Self> {
        let refused = |why: &dyn std::fmt::Display| Failure::new("an open socket (§13)", why.to_string());
        let mut request = kit.socket_url().into_client_request().map_err(|error| refused(&error))?;
        request.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static(SUBPROTOCOL));
        let opening = tokio::time::timeout(SOON, connect_async(request)).await.map_err(|_| refused(&"silence"))?;
        let (stream, answer) = opening.map_err(|error| refused(&error))?;
        match answer.headers().get("Sec-WebSocket-Protocol").map(HeaderValue::as_bytes) {
            Some(chosen) if chosen == SUBPROTOCOL.as_bytes() => Ok(Self { stream }),
            _ => Err(Failure::new(format!("the subprotocol {SUBPROTOCOL} (§13)"), "another, or none")),
        }
    }

    /// Opens a socket and a new session for a phone.
    pub(crate) async fn live(phone: &Phone<'_>) -> Check<(Self, Session)> {
        let mut socket = Self::open(phone.kit).await?;
        socket.say(&hello(phone)).await?;
        let session = socket.welcomed().await?;
        Ok((socket, session))
    }

    pub(crate) async fn say(&mut self, frame: &Value) -> Check {
        self.send(Message::text(frame.to_string())).await
    }

    pub(crate) async fn send(&mut self, message: Message) -> Check {
        let sent = self.stream.send(message).await;
        sent.map_err(|error| Failure::new("an open socket", error.to_string()))
    }

    /// The next thing that comes within a time.
    pub(crate) async fn next(&mut self, within: Duration) -> Check<Came> {
        loop {
            let Ok(came) = tokio::time::timeout(within, self.stream.next()).await else { return Ok(Came::Nothing) };
            match came {
                Some(Ok(Message::Text(text))) => {
                    let frame = read(text.as_bytes());
                    return frame.map(Came::Frame).map_err(|_| Failure::new("a frame (§13.3)", text.to_string()));
                }
                Some(Ok(Message::Close(frame))) => {
                    return Ok(Came::Close(frame.map(|frame| frame.code.into())));
                }
                Some(Ok(Message::Binary(_))) => return Err(Failure::new("frames of text (§13)", "a binary one")),
                Some(Ok(_)) => {}
                None | Some(Err(_)) => return Ok(Came::Close(None)),
            }
        }
    }

    /// The next frame, which must come soon.
    pub(crate) async fn frame(&mut self) -> Check<ServerFrame> {
        match self.next(SOON).await? {
            Came::Frame(frame) => Ok(frame),
            other => Err(Failure::new("a frame within 10 s", format!("{other:?}"))),
        }
    }

    pub(crate) async fn welcomed(&mut self) -> Check<Session> {
        match self.frame().await? {
            ServerFrame::Welcome { session, heartbeat_ms, max_topics, .. } => {
                Ok(Session { name: session, heartbeat_ms, max_topics })
            }
            other => Err(Failure::new("welcome (§13.3)", show(&other))),
        }
    }

    /// Subscribes, and waits until it is done.
    pub(crate) async fn subscribe(&mut self, topics: &[String]) -> Check {
        self.say(&json!({"op": "sub", "ref": 1, "topics": topics})).await?;
        match self.frame().await? {
            ServerFrame::SubOk { reference: 1 } => Ok(()),
            other => Err(Failure::new("subOk with ref 1 (§13.2)", show(&other))),
        }
    }

    /// The next data frame of ratings.
    pub(crate) async fn ratings(&mut self) -> Check<(u64, Vec<Rating>)> {
        match self.frame().await? {
            ServerFrame::Rating { seq, data } => Ok((seq, data)),
            other => Err(Failure::new("a rating frame (§13.3)", show(&other))),
        }
    }

    /// The socket must be closed with this code, after an error of this code, if one is due.
    pub(crate) async fn closed(&mut self, error: Option<&str>, code: u16, within: Duration) -> Check {
        let expected = format!("{} and a close with {code} (§13.6)", error.unwrap_or("nothing"));
        let mut said = None;
        loop {
            match self.next(within).await? {
                Came::Frame(ServerFrame::Error { code }) => said = Some(code),
                Came::Close(Some(came)) if came == code && said.as_deref() == error => return Ok(()),
                other => return Err(Failure::new(expected, format!("error {said:?}, then {other:?}"))),
            }
        }
    }

    /// Goes away without a word, as in a tunnel.
    pub(crate) fn vanish(self) {
        drop(self);
    }
}

/// The first frame.
pub(crate) fn hello(phone: &Phone<'_>) -> Value {
    let mut hello = json!({"op": "hello", "protocol": 1, "device": phone.device});
    if let Some(token) = &phone.token {
        hello["token"] = token.clone().into();
    }
    hello
}

/// The first frame of somebody who was here before.
pub(crate) fn hello_again(phone: &Phone<'_>, session: &str, seq: u64) -> Value {
    let mut hello = hello(phone);
    hello["resume"] = json!({"session": session, "seq": seq});
    hello
}
