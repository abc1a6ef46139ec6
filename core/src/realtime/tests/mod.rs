//! The link on a stage: sockets whose other end is in the test's hands, a host that remembers, time that is paused.

mod flaps;
mod losses;
mod numbers;
mod pure;
mod recorder;
mod roads;
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
    time::Duration,
};

use futures_util::{future::BoxFuture, sink, stream};
use tokio::{
    sync::{Semaphore, mpsc, watch},
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

use self::{
    recorder::{Note, Recorder},
    roads::{End, Roads, Way},
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
