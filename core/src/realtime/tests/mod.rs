//! A network and a host made for tests: every socket's other end is in the hands of the test.

mod flaps;
mod losses;
mod numbers;
mod pure;
mod storms;
mod subscriptions;
mod without;

use std::{
    collections::{BTreeSet, VecDeque},
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    task::Poll,
    time::Duration,
};

use futures_util::{future::BoxFuture, sink, stream};
use tokio::{
    sync::{Semaphore, mpsc, watch},
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

use super::*;
use crate::{
    entropy::{Entropy, SeededEntropy},
    log::Log,
    model::{QrHash, Token, UnixMillis},
    net::{Failure, Frame, RealtimeConnector, Socket},
    protocol::{ClientFrame, Rating, Resume, ServerFrame, SideSums},
};

const HEARTBEAT_MS: u32 = 25_000;

/// What the host was told, in order.
#[derive(Clone, Debug, PartialEq)]
enum Note {
    Ratings(Vec<i64>),
    Pull(Pull),
    LookUp(Vec<String>),
    ServerTime(i64),
    State(LiveState),
    TokenRefused,
    LongPoll,
}

/// Remembers what it is told. Storing takes a permit, polls answer what they are told to.
struct Recorder {
    notes: Mutex<Vec<Note>>,
    storage: Semaphore,
    polls: Mutex<VecDeque<(Duration, PollOutcome)>>,
}

impl Recorder {
    fn note(&self, note: Note) {
        self.notes.lock().unwrap().push(note);
    }

    /// Takes out what was noted.
    fn take(&self) -> Vec<Note> {
        std::mem::take(&mut self.notes.lock().unwrap())
    }

    fn pulls(&self) -> Vec<Pull> {
        let pull = |note: &Note| if let Note::Pull(why) = note { Some(*why) } else { None };
        self.notes.lock().unwrap().iter().filter_map(pull).collect()
    }

    fn stored(&self) -> Vec<i64> {
        let revs = |note: &Note| if let Note::Ratings(revs) = note { revs.clone() } else { Vec::new() };
        self.notes.lock().unwrap().iter().flat_map(revs).collect()
    }

    fn state(&self) -> Option<LiveState> {
        let state = |note: &Note| if let Note::State(state) = note { Some(*state) } else { None };
        self.notes.lock().unwrap().iter().rev().find_map(state)
    }

    fn count(&self, what: &Note) -> usize {
        self.notes.lock().unwrap().iter().filter(|note| *note == what).count()
    }
}

impl LiveHost for Recorder {
    fn ratings(&self, ratings: Vec<Rating>) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            self.storage.acquire().await.expect("never closed").forget();
            self.note(Note::Ratings(ratings.iter().map(|rating| rating.rev).collect()));
        })
    }

    fn pull(&self, why: Pull) {
        self.note(Note::Pull(why));
    }

    fn look_up(&self, topics: Vec<String>) {
        self.note(Note::LookUp(topics));
    }

    fn server_time(&self, now: UnixMillis) {
        self.note(Note::ServerTime(now.0));
    }

    fn state(&self, state: LiveState) {
        self.note(Note::State(state));
    }

    fn token_refused(&self) {
        self.note(Note::TokenRefused);
    }

    fn long_poll(&self) -> BoxFuture<'_, PollOutcome> {
        Box::pin(async {
            self.note(Note::LongPoll);
            let next = self.polls.lock().unwrap().pop_front();
            let (held, outcome) = next.unwrap_or((Duration::from_secs(15), PollOutcome::Nothing));
            sleep(held).await;
            outcome
        })
    }
}

/// What the network does with an attempt to connect.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Open,
    /// Opens, but what is written goes nowhere.
    Clogged,
    Fails(Failure),
    Hangs,
}

struct Roads {
    calls: AtomicU32,
    sockets: Arc<AtomicU32>,
    most_sockets: AtomicU32,
    /// The next attempts, and then all others.
    script: Mutex<VecDeque<Way>>,
    otherwise: Mutex<Way>,
    ends: mpsc::UnboundedSender<End>,
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
struct End {
    to_device: mpsc::UnboundedSender<Result<Frame, Failure>>,
    from_device: mpsc::UnboundedReceiver<String>,
}

impl End {
    /// The next frame from the device; `None` if it hung up.
    async fn hears(&mut self) -> Option<ClientFrame> {
        let text = within(Duration::from_secs(3600), self.from_device.recv()).await?;
        Some(serde_json::from_str(&text).expect("the device keeps to the protocol"))
    }

    fn says(&self, frame: &ServerFrame) {
        self.sends(&serde_json::to_string(frame).unwrap());
    }

    fn sends(&self, text: &str) {
        let _ = self.to_device.send(Ok(Frame::Text(text.to_owned())));
    }

    fn closes(&self, code: u16) {
        let _ = self.to_device.send(Ok(Frame::Close(Some(code))));
    }

