//! The network between phones and the server, in virtual time. Every phone has a link of its own with weather of its
//! own; what happens on it is drawn from the seed.

pub(crate) mod faults;
mod requests;
mod sockets;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicU64, Ordering::SeqCst},
    },
};

use tokio::sync::{Notify, mpsc};

use safescan_core::net::Request;

use self::faults::Weather;
use crate::{
    dice::{Dice, FNV_START, fnv},
    model::{Outgoing, Server},
    time::Timeline,
    trace::Trace,
};

/// Requests of one phone within [`STORM_MS`] that only a loop without a pause can make: all, and equal ones in a row.
const STORM: u32 = 400;
const ECHOES: u32 = 60;
const STORM_MS: i64 = 10_000;

/// Everything that is the same for all phones.
pub(crate) struct Grid {
    pub(crate) timeline: Timeline,
    pub(crate) trace: Trace,
    server: Mutex<Server>,
    /// The server's revision, as far as those were told who wait for the next.
    revision: AtomicI64,
    /// Tells them. (A watch channel would wake them in an order that it draws.)
    revised: Notify,
    sockets: Mutex<BTreeMap<u64, mpsc::UnboundedSender<Outgoing>>>,
    named: AtomicU64,
    /// What must never happen and did.
    offences: Mutex<Vec<String>>,
    pub(crate) offended: Notify,
}

impl Grid {
    pub(crate) fn new(timeline: Timeline, trace: Trace, server: Server) -> Self {
        Self {
            timeline,
            trace,
            server: Mutex::new(server),
            revision: AtomicI64::new(0),
            revised: Notify::new(),
            sockets: Mutex::default(),
            named: AtomicU64::new(0),
            offences: Mutex::default(),
            offended: Notify::new(),
        }
    }

    /// Lets the server do something, and carries away what it says on sockets.
    pub(crate) fn server<T>(&self, work: impl FnOnce(&mut Server) -> T) -> T {
        let mut server = self.server.lock().unwrap();
        let result = work(&mut server);
        let (outgoing, revision) = (server.sockets.take_outgoing(), server.registers.revision());
        drop(server);
        let sockets = self.sockets.lock().unwrap();
        for (socket, what) in outgoing {
            if let Some(wire) = sockets.get(&socket) {
                drop(wire.send(what));
            }
        }
        drop(sockets);
        if self.revision.swap(revision, SeqCst) != revision {
            self.revised.notify_waiters();
        }
        result
    }

    /// Notes something that must never happen.
    pub(crate) fn offend(&self, what: impl fmt::Display) {
        self.trace.note("OFFENCE", &what);
        self.offences.lock().unwrap().push(what.to_string());
        self.offended.notify_waiters();
        self.offended.notify_one();
    }

    pub(crate) fn offences(&self) -> Vec<String> {
        self.offences.lock().unwrap().clone()
    }
}

/// The weather over a run: from each of these moments on.
#[derive(Clone, Debug)]
pub(crate) struct Forecast(pub(crate) Vec<(i64, Weather)>);

impl Forecast {
    fn at(&self, ms: i64) -> Weather {
        self.0.iter().take_while(|(from, _)| *from <= ms).last().map_or(Weather::Fine, |(_, weather)| *weather)
    }

    /// When the weather is fine for good.
    fn clears_up(&self) -> i64 {
        self.0.last().map_or(0, |(from, weather)| if *weather == Weather::Fine { *from } else { i64::MAX })
    }
}

/// When a phone is to be killed: at the so-manieth time that this happens, so many turns of the scheduler later.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ambush {
    pub(crate) moment: Moment,
    pub(crate) countdown: u32,
    pub(crate) turns: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// A request has arrived at the server and is done.
    Arrived,
    /// An answer is about to be handed over.
    Answered,
}

/// What went over a link.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Traffic {
    pub(crate) requests: u64,
    /// Those to which nothing bad happened.
    pub(crate) undisturbed: u64,
    pub(crate) connects: u64,
    pub(crate) frames: u64,
}

/// A phone's way to the server.
#[derive(Clone)]
pub(crate) struct Link(Arc<Shared>);

