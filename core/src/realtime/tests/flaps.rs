//! A thousand flaps: connections that break in every way at random moments, against a server that numbers what it sends,
//! keeps sessions for a while, and remembers what everybody should know.

use std::collections::BTreeMap;

use super::*;

const TOPICS: u64 = 12;

/// What both sides of the simulation share.
struct World {
    rng: SeededEntropy,
    /// Grows with everything that happens, so that before and after can be told.
    now: u64,
    rev: i64,
    /// Each topic's newest rating, and when it came to be.
    truth: BTreeMap<String, (i64, u64)>,
    /// The newest rating of each topic that reached the device.
    delivered: BTreeMap<String, i64>,
    /// When a pull or look-up that brings the topic was last asked for.
    pulled: BTreeMap<String, u64>,
    wanted: BTreeSet<String>,
    sessions: u64,
    session: Option<Remote>,
    counts: BTreeMap<&'static str, u32>,
    trace: Vec<String>,
}

/// A session as the server keeps it.
struct Remote {
    name: String,
    seq: u64,
    topics: BTreeSet<String>,
    sent: BTreeMap<u64, String>,
    line: Option<mpsc::UnboundedSender<Result<Frame, Failure>>>,
    /// The line is there, but nothing passes.
    mute: bool,
}

type Shared = Arc<Mutex<World>>;

impl World {
    fn draw(&self, below: u64) -> u64 {
        let mut bytes = [0; 8];
        self.rng.fill(&mut bytes);
        u64::from_le_bytes(bytes) % below
    }

    fn tick(&mut self) -> u64 {
        self.now += 1;
        self.now
    }

    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
        let line = format!("{} {what}", self.now);
        self.trace.push(line);
    }

    /// Somebody votes; now and then the frame is lost after it was numbered.
    fn vote(&mut self) {
        let topic = format!("{:04x}", self.draw(TOPICS));
        self.rev += 1;
        let at = self.tick();
        self.truth.insert(topic.clone(), (self.rev, at));
        let lost = self.draw(20) == 0;
        let code = u8::from_str_radix(&topic, 16).unwrap();
        if let Some(session) = self.session.as_mut().filter(|session| session.topics.contains(&topic)) {
            session.rates(code, self.rev, lost);
        }
    }

    /// A frame about nothing that counts: what was lost just before it shows by its number.
    fn pulse(&mut self) {
        self.session.iter_mut().for_each(|session| session.rates(u8::MAX, 1, false));
    }

    fn answer(&mut self, frame: ClientFrame, line: &mpsc::UnboundedSender<Result<Frame, Failure>>) {
        match frame {
            ClientFrame::Hello { resume, .. } => {
                let fate = self.draw(8);
                let known = |session: &Remote| resume.as_ref().is_some_and(|resume| session.name == resume.session);
                if let (Some(session), Some(resume), true) =
                    (self.session.as_mut().filter(|session| known(session)), &resume, fate > 0)
                {
                    session.line = Some(line.clone());
                    session.mute = false;
                    session.push(serde_json::to_string(&ServerFrame::Resumed { from: resume.seq + 1 }).unwrap());
                    let again: Vec<String> =
                        session.sent.range(resume.seq + 1..).map(|(_, text)| text.clone()).collect();
                    again.into_iter().for_each(|text| session.push(text));
                    return self.count("resumed");
                }
                if resume.is_some() {
                    self.count("reset");
                    say(line, &ServerFrame::Reset { reason: "gap".into() });
                }
                self.welcome(line.clone());
            }
            ClientFrame::Ping { t } => self.reply(line, &ServerFrame::Pong { t }),
            ClientFrame::Ack { seq } => {
                if let Some(session) = &mut self.session {
                    session.sent = session.sent.split_off(&(seq + 1));
                }
            }
            ClientFrame::Sub { reference, topics } => {
                if let Some(session) = &mut self.session {
                    session.topics.extend(topics);
                }
                self.reply(line, &ServerFrame::SubOk { reference });
            }
            ClientFrame::Unsub { reference, topics } => {
                if let Some(session) = &mut self.session {
                    session.topics.retain(|topic| !topics.contains(topic));
                }
                self.reply(line, &ServerFrame::UnsubOk { reference });
            }
        }
    }

    fn welcome(&mut self, line: mpsc::UnboundedSender<Result<Frame, Failure>>) {
        self.count("welcome");
        self.sessions += 1;
        let name = format!("s{}", self.sessions);
        let (heartbeat_ms, server_time) = (HEARTBEAT_MS, UnixMillis(0));
        say(&line, &ServerFrame::Welcome { session: name.clone(), heartbeat_ms, max_topics: 256, server_time });
        let (topics, sent) = (BTreeSet::new(), BTreeMap::new());
        self.session = Some(Remote { name, seq: 0, topics, sent, line: Some(line), mute: false });
    }

    fn reply(&mut self, line: &mpsc::UnboundedSender<Result<Frame, Failure>>, frame: &ServerFrame) {
        if self.session.as_ref().is_some_and(|session| !session.mute) {
            say(line, frame);
        }
    }

    /// Everything that is wanted reached the device, or a pull was asked for after it.
    fn check(&self) {
        for topic in &self.wanted {
            let Some((rev, at)) = self.truth.get(topic) else { continue };
            let delivered = self.delivered.get(topic).is_some_and(|delivered| delivered >= rev);
            let pulled = self.pulled.get(topic).is_some_and(|pulled| pulled > at);
            assert!(
                delivered || pulled,
                "{topic}: {rev} of {at} never came; {:?}",
                &self.trace[self.trace.len().saturating_sub(20)..]
            );
        }
    }
}

