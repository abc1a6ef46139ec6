//! A server that does as it is told, byte by byte, on a socket of this machine.

use std::{
    future::Future,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// What a connection runs on.
pub trait Line: AsyncRead + AsyncWrite + Unpin + Send {
    /// Makes the end of this line a reset.
    fn reset(&self);

    /// What the two sides agreed to speak.
    fn protocol(&self) -> Option<String> {
        None
    }
}

impl Line for TcpStream {
    fn reset(&self) {
        self.set_zero_linger().expect("an open socket");
    }
}

impl Line for TlsStream<TcpStream> {
    fn reset(&self) {
        self.get_ref().0.reset();
    }

    fn protocol(&self) -> Option<String> {
        self.get_ref().1.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned())
    }
}

/// Any of them.
pub type BoxedLine = Box<dyn Line>;

/// A server. Dropping it ends it and all its connections.
pub struct Server {
    pub port: u16,
    connections: Arc<AtomicUsize>,
    /// What each request said, head and body.
    heard: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// One that does `act` with every connection.
    pub async fn start<F, A>(act: A) -> Self
    where
        A: Fn(Visit) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        Self::start_with(None, act).await
    }

    /// One that speaks TLS first. Connections whose handshake fails are counted and let go.
    pub async fn start_tls<F, A>(tls: TlsAcceptor, act: A) -> Self
    where
        A: Fn(Visit) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        Self::start_with(Some(tls), act).await
    }

    async fn start_with<F, A>(tls: Option<TlsAcceptor>, act: A) -> Self
    where
        A: Fn(Visit) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("a bound socket").port();
        let connections = Arc::new(AtomicUsize::new(0));
        let heard = Arc::new(Mutex::new(Vec::new()));
        let act = Arc::new(Mutex::new(act));
        let (count, ears) = (connections.clone(), heard.clone());
        let task = tokio::spawn(async move {
            let mut visits = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, SeqCst);
                let (tls, act, heard) = (tls.clone(), act.clone(), ears.clone());
                visits.spawn(async move {
                    let line: BoxedLine = match tls {
                        None => Box::new(stream),
                        Some(tls) => match tls.accept(stream).await {
                            Ok(line) => Box::new(line),
                            Err(_) => return,
                        },
                    };
                    let acting = act.lock().expect("no test panics here")(Visit { line, heard });
                    acting.await;
                });
            }
        });
        Self { port, connections, heard, task }
    }

    /// One that gives `answer` to every request, and keeps the connection.
    pub async fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let answer = Arc::new(answer.into());
        Self::start(move |mut visit| {
            let answer = answer.clone();
            async move {
                while visit.request().await.is_some() {
                    visit.say(&answer).await;
                }
            }
        })
        .await
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// How many connections there were.
    pub fn connections(&self) -> usize {
        self.connections.load(SeqCst)
    }

    /// What the requests said.
    pub fn heard(&self) -> Vec<String> {
        self.heard.lock().expect("no test panics here").clone()
    }
}

/// A connection, as the server sees it.
pub struct Visit {
    pub line: BoxedLine,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Visit {
    /// Reads one request to its end; none if the line ends first.
    pub async fn request(&mut self) -> Option<String> {
        let mut bytes = Vec::new();
        let head = loop {
            if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            bytes.push(self.line.read_u8().await.ok()?);
        };
        let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
        let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.map_or(0, |length| length.parse().expect("a number"))];
        self.line.read_exact(&mut body).await.ok()?;
        bytes.extend(body);
        let request = String::from_utf8_lossy(&bytes).into_owned();
        self.heard.lock().expect("no test panics here").push(request.clone());
        Some(request)
    }

    /// Writes. Whether anybody still listens does not matter.
    pub async fn say(&mut self, bytes: &[u8]) {
        let _ = self.line.write_all(bytes).await;
        let _ = self.line.flush().await;
    }

    /// Writes the same again and again until nobody listens; how many bytes that were.
    pub async fn say_for_ever(&mut self, bytes: &[u8]) -> usize {
        let mut said = 0;
        while self.line.write_all(bytes).await.is_ok() {
            said += bytes.len();
        }
        said
    }

    /// Waits, reading what comes, until the other side ends the line.
    pub async fn until_closed(&mut self) {
        let mut waste = [0; 4096];
        while matches!(self.line.read(&mut waste).await, Ok(1..)) {}
    }

    /// Ends the line with a reset.
    pub fn reset(self) {
        self.line.reset();
    }
}

/// An answer with a body.
pub fn answer(head: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let mut bytes = format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n", body.len()).into_bytes();
    bytes.extend_from_slice(body);
    bytes
}