struct Shared {
    grid: Arc<Grid>,
    phone: usize,
    forecast: Forecast,
    statuses: Vec<u16>,
    dice: Mutex<Dice>,
    traffic: Mutex<Traffic>,
    storm: Mutex<Storm>,
    ambushes: Mutex<Vec<Ambush>>,
    /// Tells whoever can kill the phone, and after how many turns to do it.
    ambushed: mpsc::UnboundedSender<u32>,
    /// Sockets that the phone holds.
    held: Mutex<BTreeSet<u64>>,
}

/// Requests within a window of time.
#[derive(Default)]
struct Storm {
    began: i64,
    requests: u32,
    /// The last one, without its time, and how often it came in a row.
    last: u64,
    echoes: u32,
}

impl Link {
    pub(crate) fn new(
        grid: Arc<Grid>,
        phone: usize,
        forecast: Forecast,
        statuses: Vec<u16>,
        dice: Dice,
        ambushes: Vec<Ambush>,
        ambushed: mpsc::UnboundedSender<u32>,
    ) -> Self {
        Self(Arc::new(Shared {
            grid,
            phone,
            forecast,
            statuses,
            dice: Mutex::new(dice),
            traffic: Mutex::default(),
            storm: Mutex::default(),
            ambushes: Mutex::new(ambushes),
            ambushed,
            held: Mutex::default(),
        }))
    }

    pub(crate) fn traffic(&self) -> Traffic {
        *self.0.traffic.lock().unwrap()
    }

    /// Sockets that the phone holds just now.
    pub(crate) fn held(&self) -> usize {
        self.0.held.lock().unwrap().len()
    }

    /// Both ways of the link, as the core takes them.
    pub(crate) fn network(&self) -> safescan_core::net::Network {
        safescan_core::net::Network { transport: Arc::new(self.clone()), realtime: Arc::new(self.clone()) }
    }

    fn weather(&self) -> Weather {
        self.0.forecast.at(self.0.grid.timeline.ms())
    }

    fn latency(&self) -> i64 {
        let weather = self.weather();
        weather.latency(&mut self.0.dice.lock().unwrap())
    }

    fn note(&self, what: impl fmt::Display) {
        self.0.grid.trace.note(format_args!("phone {}", self.0.phone), what);
    }

    fn next_name(&self) -> u64 {
        self.0.grid.named.fetch_add(1, SeqCst) + 1
    }

    /// Whether anybody lies in wait for this moment.
    fn pass(&self, moment: Moment) {
        let mut ambushes = self.0.ambushes.lock().unwrap();
        let Some(at) = ambushes.iter().position(|ambush| ambush.moment == moment) else { return };
        if ambushes[at].countdown > 0 {
            ambushes[at].countdown -= 1;
            return;
        }
        let ambush = ambushes.remove(at);
        drop(ambushes);
        _ = self.0.ambushed.send(ambush.turns);
    }

    /// Counts a request; false if there are far too many.
    fn count(&self, disturbed: bool, request: &Request) -> bool {
        let mut traffic = self.0.traffic.lock().unwrap();
        traffic.requests += 1;
        traffic.undisturbed += u64::from(!disturbed);
        let now = self.0.grid.timeline.ms();
        let body = String::from_utf8_lossy(&request.body);
        let timeless = body.split_once("\"timestamp\":").map_or((&*body, ""), |(before, time)| {
            (before, time.trim_start_matches(|digit: char| digit.is_ascii_digit() || digit == '-'))
        });
        let this = fnv(timeless.1.as_bytes(), fnv(timeless.0.as_bytes(), fnv(request.path.as_bytes(), FNV_START)));
        let mut storm = self.0.storm.lock().unwrap();
        if now - storm.began > STORM_MS {
            *storm = Storm { began: now, ..Storm::default() };
        }
        storm.requests += 1;
        storm.echoes = if storm.last == this { storm.echoes + 1 } else { 0 };
        storm.last = this;
        if storm.requests == STORM + 1 || storm.echoes == ECHOES {
            let (requests, echoes) = (storm.requests, storm.echoes);
            let phone = self.0.phone;
            self.0
                .grid
                .offend(format_args!("phone {phone} makes {requests} requests at a time, {echoes} of them equal"));
        }
        storm.requests <= STORM
    }
}
