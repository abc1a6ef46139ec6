//! A socket at work: hears its device and tells it what changed.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use safescan_core::{
    model::QrHash,
    protocol::{self, ClientFrame, Rating, ServerFrame, close},
    resilience::{RateLimitPolicy, RateLimiter},
};

use super::{backlog::Next, session::Session};
use crate::{
    app::App,
    drain::Stage,
    storage::{Prefix, RatingsAsk},
};

/// How long a frame may take to leave: a client that reads nothing for so long is gone.
const SEND: Duration = Duration::from_secs(30);
/// Ratings read for a frame.
const RATINGS: usize = 32;
/// Bytes in a data frame: below the 64 KiB that devices take, with room for one more rating and the rest.
const FRAME_BYTES: usize = 48 * 1024;
/// What a device may say: topics as it scrolls, acknowledgements, pings.
const SAYING: RateLimitPolicy = RateLimitPolicy { capacity: 300, refill_per_second: 50 };
/// When to come back after the server has stopped: another one has to start, and not everybody at once.
const RECONNECT_AFTER_MS: [u32; 2] = [5_000, 60_000];

/// Why a socket ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// The device left, or the network.
    Gone,
    /// Another socket of the device has taken over.
    TakenOver,
    /// The token is not accepted.
    Auth,
    /// The device does not keep to the protocol.
    Protocol,
    /// Nothing was heard for too long.
    Silence,
    /// A binary frame came.
    Binary,
    /// The server is about to stop, or full.
    Draining,
    /// More changed than could wait. The socket goes on with a new session.
    Overflow,
    /// The storage failed.
    Failed,
    /// On purpose, without a word.
    Fault,
}

impl Ending {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::TakenOver => "taken over",
            Self::Auth => "auth",
            Self::Protocol => "protocol",
            Self::Silence => "silence",
            Self::Binary => "binary",
            Self::Draining => "draining",
            Self::Overflow => "overflow",
            Self::Failed => "failed",
            Self::Fault => "fault",
        }
    }

    /// The code that the socket is closed with, and what is said before.
    fn last_words(self) -> Option<(u16, Option<ServerFrame>)> {
        let error = |code: &str| Some(ServerFrame::Error { code: code.into() });
        match self {
            Self::Gone | Self::Fault => None,
            Self::Auth => Some((close::AUTH, error("auth"))),
            Self::Protocol => Some((close::PROTOCOL, error("protocol"))),
            Self::Silence => Some((close::SILENCE, error("silence"))),
            Self::Binary => Some((close::BINARY, None)),
            // Going away, as RFC 6455 calls it.
            Self::Draining => Some((1001, Some(ServerFrame::Bye { reconnect_after_ms: RECONNECT_AFTER_MS }))),
            Self::TakenOver => Some((1000, None)),
            Self::Overflow | Self::Failed => Some((1011, None)),
        }
    }
}

/// A socket, with its bounds.
pub(super) struct Line<'a> {
    app: &'a App,
    socket: WebSocket,
    said: RateLimiter,
}

impl<'a> Line<'a> {
    pub(super) fn new(app: &'a App, socket: WebSocket) -> Self {
        Self { app, socket, said: RateLimiter::new(SAYING) }
    }

    /// The next message that says something.
    pub(super) async fn hear(&mut self) -> Result<Message, Ending> {
        loop {
            let message = self.socket.recv().await.ok_or(Ending::Gone)?;
            if self.said.take(self.app.clock.monotonic()).is_err() {
                return Err(Ending::Protocol);
            }
            match message {
                Ok(Message::Ping(_) | Message::Pong(_)) => {}
                Ok(Message::Close(_)) => return Err(Ending::Gone),
                Ok(message) => return Ok(message),
                Err(error) => return Err(fault_of(error)),
            }
        }
    }

    /// Says something; waits while the client is slow, which is what holds everything else back.
    pub(super) async fn say(&mut self, frame: &ServerFrame) -> Result<(), Ending> {
        let text = serde_json::to_string(frame).map_err(|_| Ending::Failed)?;
        self.say_text(text).await
    }

    async fn say_text(&mut self, text: String) -> Result<(), Ending> {
        if self.app.faults.as_ref().is_some_and(|faults| faults.closes_socket()) {
            return Err(Ending::Fault);
        }
        match tokio::time::timeout(SEND, self.socket.send(Message::Text(text.into()))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Ending::Gone),
        }
    }

    /// Says why, and closes.
    pub(super) async fn close(mut self, ending: &Ending) {
        let Some((code, word)) = ending.last_words() else { return };
        let goodbye = async {
            if let Some(word) = word {
                let text = serde_json::to_string(&word).unwrap_or_default();
                self.socket.send(Message::Text(text.into())).await?;
            }
            let frame = CloseFrame { code, reason: ending.name().into() };
            self.socket.send(Message::Close(Some(frame))).await?;
            // Until the other side has closed as well: a reset could swallow what was just said.
            while let Some(Ok(_)) = self.socket.recv().await {}
            Ok::<(), axum::Error>(())
        };
        drop(tokio::time::timeout(LAST_WORDS, goodbye).await);
    }
}

