//! A device's socket.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use safescan_core::protocol::{ClientFrame, Rating, Resume, SUBPROTOCOL, ServerFrame};
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest, http::HeaderValue},
};

use super::Server;

/// How long something may take that comes at once. A guard against hanging, not a wait.
const GUARD: Duration = Duration::from_secs(30);

pub(crate) struct Socket {
    pub(crate) stream: WebSocketStream<TcpStream>,
    pub(crate) session: String,
}

impl Server {
    /// A socket before its hello. `receive_buffer` is what the system holds for a client that does not read.
    pub(crate) async fn raw_socket(&self, receive_buffer: Option<u32>) -> WebSocketStream<TcpStream> {
        let socket = TcpSocket::new_v4().unwrap();
        if let Some(bytes) = receive_buffer {
            socket.set_recv_buffer_size(bytes).unwrap();
        }
        let tcp = socket.connect(self.address().parse().unwrap()).await.unwrap();
        let mut request = format!("ws://{}/ws", self.address()).into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static(SUBPROTOCOL));
        let (stream, response) = client_async(request, tcp).await.unwrap();
        assert_eq!(response.headers()["sec-websocket-protocol"], SUBPROTOCOL);
        stream
    }

    pub(crate) async fn socket(&self, device: &str) -> Socket {
        self.socket_with(device, None, None).await
    }

    pub(crate) async fn socket_with(&self, device: &str, token: Option<&str>, receive_buffer: Option<u32>) -> Socket {
        let stream = self.raw_socket(receive_buffer).await;
        let mut socket = Socket { stream, session: String::new() };
        socket.hello(device, token, None).await;
        socket.expect_welcome().await;
        socket
    }

    /// A new socket that goes on with a session; what the server says first is still to be heard.
    pub(crate) async fn resume(&self, device: &str, session: &str, seq: u64) -> Socket {
        let mut socket = Socket { stream: self.raw_socket(None).await, session: session.to_owned() };
        socket.hello(device, None, Some(Resume { session: session.to_owned(), seq })).await;
        socket
    }
}

impl Socket {
    pub(crate) async fn hello(&mut self, device: &str, token: Option<&str>, resume: Option<Resume>) {
        let token = token.map(str::to_owned);
        self.say(&ClientFrame::Hello { protocol: 1, device: device.into(), token, resume }).await;
    }

    pub(crate) async fn expect_welcome(&mut self) {
        match self.hear().await {
            ServerFrame::Welcome { session, .. } => self.session = session,
            other => panic!("no welcome but {other:?}"),
        }
    }

    pub(crate) async fn say(&mut self, frame: &ClientFrame) {
        self.say_json(&serde_json::to_value(frame).unwrap()).await;
    }

    pub(crate) async fn say_json(&mut self, frame: &Value) {
        self.stream.send(Message::text(frame.to_string())).await.unwrap();
    }

    pub(crate) async fn message(&mut self) -> Option<Message> {
        let next = tokio::time::timeout(GUARD, self.stream.next()).await.expect("nothing came");
        next.and_then(Result::ok)
    }

    pub(crate) async fn hear(&mut self) -> ServerFrame {
        match self.message().await {
            Some(Message::Text(text)) => {
                assert!(text.len() <= 64 * 1024, "a frame of {} bytes", text.len());
                serde_json::from_str(&text).unwrap()
            }
            other => panic!("no text but {other:?}"),
        }
    }

    /// The code that the server closes with.
    pub(crate) async fn closed(&mut self) -> Option<u16> {
        match self.message().await {
            Some(Message::Close(Some(frame))) => Some(frame.code.into()),
            None => None,
            other => panic!("not closed but {other:?}"),
        }
    }

    pub(crate) async fn subscribe(&mut self, topics: &[&str]) {
        self.say_json(&json!({ "op": "sub", "ref": 7, "topics": topics })).await;
        assert_eq!(self.hear().await, ServerFrame::SubOk { reference: 7 });
    }

    /// The next data frame's number and ratings.
    pub(crate) async fn ratings(&mut self) -> (u64, Vec<Rating>) {
        match self.hear().await {
            ServerFrame::Rating { seq, data } => (seq, data),
            other => panic!("no ratings but {other:?}"),
        }
    }

    /// Answers once everything said before has been handled.
    pub(crate) async fn round_trip(&mut self) {
        self.say(&ClientFrame::Ping { t: 42 }).await;
        assert_eq!(self.hear().await, ServerFrame::Pong { t: 42 });
    }
}
