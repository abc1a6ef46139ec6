//! The server's side of a WebSocket, frame by frame, so that every rule can be broken.

use safescan_core::net::Socket;
use tokio::io::AsyncReadExt;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::{
    calm,
    line::{Server, Visit},
    open,
};

pub const CONTINUED: u8 = 0;
pub const TEXT: u8 = 1;
pub const BINARY: u8 = 2;
pub const CLOSE: u8 = 8;
pub const PING: u8 = 9;
pub const PONG: u8 = 10;
const LAST: u8 = 0x80;

/// The last (or only) frame of a message.
pub fn frame(opcode: u8, payload: impl AsRef<[u8]>) -> Vec<u8> {
    headed(opcode | LAST, payload.as_ref().len() as u64, payload.as_ref())
}

/// A frame after which more of its message comes.
pub fn part(opcode: u8, payload: impl AsRef<[u8]>) -> Vec<u8> {
    headed(opcode, payload.as_ref().len() as u64, payload.as_ref())
}

/// A frame that says it has this length.
pub fn headed(first: u8, length: u64, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match length {
        0..126 => bytes.push(u8::try_from(length).unwrap()),
        126..65_536 => {
            bytes.push(126);
            bytes.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
        _ => {
            bytes.push(127);
            bytes.extend(length.to_be_bytes());
        }
    }
    bytes.extend_from_slice(payload);
    bytes
}

/// The answer that opens a socket, with more lines in its head.
pub fn opening(request: &str, more: &str) -> Vec<u8> {
    let key = request.lines().find_map(|line| line.strip_prefix("sec-websocket-key: ")).unwrap_or_default();
    let accept = derive_accept_key(key.as_bytes());
    let head = "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade";
    format!("{head}\r\nsec-websocket-accept: {accept}\r\n{more}\r\n").into_bytes()
}

/// Opens the socket that is asked for.
pub async fn welcome(visit: &mut Visit, more: &str) {
    let request = visit.request().await.unwrap_or_default();
    visit.say(&opening(&request, more)).await;
}

/// Reads one frame of the client's: its opcode and what it says.
pub async fn hear(visit: &mut Visit) -> Option<(u8, Vec<u8>)> {
    let first = visit.line.read_u8().await.ok()?;
    let second = visit.line.read_u8().await.ok()?;
    assert_eq!(second & 0x80, 0x80, "clients mask");
    let length = match second & 0x7f {
        126 => u64::from(visit.line.read_u16().await.ok()?),
        127 => visit.line.read_u64().await.ok()?,
        short => u64::from(short),
    };
    let mut mask = [0; 4];
    visit.line.read_exact(&mut mask).await.ok()?;
    let mut payload = vec![0; usize::try_from(length).ok()?];
    visit.line.read_exact(&mut payload).await.ok()?;
    payload.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
    Some((first & 0x0f, payload))
}

/// A server that opens a socket, says this, and then waits for the other side to end it; and the socket.
pub async fn told(said: Vec<u8>) -> (Server, Socket) {
    let server = Server::start(move |mut visit| {
        let said = said.clone();
        async move {
            welcome(&mut visit, "").await;
            visit.say(&said).await;
            visit.until_closed().await;
        }
    })
    .await;
    let socket = open(&server, calm()).await.unwrap_or_else(|failure| panic!("{failure:?}"));
    (server, socket)
}