impl Remote {
    fn rates(&mut self, code: u8, rev: i64, lost: bool) {
        self.seq += 1;
        if !lost {
            let frame = ServerFrame::Rating { seq: self.seq, data: vec![rating(code, rev)] };
            let text = serde_json::to_string(&frame).unwrap();
            self.sent.insert(self.seq, text.clone());
            self.push(text);
        }
    }

    fn push(&self, text: String) {
        if let (Some(line), false) = (&self.line, self.mute) {
            let _ = line.send(Ok(Frame::Text(text)));
        }
    }
}

fn say(line: &mpsc::UnboundedSender<Result<Frame, Failure>>, frame: &ServerFrame) {
    let _ = line.send(Ok(Frame::Text(serde_json::to_string(frame).unwrap())));
}

struct Device(Shared);

impl Device {
    fn pulled(&self, topics: impl IntoIterator<Item = String>) {
        let mut world = self.0.lock().unwrap();
        let at = world.tick();
        world.pulled.extend(topics.into_iter().map(|topic| (topic, at)));
    }
}

impl LiveHost for Device {
    fn ratings(&self, ratings: Vec<Rating>) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let slow = self.0.lock().unwrap().draw(4);
            sleep(Duration::from_millis(slow * 20)).await;
            let mut world = self.0.lock().unwrap();
            for rating in ratings {
                let delivered = world.delivered.entry(format!("{:04x}", rating.qr_hash.0[0])).or_default();
                *delivered = rating.rev.max(*delivered);
            }
        })
    }

    fn pull(&self, why: Pull) {
        let wanted = self.0.lock().unwrap().wanted.clone();
        self.pulled(wanted);
        self.0.lock().unwrap().count(match why {
            Pull::Gap => "pull: gap",
            Pull::Reset => "pull: reset",
            Pull::NewSession => "pull: new session",
            Pull::Overflow => "pull: overflow",
            _ => "pull: other",
        });
    }

    fn look_up(&self, topics: Vec<String>, _over_socket: bool) {
        self.pulled(topics);
        self.0.lock().unwrap().count("looked up");
    }

    fn server_time(&self, _now: UnixMillis) {}

    fn state(&self, state: LiveState) {
        let mut world = self.0.lock().unwrap();
        let line = format!("{} {state:?}", world.now);
        world.trace.push(line);
    }

    fn token_refused(&self, _version: u64) {
        panic!("nobody refuses it");
    }

    fn long_poll(&self) -> BoxFuture<'_, PollOutcome> {
        Box::pin(async {
            sleep(secs(15)).await;
            let wanted = self.0.lock().unwrap().wanted.clone();
            self.pulled(wanted);
            PollOutcome::Nothing
        })
    }
}

/// Takes what the device opens, one after the other.
async fn serve(world: Shared, mut ends: mpsc::UnboundedReceiver<End>) {
    while let Some(mut end) = ends.recv().await {
        while let Some(text) = end.from_device.recv().await {
            let frame = serde_json::from_str(&text).expect("the device keeps to the protocol");
            world.lock().unwrap().answer(frame, &end.to_device);
        }
        world.lock().unwrap().count("left");
    }
}