/// How long the end of a socket may take.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// A message that breaks the rules of WebSockets, or the network.
fn fault_of(error: axum::Error) -> Ending {
    // The library tells these apart, its wrapper only by their text.
    let text = error.to_string();
    let is_fault = ["WebSocket protocol error", "Space limit exceeded", "UTF-8 encoding error"];
    let broke_off = text.contains("without closing handshake");
    if is_fault.iter().any(|fault| text.starts_with(fault)) && !broke_off { Ending::Protocol } else { Ending::Gone }
}

/// Serves a session until the socket ends.
pub(super) async fn serve(app: &Arc<App>, line: &mut Line<'_>, session: &Arc<Session>, holder: u64) -> Ending {
    match talk(app, line, session, holder).await {
        Ok(never) => match never {},
        Err(ending) => ending,
    }
}

async fn talk(
    app: &App,
    line: &mut Line<'_>,
    session: &Arc<Session>,
    holder: u64,
) -> Result<std::convert::Infallible, Ending> {
    // Two pings missed, and half of one for the way.
    let patience = Duration::from_millis(u64::from(app.config.realtime.heartbeat_ms) * 5 / 2);
    let mut heard_at = app.clock.monotonic();
    loop {
        tell(app, line, session, holder).await?;
        let silent = Duration::from_millis(u64::try_from(app.clock.monotonic() - heard_at).unwrap_or(0));
        tokio::select! {
            message = line.hear() => {
                heard_at = app.clock.monotonic();
                match message? {
                    Message::Text(text) => answer(app, line, session, &text).await?,
                    _ => return Err(Ending::Binary),
                }
            }
            () = session.wake.notified() => {}
            () = tokio::time::sleep(patience.saturating_sub(silent)) => return Err(Ending::Silence),
            () = app.drain.reached(Stage::Draining) => return Err(Ending::Draining),
        }
    }
}

/// Does what the device asks.
async fn answer(app: &App, line: &mut Line<'_>, session: &Arc<Session>, text: &str) -> Result<(), Ending> {
    let frame = protocol::read(text.as_bytes()).map_err(|_| Ending::Protocol)?;
    let prefixes = |topics: &[String]| topics.iter().map(|topic| Prefix::parse(topic)).collect::<Option<Vec<_>>>();
    let error = |reference, code: &str| ServerFrame::SubErr { reference, code: code.into() };
    let reply = match frame {
        ClientFrame::Sub { reference, topics } => match prefixes(&topics) {
            None => error(reference, "malformed"),
            Some(topics) if app.hub.subscribe(session, &topics) => ServerFrame::SubOk { reference },
            Some(_) => error(reference, "too_many"),
        },
        ClientFrame::Unsub { reference, topics } => match prefixes(&topics) {
            None => error(reference, "malformed"),
            Some(topics) => {
                app.hub.unsubscribe(session, &topics);
                ServerFrame::UnsubOk { reference }
            }
        },
        ClientFrame::Ping { t } => ServerFrame::Pong { t },
        ClientFrame::Ack { seq } => {
            session.state().backlog.acknowledge(seq);
            return Ok(());
        }
        ClientFrame::Hello { .. } => return Err(Ending::Protocol),
    };
    line.say(&reply).await
}

/// Tells what changed, frame by frame, as fast as the client reads.
async fn tell(app: &App, line: &mut Line<'_>, session: &Arc<Session>, holder: u64) -> Result<(), Ending> {
    loop {
        if session.holder() != holder {
            return Err(Ending::TakenOver);
        }
        let next = session.state().backlog.take(RATINGS);
        match next {
            Next::Nothing => return Ok(()),
            Next::Overflow => return Err(Ending::Overflow),
            Next::Changed => {
                let seq = session.state().backlog.number(Vec::new(), true);
                line.say(&ServerFrame::Changed { seq }).await?;
            }
            Next::Ratings(codes) => tell_ratings(app, line, session, codes).await?,
        }
        app.metrics.frames.fetch_add(1, Relaxed);
    }
}

async fn tell_ratings(app: &App, line: &mut Line<'_>, session: &Session, codes: Vec<QrHash>) -> Result<(), Ending> {
    let ask = RatingsAsk { account: Some(session.account.clone()), hashes: codes.clone(), now: app.clock.wall() };
    let mut ratings: Vec<Rating> = match app.storage.ratings(ask).await {
        Ok(ratings) => ratings,
        Err(error) => {
            tracing::error!(%error, "the storage failed");
            session.state().backlog.put_back(codes);
            return Err(Ending::Failed);
        }
    };
    let mut bytes = 0;
    let fits = ratings.iter().take_while(|rating| {
        bytes += serde_json::to_vec(rating).map_or(0, |text| text.len() + 1);
        bytes <= FRAME_BYTES
    });
    let fits = fits.count().max(1).min(ratings.len());
    let rest = ratings.split_off(fits);
    let seq = {
        let mut state = session.state();
        state.backlog.put_back(rest.into_iter().map(|rating| rating.qr_hash));
        state.backlog.number(ratings.iter().map(|rating| rating.qr_hash).collect(), false)
    };
    app.metrics.frame_ratings.fetch_add(ratings.len() as u64, Relaxed);
    line.say(&ServerFrame::Rating { seq, data: ratings }).await
}
