//! HTTP and WebSocket, as little of them as is needed.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

use super::Result;

/// A connection that is kept.
pub(crate) struct Http {
    stream: BufReader<TcpStream>,
    host: String,
}

impl Http {
    pub(crate) async fn open(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream), host: address.to_owned() })
    }

    pub(crate) async fn get(&mut self, path: &str) -> Result<Vec<u8>> {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.host)).await
    }

    pub(crate) async fn post(&mut self, path: &str, body: &str) -> Result<Vec<u8>> {
        let (host, length) = (&self.host, body.len());
        self.ask(&format!("POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n\r\n{body}")).await
    }

    async fn ask(&mut self, request: &str) -> Result<Vec<u8>> {
        self.stream.get_mut().write_all(request.as_bytes()).await?;
        let head = head(&mut self.stream).await?;
        if !head.starts_with("HTTP/1.1 200") {
            return Err(format!("answered {}", head.lines().next().unwrap_or_default()).into());
        }
        let length =
            head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ").map(str::to_owned));
        let mut body = vec![0; length.ok_or("an answer without a length")?.trim().parse()?];
        self.stream.read_exact(&mut body).await?;
        Ok(body)
    }
}

/// A socket that listens.
pub(crate) struct Socket(BufReader<TcpStream>);

impl Socket {
    /// Opens a socket, says hello and subscribes a topic.
    pub(crate) async fn open(address: &str, device: &str, topic: &str) -> Result<Self> {
        let mut stream = BufReader::with_capacity(512, TcpStream::connect(address).await?);
        let request = format!(
            "GET /ws HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: safescan.v1\r\n\r\n"
        );
        stream.get_mut().write_all(request.as_bytes()).await?;
        if !head(&mut stream).await?.starts_with("HTTP/1.1 101") {
            return Err("no socket was made".into());
        }
        let mut socket = Self(stream);
        socket.say(&format!("{{\"op\":\"hello\",\"protocol\":1,\"device\":\"{device}\"}}")).await?;
        socket.expect("\"op\":\"welcome\"").await?;
        socket.say(&format!("{{\"op\":\"sub\",\"ref\":1,\"topics\":[\"{topic}\"]}}")).await?;
        socket.expect("\"op\":\"subOk\"").await?;
        Ok(socket)
    }

    /// The next frame's text.
    pub(crate) async fn frame(&mut self) -> Result<String> {
        let mut head = [0; 2];
        self.0.read_exact(&mut head).await?;
        let length = match head[1] {
            126 => usize::from(self.0.read_u16().await?),
            127 => usize::try_from(self.0.read_u64().await?)?,
            short => usize::from(short),
        };
        let mut text = vec![0; length];
        self.0.read_exact(&mut text).await?;
        Ok(String::from_utf8(text)?)
    }

    async fn expect(&mut self, part: &str) -> Result<()> {
        let frame = self.frame().await?;
        if frame.contains(part) { Ok(()) } else { Err(format!("{frame} instead of {part}").into()) }
    }

    /// A short text frame, masked with zeros.
    async fn say(&mut self, text: &str) -> Result<()> {
        let length = u8::try_from(text.len()).ok().filter(|length| *length < 126).ok_or("a long frame")?;
        let mut frame = vec![0x81, 0x80 | length, 0, 0, 0, 0];
        frame.extend_from_slice(text.as_bytes());
        Ok(self.0.get_mut().write_all(&frame).await?)
    }
}

/// The lines up to the empty one.
async fn head(stream: &mut BufReader<TcpStream>) -> Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    Ok(String::from_utf8(head)?)
}