    async fn resume(&mut self) -> Option<Resume> {
        match self.hears().await {
            Some(ClientFrame::Hello { resume, .. }) => resume,
            other => panic!("{other:?} is no hello"),
        }
    }

    fn welcomes(&self, max_topics: u32) {
        let server_time = UnixMillis(1_793_346_975_200);
        self.says(&ServerFrame::Welcome { session: "s1".into(), heartbeat_ms: HEARTBEAT_MS, max_topics, server_time });
    }

    fn rates(&self, seq: u64, rev: i64) {
        self.says(&ServerFrame::Rating { seq, data: vec![rating(0, rev)] });
    }

    /// Waits until the device hangs up, and tells how long that took; answers nothing meanwhile.
    async fn is_left(&mut self) -> Duration {
        let watch = Stopwatch::start();
        while self.hears().await.is_some() {}
        watch.elapsed()
    }

    /// Answers pings and requests for so long.
    async fn serves(&mut self, span: Duration) {
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

/// A link at work.
struct Stage {
    roads: Arc<Roads>,
    host: Arc<Recorder>,
    wanted: watch::Sender<Wanted>,
    ends: mpsc::UnboundedReceiver<End>,
    link: JoinHandle<()>,
    /// How often the link was looked at.
    polls: Arc<AtomicU32>,
}

impl Stage {
    /// Wanted from the start, with these topics; draws are seeded.
    fn new(topics: &[&str]) -> Self {
        Self::with(topics, Arc::new(SeededEntropy::new(7)))
    }

    fn with(topics: &[&str], entropy: Arc<dyn Entropy>) -> Self {
        let (ends_tx, ends) = mpsc::unbounded_channel();
        let roads = Arc::new(Roads {
            calls: AtomicU32::new(0),
            sockets: Arc::default(),
            most_sockets: AtomicU32::new(0),
            script: Mutex::default(),
            otherwise: Mutex::new(Way::Open),
            ends: ends_tx,
        });
        let host = Arc::new(Recorder {
            notes: Mutex::default(),
            storage: Semaphore::new(Semaphore::MAX_PERMITS),
            polls: Mutex::default(),
        });
        let first = Wanted { live: true, topics: set(topics), device: "d1".into(), ..Wanted::default() };
        let (wanted, receiver) = watch::channel(first);
        let link =
            LiveLink::new(Arc::clone(&roads) as _, entropy, Log::default(), Arc::clone(&host) as _, receiver).run();
        let polls = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&polls);
        let mut link = Box::pin(link);
        let counted = std::future::poll_fn(move |cx| {
            counter.fetch_add(1, SeqCst);
            link.as_mut().poll(cx)
        });
        Self { roads, host, wanted, ends, link: tokio::spawn(counted), polls }
    }

    fn want(&self, change: impl FnOnce(&mut Wanted)) {
        self.wanted.send_modify(change);
    }

    fn script(&self, ways: impl IntoIterator<Item = Way>) {
        self.roads.script.lock().unwrap().extend(ways);
    }

    fn calls(&self) -> u32 {
        self.roads.calls.load(SeqCst)
    }

    fn sockets(&self) -> u32 {
        self.roads.sockets.load(SeqCst)
    }

    /// The next socket, and how long it took to come.
    async fn next(&mut self) -> (End, Duration) {
        let watch = Stopwatch::start();
        let end = within(Duration::from_secs(3600), self.ends.recv()).await.expect("the network stays");
        (end, watch.elapsed())
    }

    /// The next socket, after hello and welcome, with everything subscribed that is wanted.
    async fn open(&mut self, max_topics: u32) -> End {
        let (mut end, _) = self.next().await;
        assert!(end.resume().await.is_none(), "nothing to go on with");
        end.welcomes(max_topics);
        end.serves(Duration::from_millis(1)).await;
        end
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let most = self.roads.most_sockets.load(SeqCst);
        assert!(most <= 1 || std::thread::panicking(), "{most} sockets at a time");
    }
}

/// Measures virtual time.
struct Stopwatch(Instant);

impl Stopwatch {
    fn start() -> Self {
        Self(sleep(Duration::ZERO).deadline())
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Always draws the same number.
struct Fixed(u64);

impl Entropy for Fixed {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.copy_from_slice(&self.0.to_le_bytes()[..bytes.len()]);
    }
}

async fn within<T>(span: Duration, what: impl Future<Output = T>) -> T {
    timeout(span, what).await.expect("this should have happened long ago")
}

/// Lets everything happen that needs no time to pass.
async fn settled() {
    sleep(Duration::from_millis(1)).await;
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn set(topics: &[&str]) -> BTreeSet<String> {
    topics.iter().map(|topic| (*topic).to_owned()).collect()
}

fn rating(code: u8, rev: i64) -> Rating {
    Rating {
        qr_hash: QrHash([code; 32]),
        rev,
        safe: SideSums::default(),
        unsafe_: SideSums::default(),
        watermark: None,
        newest: None,
        exact_until: None,
        own: Vec::new(),
    }
}