/// Breaks something, and lets time pass.
async fn flap(world: &Shared, roads: &Roads, wanted: &watch::Sender<Wanted>) {
    let (kind, pause) = {
        let world = world.lock().unwrap();
        (world.draw(12), world.draw(40_000))
    };
    let line = world.lock().unwrap().session.as_ref().and_then(|session| session.line.clone());
    let lines = || line.iter().filter(|_| world.lock().unwrap().session.as_ref().is_some_and(|s| !s.mute));
    match kind {
        0 | 1 => lines().for_each(|line| drop(line.send(Err(Failure::Interrupted)))),
        2 => lines().for_each(|line| drop(line.send(Ok(Frame::Close(Some(1001)))))),
        3 => lines().for_each(|line| say(line, &ServerFrame::Bye { reconnect_after_ms: [1_000, 20_000] })),
        // Half open: it is there, and nothing passes.
        4 | 5 => world.lock().unwrap().session.iter_mut().for_each(|session| session.mute = true),
        6 => {
            let ways = [Failure::Offline, Failure::Refused(Some(503)), Failure::TimedOut].map(Way::Fails);
            roads.script.lock().unwrap().extend(ways);
            lines().for_each(|line| drop(line.send(Err(Failure::Interrupted))));
        }
        7 => {
            wanted.send_modify(|wanted| wanted.live = false);
            sleep(Duration::from_millis(pause)).await;
            wanted.send_modify(|wanted| wanted.live = true);
        }
        8 => wanted.send_modify(|wanted| wanted.network_version += 1),
        9 => {
            let topics: BTreeSet<String> = {
                let world = world.lock().unwrap();
                (0..TOPICS).filter(|_| world.draw(2) == 0).map(|topic| format!("{topic:04x}")).collect()
            };
            world.lock().unwrap().wanted = topics.clone();
            wanted.send_modify(|wanted| wanted.topics = topics);
        }
        // The server forgets the session, and says so.
        10 => lines().for_each(|line| {
            say(line, &ServerFrame::Reset { reason: "slow".into() });
            world.lock().unwrap().welcome(line.clone());
        }),
        // A storm.
        _ => (0..200).for_each(|_| world.lock().unwrap().vote()),
    }
    for _ in 0..8 {
        world.lock().unwrap().vote();
        sleep(Duration::from_millis(pause / 8)).await;
    }
}

async fn run(seed: u64, flaps: u32) -> (Vec<String>, BTreeMap<&'static str, u32>) {
    let topics: BTreeSet<String> = (0..TOPICS).map(|topic| format!("{topic:04x}")).collect();
    let world = Arc::new(Mutex::new(World {
        rng: SeededEntropy::new(seed),
        now: 0,
        rev: 0,
        truth: BTreeMap::new(),
        delivered: BTreeMap::new(),
        pulled: BTreeMap::new(),
        wanted: topics.clone(),
        sessions: 0,
        session: None,
        counts: BTreeMap::new(),
        trace: Vec::new(),
    }));
    let (ends_tx, ends) = mpsc::unbounded_channel();
    let roads = Arc::new(Roads {
        calls: AtomicU32::new(0),
        sockets: Arc::default(),
        most_sockets: AtomicU32::new(0),
        script: Mutex::default(),
        otherwise: Mutex::new(Way::Open),
        ends: ends_tx,
    });
    let first = Wanted { live: true, topics, device: "d1".into(), ..Wanted::default() };
    let (wanted, receiver) = watch::channel(first);
    let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(!seed));
    let host = Arc::new(Device(Arc::clone(&world)));
    let link = LiveLink::new(Arc::clone(&roads) as _, entropy, Log::default(), host, receiver).run();
    let link = tokio::spawn(link);
    let server = tokio::spawn(serve(Arc::clone(&world), ends));
    for done in 1..=flaps {
        flap(&world, &roads, &wanted).await;
        if done % 3 == 0 {
            // Quiet for as long as the slowest way back takes: silence noticed, waits, a slow probe, a poll.
            sleep(secs(120 + 6 * 60 + 60)).await;
            world.lock().unwrap().pulse();
            sleep(secs(10)).await;
            world.lock().unwrap().check();
        }
        assert!(roads.most_sockets.load(SeqCst) <= 1);
    }
    sleep(secs(600)).await;
    world.lock().unwrap().pulse();
    sleep(secs(10)).await;
    world.lock().unwrap().check();
    assert_eq!(roads.sockets.load(SeqCst), 1, "one live socket");
    drop(wanted);
    link.await.unwrap();
    assert_eq!(roads.sockets.load(SeqCst), 0);
    server.abort();
    let world = world.lock().unwrap();
    (world.trace.clone(), world.counts.clone())
}

#[tokio::test(start_paused = true)]
async fn a_thousand_flaps() {
    let (_, counts) = run(1, 1000).await;
    let least = [("resumed", 100), ("reset", 20), ("pull: gap", 20), ("pull: overflow", 10), ("looked up", 10)];
    for (what, least) in least {
        assert!(counts.get(what).copied().unwrap_or(0) >= least, "{what}: {counts:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_few_flaps_from_many_seeds() {
    for seed in 100..150 {
        run(seed, 30).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_makes_the_same_run() {
    let (first, second) = (run(3, 60).await, run(3, 60).await);
    assert_eq!(first, second);
    assert_ne!(first.0, run(4, 60).await.0);
}
