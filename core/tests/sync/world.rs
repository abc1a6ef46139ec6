//! A phone in a world that stands still until a test lets time pass: its directory, its clock, and the server.

use std::{
    future::Future,
    path::Path,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use safescan_core::{
    clock::Clock,
    config::{Config, SyncConfig},
    engine::{Core, Environment},
    entropy::SeededEntropy,
    model::{
        CodeRef, Event, HealthCause, NewVote, Operation, QrHash, Service, ServiceState, UnixMillis, VoteChoice,
        VoteOutcome,
    },
    net::{Failure, Network, RealtimeConnector, Socket},
    qr,
};
use tokio::time::Instant;

use crate::server::{Server, millis, start};

/// 2027-01-15 in the morning.
pub(crate) const MORNING: UnixMillis = UnixMillis(1_800_000_000_000);
pub(crate) const SECOND: i64 = 1_000;
pub(crate) const MINUTE: i64 = 60 * SECOND;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;
pub(crate) const YEAR: i64 = 365 * DAY;

/// A phone and its server.
pub(crate) struct World {
    pub(crate) directory: tempfile::TempDir,
    pub(crate) clock: Arc<PhoneClock>,
    pub(crate) server: Server,
    /// Another one for each opening: nothing drawn may come twice.
    seed: AtomicU64,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Server::new(MORNING))
    }

    /// Another phone of the same account.
    pub(crate) fn with(server: Server) -> Self {
        let memory = Path::new("/dev/shm");
        let directory = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        let directory = directory.expect("a temporary directory");
        Self { directory, clock: Arc::new(PhoneClock::at(MORNING)), server, seed: AtomicU64::new(1) }
    }

    /// What is drawn is drawn otherwise.
    pub(crate) fn seeded(seed: u64) -> Self {
        let world = Self::new();
        world.seed.store(seed, SeqCst);
        world
    }

    /// A core that sends and fetches when it is asked, and not otherwise.
    pub(crate) async fn open(&self) -> Arc<Core> {
        self.open_with(|_| ()).await
    }

    pub(crate) async fn open_with(&self, change: impl FnOnce(&mut Config)) -> Arc<Core> {
        let mut config = self.config();
        change(&mut config);
        let connector = Arc::new(NoSocket::default());
        Core::open_in(config, self.environment(connector)).await.expect("a core that opens")
    }

    /// A core that does what it does by itself.
    pub(crate) async fn open_automatic(&self) -> Arc<Core> {
        self.open_with(|config| sync(config).only_when_asked = false).await
    }

    /// A core without a server.
    pub(crate) async fn open_alone(&self) -> Arc<Core> {
        self.open_with(|config| config.sync = None).await
    }

    pub(crate) fn config(&self) -> Config {
        let mut config = Config::new(self.directory.path().to_str().expect("a UTF-8 path"));
        let mut sync = SyncConfig::new("https://api.example");
        (sync.share_scans, sync.share_settings, sync.only_when_asked) = (true, true, true);
        config.sync = Some(sync);
        // Whether somebody votes too fast is tested elsewhere.
        config.votes_per_minute = Some(10_000);
        config
    }

    pub(crate) fn environment(&self, connector: Arc<dyn RealtimeConnector>) -> Environment {
        Environment {
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            entropy: Arc::new(SeededEntropy::new(self.seed.fetch_add(1_000_003, SeqCst))),
            network: Some(Network { transport: Arc::new(self.server.clone()), realtime: connector }),
            runtime: Some(tokio::runtime::Handle::current()),
        }
    }
}

pub(crate) fn sync(config: &mut Config) -> &mut SyncConfig {
    config.sync.as_mut().expect("these tests are about it")
}

/// A clock whose one hand follows tokio's time, and whose other can be turned.
pub(crate) struct PhoneClock {
    start: Instant,
    wall: AtomicI64,
    /// How often it was read: whoever does nothing does not read the clock.
    pub(crate) reads: AtomicU64,
    /// At this many readings from now it panics, as if the process ended there; never if negative.
    pub(crate) breaks_in: AtomicI64,
}

impl PhoneClock {
    fn at(wall: UnixMillis) -> Self {
        Self { start: start(), wall: wall.0.into(), reads: 0.into(), breaks_in: (-1).into() }
    }

