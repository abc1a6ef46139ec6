//! The beginning of a socket: from the request to a session.

use std::{
    net::IpAddr,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use axum::{
    extract::{
        Extension, State,
        ws::{Message, WebSocket, WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    http::StatusCode,
    response::{IntoResponse, Response},
};
use safescan_core::protocol::{self, ClientFrame, Resume, SUBPROTOCOL, ServerFrame, codes};

use super::{
    session::Session,
    socket::{Ending, Line, serve},
};
use crate::{
    app::App,
    drain::Stage,
    http::{Place, Refusal},
    rules::Account,
};

/// Bytes of a message from a device: 256 topics, spelt out in full, make 17 KiB.
const MESSAGE_BYTES: usize = 64 * 1024;
/// Bytes that reading a socket holds ready. Its default of 128 KiB would be most of what an idle socket costs.
const READ_BUFFER: usize = 4 * 1024;
/// Bytes that writing may hold back: a few frames.
const WRITE_BUFFER: usize = 256 * 1024;

/// Makes a socket of a request.
pub(crate) async fn upgrade(
    State(app): State<Arc<App>>,
    Extension(place): Extension<Place>,
    Extension(_peer): Extension<IpAddr>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let Ok(upgrade) = upgrade else {
        return Refusal::new(StatusCode::BAD_REQUEST, codes::MALFORMED, "not a request for a socket").into_response();
    };
    upgrade
        .protocols([SUBPROTOCOL])
        .max_message_size(MESSAGE_BYTES)
        .max_frame_size(MESSAGE_BYTES)
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(WRITE_BUFFER)
        .on_upgrade(async move |socket| {
            let open = app.drain.open();
            app.metrics.sockets.fetch_add(1, Relaxed);
            run(&app, socket).await;
            app.metrics.sockets.fetch_sub(1, Relaxed);
            drop((open, place));
        })
}

async fn run(app: &Arc<App>, socket: WebSocket) {
    let begun = app.clock.micros();
    let mut line = Line::new(app, socket);
    let ending = match greet(app, &mut line).await {
        Ok((mut session, mut holder)) => loop {
            match serve(app, &mut line, &session, holder).await {
                Ending::Overflow => {
                    let again = async {
                        app.hub.end(&session);
                        line.say(&ServerFrame::Reset { reason: "overflow".into() }).await?;
                        welcome(app, &mut line, &session.account, &session.device).await
                    };
                    match again.await {
                        Ok(new) => (session, holder) = new,
                        Err(ending) => break ending,
                    }
                }
                ending => {
                    app.hub.leave(&session, holder);
                    break ending;
                }
            }
        },
        Err(ending) => ending,
    };
    line.close(&ending).await;
    let millis = app.clock.micros().saturating_sub(begun) / 1000;
    tracing::info!(route = "ws", ending = ending.name(), millis, "socket closed");
}

/// Waits for the hello and answers it.
async fn greet(app: &App, line: &mut Line<'_>) -> Result<(Arc<Session>, u64), Ending> {
    let time = Duration::from_secs(app.config.realtime.hello_seconds.into());
    let message = tokio::select! {
        message = tokio::time::timeout(time, line.hear()) => message.map_err(|_| Ending::Silence)??,
        () = app.drain.reached(Stage::Draining) => return Err(Ending::Draining),
    };
    let Message::Text(text) = message else { return Err(Ending::Binary) };
    let Ok(ClientFrame::Hello { protocol: version, device, token, resume }) = protocol::read(text.as_bytes()) else {
        return Err(Ending::Protocol);
    };
    if version == 0 || crate::http::device(&device).is_none() {
        return Err(Ending::Protocol);
    }
    let account = app.auth.account(token.as_deref(), &device).map_err(|_| Ending::Auth)?.ok_or(Ending::Protocol)?;
    match resume {
        Some(Resume { session, seq }) => go_on(app, line, &account, &device, &session, seq).await,
        None => welcome(app, line, &account, &device).await,
    }
}

/// A new session.
async fn welcome(
    app: &App,
    line: &mut Line<'_>,
    account: &Account,
    device: &str,
) -> Result<(Arc<Session>, u64), Ending> {
    let session = app.hub.begin(account, device).ok_or(Ending::Draining)?;
    let holder = session.holder();
    let frame = ServerFrame::Welcome {
        session: session.name.clone(),
        heartbeat_ms: app.config.realtime.heartbeat_ms,
        max_topics: app.config.realtime.max_topics,
        server_time: app.clock.wall(),
    };
    match line.say(&frame).await {
        Ok(()) => Ok((session, holder)),
        Err(ending) => {
            app.hub.end(&session);
            Err(ending)
        }
    }
}

/// The session goes on where it stood, or another begins.
async fn go_on(
    app: &App,
    line: &mut Line<'_>,
    account: &Account,
    device: &str,
    name: &str,
    seq: u64,
) -> Result<(Arc<Session>, u64), Ending> {
    let found = app.hub.find(name, account, device);
    let reason = match &found {
        None => "unknown",
        Some(session) => {
            // The device is here: whatever socket still holds the session is a dead one.
            let holder = session.take_over();
            let goes_on = {
                let mut state = session.state();
                state.left_at = None;
                state.backlog.resume(seq)
            };
            if goes_on {
                let said = line.say(&ServerFrame::Resumed { from: seq + 1 }).await;
                if let Err(ending) = said {
                    app.hub.leave(session, holder);
                    return Err(ending);
                }
                return Ok((Arc::clone(session), holder));
            }
            "gap"
        }
    };
    if let Some(session) = found {
        app.hub.end(&session);
    }
    line.say(&ServerFrame::Reset { reason: reason.into() }).await?;
    welcome(app, line, account, device).await
}
