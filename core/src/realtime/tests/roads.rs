//! A network whose far end is in the test's hands.

use super::*;

/// What the network does with an attempt to connect.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Way {
    Open,
    /// Opens, but what is written goes nowhere.
    Clogged,
    Fails(Failure),
    Hangs,
}

pub(super) struct Roads {
    pub(super) calls: AtomicU32,
    pub(super) sockets: Arc<AtomicU32>,
    pub(super) most_sockets: AtomicU32,
    /// The next attempts, and then all others.
    pub(super) script: Mutex<VecDeque<Way>>,
    pub(super) otherwise: Mutex<Way>,
    pub(super) ends: mpsc::UnboundedSender<End>,
}

/// Counts a socket for as long as it is there.
struct Counted(Arc<AtomicU32>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

impl RealtimeConnector for Roads {
    fn connect(&self) -> Pin<Box<dyn Future<Output = Result<Socket, Failure>> + Send + '_>> {
        self.calls.fetch_add(1, SeqCst);
        let way = self.script.lock().unwrap().pop_front().unwrap_or(*self.otherwise.lock().unwrap());
        let opened = match way {
            Way::Fails(failure) => Err(failure),
            Way::Hangs => return Box::pin(std::future::pending()),
            Way::Open | Way::Clogged => {
                let (to_device, mut frames) = mpsc::unbounded_channel();
                let (wire, from_device) = mpsc::unbounded_channel();
                let now = self.sockets.fetch_add(1, SeqCst) + 1;
                self.most_sockets.fetch_max(now, SeqCst);
                let counted = Counted(Arc::clone(&self.sockets));
                let incoming = Box::pin(stream::poll_fn(move |cx| {
                    let _counted = &counted;
                    frames.poll_recv(cx)
                }));
                self.ends.send(End { to_device, from_device }).expect("the test listens");
                let outgoing = sink::unfold(wire, move |wire: mpsc::UnboundedSender<String>, text| async move {
                    if way == Way::Clogged {
                        std::future::pending::<()>().await;
                    }
                    wire.send(text).map_err(|_| Failure::Interrupted)?;
                    Ok(wire)
                });
                Ok(Socket { incoming, outgoing: Box::pin(outgoing) })
            }
        };
        Box::pin(async move { opened })
    }
}

/// The server's end of a socket.
pub(super) struct End {
    pub(super) to_device: mpsc::UnboundedSender<Result<Frame, Failure>>,
    pub(super) from_device: mpsc::UnboundedReceiver<String>,
}

impl End {
    /// The next frame from the device; `None` if it hung up.
    pub(super) async fn hears(&mut self) -> Option<ClientFrame> {
        let text = within(Duration::from_secs(3600), self.from_device.recv()).await?;
        Some(serde_json::from_str(&text).expect("the device keeps to the protocol"))
    }

    pub(super) fn says(&self, frame: &ServerFrame) {
        self.sends(&serde_json::to_string(frame).unwrap());
    }

    pub(super) fn sends(&self, text: &str) {
        let _ = self.to_device.send(Ok(Frame::Text(text.to_owned())));
    }

    pub(super) fn closes(&self, code: u16) {
        let _ = self.to_device.send(Ok(Frame::Close(Some(code))));
    }

    pub(super) async fn resume(&mut self) -> Option<Resume> {
        match self.hears().await {
            Some(ClientFrame::Hello { resume, .. }) => resume,
            other => panic!("{other:?} is no hello"),
        }
    }

    pub(super) fn welcomes(&self, max_topics: u32) {
        let server_time = UnixMillis(1_793_346_975_200);
        self.says(&ServerFrame::Welcome { session: "s1".into(), heartbeat_ms: HEARTBEAT_MS, max_topics, server_time });
    }

    pub(super) fn rates(&self, seq: u64, rev: i64) {
        self.says(&ServerFrame::Rating { seq, data: vec![rating(0, rev)] });
    }

    /// Waits until the device hangs up, and tells how long that took; answers nothing meanwhile.
    pub(super) async fn is_left(&mut self) -> Duration {
        let watch = Stopwatch::start();
        while self.hears().await.is_some() {}
        watch.elapsed()
    }

    /// Answers pings and requests for so long.
    pub(super) async fn serves(&mut self, span: Duration) {
        let serving = async {
            while let Some(frame) = self.hears().await {
                match frame {
                    ClientFrame::Ping { t } => self.says(&ServerFrame::Pong { t }),
                    ClientFrame::Sub { reference, .. } => self.says(&ServerFrame::SubOk { reference }),
                    ClientFrame::Unsub { reference, .. } => self.says(&ServerFrame::UnsubOk { reference }),
                    ClientFrame::Hello { .. } | ClientFrame::Ack { .. } => {}
                }
            }
        };
        let _ = timeout(span, serving).await;
    }
}
