//! Sockets. One begins as a request like any other, through the same client; what is agreed upon there is checked here,
//! and what comes afterwards is cut to measure by tungstenite.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_util::{Sink, SinkExt, Stream, StreamExt};
use reqwest::{
    Response, StatusCode, Upgraded,
    header::{
        CONNECTION, HeaderMap, HeaderName, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY,
        SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
    },
};
use tokio::time::{Sleep, sleep, timeout};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        self, Message,
        handshake::{client::generate_key, derive_accept_key},
        protocol::{Role, WebSocketConfig},
    },
};

use super::{Failure, Frame, Limits, RealtimeConnector, Socket, failure, lines::Wanted, server::Server};
use crate::protocol::{SOCKET_PATH, SUBPROTOCOL};

/// Bytes read at once: most frames have a few hundred, and the buffer lives as long as the socket.
const READ_BUFFER: usize = 8 * 1024;
/// Bytes gathered before they are written: a few small messages leave as one packet.
const WRITE_BUFFER: usize = 8 * 1024;

impl RealtimeConnector for Server {
    fn connect(&self) -> Pin<Box<dyn Future<Output = Result<Socket, Failure>> + Send + '_>> {
        Box::pin(async move { timeout(self.limits.request, self.open()).await.unwrap_or(Err(Failure::TimedOut)) })
    }
}

impl Server {
    async fn open(&self) -> Result<Socket, Failure> {
        let url = self.address.join(SOCKET_PATH).ok_or(Failure::Refused(None))?;
        let key = generate_key();
        let line = self.line()?;
        let asking = line
            .client
            .get(url)
            .header(CONNECTION, "Upgrade")
            .header(UPGRADE, "websocket")
            .header(SEC_WEBSOCKET_VERSION, "13")
            .header(SEC_WEBSOCKET_KEY, &key)
            .header(SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL);
        let head = timeout(self.limits.connect + self.limits.idle, line.run(asking.send())).await;
        let response = head.map_err(|_| Failure::TimedOut)??.map_err(|error| failure::of_request(&error))?;
        let status = response.status();
        if status != StatusCode::SWITCHING_PROTOCOLS || !agrees(&response, &key) {
            return Err(Failure::Refused(Some(status.as_u16())));
        }
        let upgraded = response.upgrade().await.map_err(|_| Failure::Interrupted)?;
        let stream = WebSocketStream::from_raw_socket(upgraded, Role::Client, Some(bounded(&self.limits))).await;
        let (outgoing, incoming) = stream.split();
        Ok(Socket {
            incoming: Box::pin(Incoming { stream: incoming, ended: false, _wanted: line.wanted.clone() }),
            outgoing: Box::pin(Outgoing { sink: outgoing, limits: self.limits, stalled: None, _wanted: line.wanted }),
        })
    }
}

/// Whether the answer is what RFC 6455 asks for, and agrees to nothing that was not offered. A server that names no
/// subprotocol is one from before there were any; one that names another speaks something else.
fn agrees(response: &Response, key: &str) -> bool {
    let headers = response.headers();
    let mut subprotocols = headers.get_all(SEC_WEBSOCKET_PROTOCOL).into_iter();
    says(headers, UPGRADE, "websocket")
        && says(headers, CONNECTION, "upgrade")
        && headers.get(SEC_WEBSOCKET_ACCEPT).is_some_and(|accept| *accept == derive_accept_key(key.as_bytes()))
        && !headers.contains_key(SEC_WEBSOCKET_EXTENSIONS)
        && subprotocols.all(|named| named == SUBPROTOCOL)
}

/// Whether a header's list has this word in it.
fn says(headers: &HeaderMap, name: HeaderName, word: &str) -> bool {
    let lists = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    lists.flat_map(|list| list.split(',')).any(|said| said.trim().eq_ignore_ascii_case(word))
}

fn bounded(limits: &Limits) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        // Two messages and their frames' heads: one on its way and one behind it.
        .max_write_buffer_size(2 * limits.message + WRITE_BUFFER)
        .max_message_size(Some(limits.message))
        .max_frame_size(Some(limits.frame))
}

type Line = WebSocketStream<Upgraded>;

/// What comes. How long nothing may come is for the heartbeat to say.
struct Incoming {
    stream: futures_util::stream::SplitStream<Line>,
    ended: bool,
    _wanted: Wanted,
}

impl Stream for Incoming {
    type Item = Result<Frame, Failure>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        while !self.ended {
            let item = match ready!(self.stream.poll_next_unpin(cx)) {
                Some(Ok(Message::Text(text))) => Ok(Frame::Text(text.as_str().to_owned())),
                Some(Ok(Message::Binary(_))) => Ok(Frame::Binary),
                Some(Ok(Message::Close(frame))) => {
                    self.ended = true;
                    Ok(Frame::Close(frame.map(|frame| frame.code.into())))
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => continue,
                Some(Err(error)) => {
                    self.ended = true;
                    match failure::of_socket(&error) {
                        Some(failure) => Err(failure),
                        None => return Poll::Ready(None),
                    }
                }
                None => {
                    self.ended = true;
                    return Poll::Ready(None);
                }
            };
            return Poll::Ready(Some(item));
        }
        Poll::Ready(None)
    }
}

/// What goes. A server that does not read holds it up for so long and no longer.
struct Outgoing {
    sink: futures_util::stream::SplitSink<Line, Message>,
    limits: Limits,
    /// Runs while the line takes nothing.
    stalled: Option<Pin<Box<Sleep>>>,
    _wanted: Wanted,
}

impl Outgoing {
    /// What `polled` says, or that it took too long.
    fn patiently(
        &mut self,
        polled: Poll<Result<(), tungstenite::Error>>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Failure>> {
        match polled {
            Poll::Ready(result) => {
                self.stalled = None;
                Poll::Ready(result.map_err(sent_failure))
            }
            Poll::Pending => {
                let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(self.limits.idle)));
                ready!(stalled.as_mut().poll(cx));
                Poll::Ready(Err(Failure::TimedOut))
            }
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is mapped over results")]
fn sent_failure(error: tungstenite::Error) -> Failure {
    // Closed means for whoever sends that it did not arrive.
    failure::of_socket(&error).unwrap_or(Failure::Interrupted)
}

impl Sink<String> for Outgoing {
    type Error = Failure;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        let polled = self.sink.poll_ready_unpin(cx);
        self.patiently(polled, cx)
    }

    fn start_send(mut self: Pin<&mut Self>, text: String) -> Result<(), Failure> {
        if text.len() > self.limits.message {
            return Err(Failure::TooLarge);
        }
        self.sink.start_send_unpin(Message::text(text)).map_err(sent_failure)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        let polled = self.sink.poll_flush_unpin(cx);
        self.patiently(polled, cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        let polled = self.sink.poll_close_unpin(cx);
        self.patiently(polled, cx)
    }
}
