//! One run: a server, phones, their users and the network between them, on one thread and in virtual time.

use std::{
    cell::RefCell,
    path::Path,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
};

use futures_util::future::join_all;

use crate::{
    book::Book,
    client::Client,
    handset::Handset,
    model::Server,
    network::{Grid, Traffic},
    plan::{Kind, Plan, ServerDeed},
    time::{Timeline, millis},
    trace::Trace,
};

/// How long everything may take to arrive and agree once the faults are over.
pub(crate) const SETTLING_MS: i64 = 60_000;
/// The longest wait between two tries to open a socket, and the time that opening it takes.
const LONGEST_BACKOFF_MS: i64 = 31_000;
const MINUTE_MS: i64 = 60 * 1000;
const HOUR_MS: i64 = 60 * 60 * 1000;

/// How a run went.
#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
    pub(crate) plan: String,
    /// Everything that happened, as one number.
    pub(crate) hash: u64,
    pub(crate) lines: u64,
    pub(crate) traffic: Traffic,
    /// How long it took until everything had arrived, after the faults.
    pub(crate) settled_ms: Option<i64>,
    pub(crate) failures: Vec<String>,
    /// The last that happened.
    pub(crate) tail: Vec<String>,
}

/// Does what a plan says, with clients of a kind.
pub(crate) fn run<C: Client>(plan: &Plan, aloud: bool) -> Report {
    let parks = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&parks);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .on_thread_park(move || _ = count.fetch_add(1, SeqCst))
        .build()
        .expect("a runtime without a driver for the network");
    let memory = Path::new("/dev/shm");
    let place = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    let directory = tempfile::Builder::new().prefix("safescan-simulation-").tempdir_in(place).expect("a directory");
    // Within the runtime, so that all clocks are its own.
    runtime.block_on(async { World::<C>::new(plan, aloud, directory.path(), parks).run().await })
}

pub(crate) struct World<'a, C> {
    pub(crate) plan: &'a Plan,
    pub(crate) grid: Arc<Grid>,
    pub(crate) book: Rc<RefCell<Book>>,
    pub(crate) phones: Vec<Handset<C>>,
    /// How often the thread had nothing to do: everybody who wakes up makes it one more.
    parks: Arc<AtomicU64>,
}

impl<'a, C: Client> World<'a, C> {
    fn new(plan: &'a Plan, aloud: bool, directory: &Path, parks: Arc<AtomicU64>) -> Self {
        let timeline = Timeline::begin();
        let server = Server::new(plan.rules.clone());
        let grid = Arc::new(Grid::new(timeline, Trace::new(timeline, aloud), server));
        let book = Rc::default();
        let phone = |number: usize| Handset::new(plan, number, &grid, &book, directory.join(format!("phone-{number}")));
        let phones = (0..plan.phones.len()).map(phone).collect();
        Self { plan, grid, book, phones, parks }
    }

    async fn run(mut self) -> Report {
        let grid = Arc::clone(&self.grid);
        let mut settled_ms = None;
        {
            let story = async {
                self.live().await;
                if self.plan.kind == Kind::Safety {
                    self.check_safety().await;
                } else {
                    settled_ms = self.settle().await;
                    self.check_silence().await;
                }
                self.check_ledger();
                self.end().await;
            };
            tokio::select! {
                biased;
                () = grid.offended.notified() => {}
                () = story => {}
            }
        }
        let mut traffic = Traffic::default();
        for phone in &self.phones {
            let of = phone.link.traffic();
            traffic.requests += of.requests;
            traffic.undisturbed += of.undisturbed;
            traffic.connects += of.connects;
            traffic.frames += of.frames;
        }
        for phone in &mut self.phones {
            if let Some(client) = phone.client.take() {
                client.kill();
            }
        }
        Report {
            plan: format!("seed {} ({:?}, {} phones)", self.plan.seed, self.plan.kind, self.phones.len()),
            hash: grid.trace.hash(),
            lines: grid.trace.lines(),
            traffic,
            settled_ms,
            failures: grid.offences(),
            tail: grid.trace.tail(),
        }
    }

