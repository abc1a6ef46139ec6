//! The way to a server, as two small traits: requests with one answer each, and a socket. Whoever implements them keeps
//! every limit of `docs/protocol.md` on the client's side, so that nothing behind them can wait or grow without bound.
//!
//! With the feature `network` they lead to a real server ([`connect_to`]); without it, to whatever an engine is given.

#[cfg(feature = "network")]
mod address;
#[cfg(feature = "network")]
mod body;
#[cfg(feature = "network")]
mod failure;
#[cfg(feature = "network")]
mod http;
#[cfg(feature = "network")]
mod limits;
#[cfg(feature = "network")]
mod lines;
#[cfg(feature = "network")]
mod retry_after;
#[cfg(feature = "network")]
mod server;
#[cfg(feature = "network")]
mod tls;
#[cfg(feature = "network")]
mod websocket;

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use futures_util::{Sink, Stream};

#[cfg(feature = "network")]
pub use self::limits::Limits;
use crate::model::Token;
#[cfg(feature = "network")]
use crate::{clock::Clock, config::SyncConfig, error};

/// Both ways to one server.
#[derive(Clone)]
pub struct Network {
    /// Requests.
    pub transport: Arc<dyn SyncTransport>,
    /// Sockets.
    pub realtime: Arc<dyn RealtimeConnector>,
}

/// Both ways to the server that `config` names, within the usual limits. Nothing is set up or sent before it is needed.
///
/// Whatever goes over them must be polled in a Tokio runtime that drives both timers and input/output.
///
/// # Errors
/// [`Invalid`](error::Error::Invalid), naming the field.
#[cfg(feature = "network")]
pub fn connect_to(config: &SyncConfig, clock: Arc<dyn Clock>) -> error::Result<Network> {
    connect_within(Limits::default(), config, clock)
}

/// As [`connect_to`], within other limits.
///
/// # Errors
/// [`Invalid`](error::Error::Invalid), naming the field.
#[cfg(feature = "network")]
pub fn connect_within(limits: Limits, config: &SyncConfig, clock: Arc<dyn Clock>) -> error::Result<Network> {
    let server = Arc::new(server::Server::of(config, clock, limits)?);
    Ok(Network { transport: server.clone(), realtime: server })
}

/// Sends requests.
pub trait SyncTransport: Send + Sync + 'static {
    /// Sends one, and waits for the whole answer. Dropping the future gives it up; it may have arrived all the same.
    fn send(&self, request: Request) -> Pin<Box<dyn Future<Output = Result<Answer, Failure>> + Send + '_>>;

    /// Closes connections that are kept for a next request: when the network has changed, and they lead nowhere. The next
    /// request opens one again.
    fn rest(&self) {}

    /// Closes every connection, sockets of the other trait included, and waits until none is left: before the app sleeps.
    /// What is under way fails; the next request opens one again.
    fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.rest();
        Box::pin(std::future::ready(()))
    }
}

/// Opens sockets.
pub trait RealtimeConnector: Send + Sync + 'static {
    /// Opens one at [`SOCKET_PATH`](crate::protocol::SOCKET_PATH), with the subprotocol agreed upon.
    fn connect(&self) -> Pin<Box<dyn Future<Output = Result<Socket, Failure>> + Send + '_>>;
}

/// A request to the server.
#[derive(Clone, Debug)]
pub struct Request {
    /// How.
    pub method: Method,
    /// What: a path below the server's base URL, with its query.
    pub path: String,
    /// For whom.
    pub token: Option<Token>,
    /// JSON, for [`Method::Post`].
    pub body: Vec<u8>,
    /// How long the whole may take.
    pub patience: Duration,
}

/// How a request is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Asks.
    Get,
    /// Tells.
    Post,
}

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// When the server wants to be asked again, from `Retry-After`, in milliseconds from now.
    pub retry_after_ms: Option<u32>,
    /// Whether it says that it is JSON.
    pub is_json: bool,
    /// What came, decompressed.
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Nothing was sent: no network, no such name, nobody there.
    Offline,
    /// The other side could not show that it is the server.
    Untrusted,
    /// It broke off on the way; whether the request arrived is not known.
    Interrupted,
    /// It took too long; whether the request arrived is not known.
    TimedOut,
    /// The answer is larger than allowed.
    TooLarge,
    /// The other side does not speak HTTP, or no WebSocket of this subprotocol; with the status, if there was one.
    Refused(Option<u16>),
}

/// An open socket. Dropping it closes it.
pub struct Socket {
    /// What comes. Ends after an error or a close frame.
    pub incoming: Pin<Box<dyn Stream<Item = Result<Frame, Failure>> + Send>>,
    /// What goes.
    pub outgoing: Pin<Box<dyn Sink<String, Error = Failure> + Send>>,
}

/// What comes on a socket. Pings of the WebSocket itself are answered below and do not show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A text.
    Text(String),
    /// Something binary: not of this protocol.
    Binary,
    /// The other side closes, with this code.
    Close(Option<u16>),
}