    /// Turns the wall clock; no time passes.
    pub(crate) fn turn(&self, millis: i64) {
        self.wall.fetch_add(millis, SeqCst);
    }

    fn read(&self) -> i64 {
        self.reads.fetch_add(1, SeqCst);
        if self.breaks_in.load(SeqCst) >= 0 && self.breaks_in.fetch_sub(1, SeqCst) == 0 {
            on_purpose();
        }
        millis(self.start.elapsed())
    }
}

impl Clock for PhoneClock {
    fn wall(&self) -> UnixMillis {
        UnixMillis(self.wall.load(SeqCst)).plus(self.read())
    }

    fn monotonic(&self) -> i64 {
        self.read()
    }
}

/// Panics without a word, for there are hundreds of these.
pub(crate) fn on_purpose() -> ! {
    struct OnPurpose;
    std::panic::resume_unwind(Box::new(OnPurpose));
}

/// There is never a socket.
#[derive(Default)]
pub(crate) struct NoSocket(pub(crate) AtomicU64);

impl RealtimeConnector for NoSocket {
    fn connect(&self) -> Pin<Box<dyn Future<Output = Result<Socket, Failure>> + Send + '_>> {
        self.0.fetch_add(1, SeqCst);
        Box::pin(std::future::ready(Err(Failure::Offline)))
    }
}

/// Lets virtual time pass; whatever is due meanwhile happens.
pub(crate) async fn pass(millis: i64) {
    tokio::time::sleep(Duration::from_millis(u64::try_from(millis).expect("time goes forward"))).await;
}

/// Lets everything happen that waits for nothing.
pub(crate) async fn settle() {
    pass(1).await;
}

pub(crate) fn link(number: usize) -> String {
    format!("https://shop-{number}.example/item")
}

pub(crate) fn hash(number: usize) -> QrHash {
    qr::hash_text(&link(number))
}

pub(crate) fn host(number: usize) -> QrHash {
    qr::hash_host(&qr::canonical_host(&link(number)).expect("a link has a host"))
}

pub(crate) fn code(number: usize) -> CodeRef {
    CodeRef::text(link(number))
}

pub(crate) async fn vote(core: &Core, number: usize, choice: VoteChoice) {
    let outcome = core.votes.submit(NewVote::of(link(number), choice)).await.expect("a vote that is stored");
    assert!(matches!(outcome, VoteOutcome::Accepted { .. } | VoteOutcome::Updated { .. }), "{outcome:?}");
}

pub(crate) async fn retract(core: &Core, number: usize) {
    let outcome = core.votes.retract(code(number), None).await.expect("a retraction that is stored");
    assert!(matches!(outcome, VoteOutcome::Retracted { .. }), "{outcome:?}");
}

/// Which way the device's owner votes on a code.
pub(crate) async fn own_vote(core: &Core, number: usize) -> Option<VoteChoice> {
    core.votes.mine(code(number), None).await.expect("a vote that can be read").map(|vote| vote.choice)
}

/// What waits, in order.
pub(crate) async fn operations(core: &Core) -> Vec<Operation> {
    let mut all = Vec::new();
    let mut cursor = None;
    loop {
        let page = core.operations.page(500, cursor).await.expect("operations that can be read");
        all.extend(page.operations);
        cursor = page.next_cursor;
        if cursor.is_none() {
            return all;
        }
    }
}

/// Everything that happened since the last call.
pub(crate) async fn events(core: &Core) -> Vec<Event> {
    let mut all = Vec::new();
    loop {
        let some = tokio::select! {
            biased;
            events = core.next_events(500) => events.expect("a number within its bounds"),
            () = std::future::ready(()) => return all,
        };
        if some.is_empty() {
            return all;
        }
        all.extend(some);
    }
}

/// How synchronisation is.
pub(crate) fn health(core: &Core) -> (ServiceState, HealthCause) {
    let services = core.health().services;
    let health = services.iter().find(|health| health.service == Service::CloudSync).expect("it is always there");
    (health.state, health.cause)
}

pub(crate) const HEALTHY: (ServiceState, HealthCause) = (ServiceState::Healthy, HealthCause::None);