    /// Everything that the plan says, up to its end.
    async fn live(&mut self) {
        let (grid, plan) = (Arc::clone(&self.grid), self.plan);
        let server = async {
            for (at, deed) in &plan.server {
                grid.timeline.until(*at).await;
                grid.trace.note("server", format_args!("{deed:?}"));
                grid.server(|server| act(server, *deed, grid.timeline.server()));
            }
        };
        tokio::join!(server, join_all(self.phones.iter_mut().map(Handset::live)));
        if plan.kind == Kind::Outage && C::LIVE {
            join_all(self.phones.iter_mut().map(|phone| phone.wait_until(plan.outage_ends() + LONGEST_BACKOFF_MS)))
                .await;
            for phone in self.phones.iter().filter(|phone| phone.link.held() != 1 && C::RESTS) {
                phone.offend("has no socket, though the server is back");
            }
        }
        // Whatever is left is forgiven: from here on the server is its usual self.
        join_all(self.phones.iter_mut().map(|phone| phone.wait_until(plan.end))).await;
        if plan.kind != Kind::Safety {
            grid.trace.note("world", "the faults are over");
            grid.server(|server| server.rules = crate::model::Rules { backoff_ms: 0, ..lenient(&plan.rules) });
        }
        for phone in &mut self.phones {
            let awake = phone.app().resume().await;
            phone.expect("resuming", awake);
            // The network that comes back is told by the system.
            phone.app().network(false).await;
            phone.app().network(true).await;
        }
    }

    /// Waits so long, while users answer their apps.
    pub(crate) async fn wait(&mut self, ms: i64) {
        let until = self.grid.timeline.ms() + ms;
        join_all(self.phones.iter_mut().map(|phone| phone.wait_until(until))).await;
    }

    /// Nobody who has nothing to do does anything.
    async fn check_silence(&mut self) {
        if !C::RESTS || !self.plan.seed.is_multiple_of(4) {
            return;
        }
        // What is under way comes to its end first.
        self.wait(MINUTE_MS).await;
        let before: Vec<Traffic> = self.phones.iter().map(|phone| phone.link.traffic()).collect();
        tokio::time::sleep(millis(HOUR_MS)).await;
        for (phone, before) in self.phones.iter().zip(before) {
            if phone.watched.len() > self.plan.rules.max_topics as usize {
                // What the server has no place for is asked for.
                continue;
            }
            let after = phone.link.traffic();
            if after.requests != before.requests || after.connects != before.connects {
                let requests = after.requests - before.requests;
                let connects = after.connects - before.connects;
                phone.offend(format_args!(
                    "{requests} requests and {connects} sockets in an hour without anything to do"
                ));
            }
        }
        for phone in &self.phones {
            let asleep = phone.app().suspend().await;
            phone.expect("suspending", asleep);
        }
        // Whatever was under way has come to its end, but for those who asked for it.
        tokio::time::sleep(millis(1)).await;
        let before: Vec<_> = self.phones.iter().map(|phone| (phone.link.traffic(), phone.readings())).collect();
        let parks = self.parks.load(SeqCst);
        tokio::time::sleep(millis(HOUR_MS)).await;
        let wakes = self.parks.load(SeqCst) - parks;
        for (phone, (traffic, readings)) in self.phones.iter().zip(before) {
            let after = phone.link.traffic();
            if after.requests + after.connects + after.frames != traffic.requests + traffic.connects + traffic.frames {
                phone.offend("makes traffic while it is suspended");
            }
            if phone.readings() != readings {
                phone.offend("looks at the clock while it is suspended");
            }
            if phone.link.held() > 0 {
                phone.offend("holds a socket while it is suspended");
            }
        }
        // Once for this very wait, which the timer may split by its slots.
        if wakes > 8 {
            self.grid.offend(format_args!("{wakes} wake-ups in an hour in which everybody is suspended"));
        }
    }

    async fn end(&mut self) {
        for phone in &mut self.phones {
            if let Some(client) = phone.client.take() {
                let ended = client.shutdown().await;
                phone.expect("shutting down", ended);
            }
        }
    }
}

/// The rules that hold once the faults are over: small pages and short tokens stay, riddles do not.
fn lenient(rules: &crate::model::Rules) -> crate::model::Rules {
    crate::model::Rules {
        tells_limits: true,
        max_bytes: 262_144,
        spam: crate::model::Rules::default().spam,
        ..rules.clone()
    }
}

fn act(server: &mut Server, deed: ServerDeed, now: safescan_core::model::UnixMillis) {
    match deed {
        ServerDeed::Restart { farewell } => server.restart(farewell),
        ServerDeed::LoseLog => server.lose_log(),
        ServerDeed::ExpireTokens => server.expire_tokens(now),
        ServerDeed::MaxOps(most) => server.rules.max_ops = most,
        ServerDeed::MaxBytes(most) => server.rules.max_bytes = most,
        ServerDeed::Page(changes) => server.rules.page = changes,
        ServerDeed::Backoff(ms) => server.rules.backoff_ms = ms,
        ServerDeed::Upgrade(upgrade) => server.rules.upgrade = upgrade,
    }
}
