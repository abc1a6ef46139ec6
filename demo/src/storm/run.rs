//! The storm itself.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use serde_json::json;

use super::plan::{CODES, Plan, Random, Strike, What, code};
use crate::{
    Failure,
    model::{Deed, Learned, Model},
    stage::{Answer, Server, Stage},
};

/// Commands that a phone has at a time: people do not wait for one answer before they tap again.
const AT_A_TIME: usize = 4;
/// The longest pause between two commands to a phone, so that the storm lasts long enough for what strikes.
const PAUSE_MS: usize = 160;
/// The longest that a phone has between its last commands and its death: about what one of them takes.
const LAST_MOMENTS_US: usize = 3_000;
/// How long everything may take to come to rest: a circuit breaker holds for a minute, and a phone tries again within
/// half a minute after it.
const REST: Duration = Duration::from_secs(180);
/// How often phones are asked what waits still.
const ASKED_EVERY: Duration = Duration::from_millis(500);

/// A storm that is over.
pub(super) struct Run {
    pub(super) stage: Stage,
    pub(super) server: Server,
    pub(super) model: Model,
    pub(super) counts: Counts,
    crew: Vec<Hand>,
    random: Random,
    /// When the server is started again.
    server_back: Option<Instant>,
}

/// What happened.
#[derive(Default)]
pub(super) struct Counts {
    pub(super) phone_kills: Vec<u32>,
    pub(super) server_kills: u32,
    pub(super) network_losses: u32,
    pub(super) fault_changes: u32,
    pub(super) refused: u32,
    /// Seconds until the last operation was acknowledged, and from there until nothing waited any more.
    pub(super) seconds: [f64; 2],
}

/// A phone's part of the work.
#[derive(Default)]
struct Hand {
    deeds: VecDeque<Deed>,
    open: Vec<(u64, Deed)>,
    pause_until: Option<Instant>,
    /// When the phone is started again.
    back: Option<Instant>,
    /// When its network is back.
    network_back: Option<Instant>,
    /// The life in which it was last told what to watch.
    greeted: u32,
}

impl Run {
    pub(super) fn new(stage: Stage, server: Server, plan: Plan, seed: u64) -> Result<Self, Failure> {
        let counts = Counts { phone_kills: vec![0; stage.phones.len()], ..Counts::default() };
        let crew = plan.deeds.into_iter().map(|deeds| Hand { deeds, ..Hand::default() }).collect();
        let random = Random(!seed);
        let mut run = Self { stage, server, model: Model::default(), counts, crew, random, server_back: None };
        for phone in 0..run.crew.len() {
            run.stage.launch(phone)?;
        }
        run.rage(plan.strikes)?;
        run.calm()?;
        Ok(run)
    }

    /// Until every operation was acknowledged.
    fn rage(&mut self, mut strikes: VecDeque<Strike>) -> Result<(), Failure> {
        let mut due: Option<Instant> = None;
        while self.crew.iter().any(|hand| !hand.deeds.is_empty() || !hand.open.is_empty()) {
            self.stage.hear(Duration::from_millis(5))?;
            self.learn();
            self.bring_back()?;
            for phone in 0..self.crew.len() {
                self.work(phone)?;
            }
            let Some(next) = strikes.front() else { continue };
            if next.after > self.model.acknowledged {
                continue;
            }
            let moment = *due.get_or_insert_with(|| Instant::now() + Duration::from_millis(next.wait_ms));
            if Instant::now() >= moment && self.can_strike(&next.what) {
                due = None;
                if let Some(strike) = strikes.pop_front() {
                    self.strike(strike.what)?;
                }
            }
        }
        Ok(())
    }

    /// Everything comes back, nothing goes wrong any more, and what waits is sent without anybody asking for it.
    fn calm(&mut self) -> Result<(), Failure> {
        self.counts.seconds[0] = self.stage.voice.seconds();
        self.server.set_faults("")?;
        let deadline = Instant::now() + REST;
        while self.server_back.is_some() || self.crew.iter().any(|hand| hand.back.or(hand.network_back).is_some()) {
            self.stage.hear(Duration::from_millis(5))?;
            self.bring_back()?;
        }
        self.stage.voice.note("everybody", "nothing goes wrong any more");
        loop {
            let mut waiting = 0;
            for phone in 0..self.crew.len() {
                self.stage.until("a phone to be ready", REST, |stage| stage.phones[phone].is_ready())?;
                self.work(phone)?;
                let pending = self.stage.ask(phone, json!({ "do": "pending" }))?;
                waiting += pending["waiting"].as_u64().unwrap_or(1);
            }
            if waiting == 0 {
                break;
            }
            if Instant::now() > deadline {
                return Err(format!("{waiting} changes were not sent within {} s of calm", REST.as_secs()).into());
            }
            self.listen_a_while()?;
        }
        self.counts.seconds[1] = self.stage.voice.seconds() - self.counts.seconds[0];
        // A phone whose socket is still waiting for its next try may show what it looked up a minute ago: as a person would,
        // pull to refresh.
        for phone in 0..self.crew.len() {
            while !matches!(self.stage.answer(phone, json!({ "do": "sync" }))?, Answer::Done(_)) {
                if Instant::now() > deadline {
                    return Err("a phone cannot synchronise, and nothing goes wrong any more".into());
                }
                self.listen_a_while()?;
            }
        }
        Ok(())
    }

    fn listen_a_while(&mut self) -> Result<(), Failure> {
        let end = Instant::now() + ASKED_EVERY;
        while Instant::now() < end {
            self.stage.hear(end.saturating_duration_since(Instant::now()))?;
        }
        Ok(())
    }

    /// What became of what was told.
    fn learn(&mut self) {
        for hand in &mut self.crew {
            for (id, deed) in std::mem::take(&mut hand.open) {
                let Some(answer) = self.stage.take(id) else {
                    hand.open.push((id, deed));
                    continue;
                };
                match self.model.learn(&deed, &answer) {
                    Learned::Done => {}
                    Learned::Refused => self.counts.refused += 1,
                    Learned::Again => hand.deeds.push_front(deed),
                }
            }
        }
    }

    /// Tells a phone what to do next, if it can be told.
    fn work(&mut self, phone: usize) -> Result<(), Failure> {
        let (hand, life) = (&mut self.crew[phone], self.stage.phones[phone].life());
        if !self.stage.phones[phone].is_ready() {
            return Ok(());
        }
        if hand.greeted != life {
            hand.greeted = life;
            let codes: Vec<_> = (0..CODES).map(code).collect();
            self.stage.tell(phone, json!({ "do": "watch", "texts": codes }))?;
        }
        let now = Instant::now();
        // One change of a vote at a time: the order of two that are on their way is nobody's promise.
        let is_free = |deed: &Deed| {
            hand.open.iter().all(|(_, open)| open.register().is_none() || open.register() != deed.register())
        };
        if hand.open.len() >= AT_A_TIME
            || hand.pause_until.is_some_and(|until| now < until)
            || !hand.deeds.front().is_some_and(is_free)
        {
            return Ok(());
        }
        let Some(deed) = hand.deeds.pop_front() else { return Ok(()) };
        hand.pause_until = Some(now + Duration::from_millis(self.random.below(PAUSE_MS) as u64));
        let id = self.stage.tell(phone, deed.command())?;
        hand.open.push((id, deed));
        Ok(())
    }

    /// A phone that is dead already cannot be killed.
    fn can_strike(&self, what: &What) -> bool {
        match what {
            What::Phone(phone, _) => self.stage.phones[*phone].is_running(),
            What::Network(phone, _) => self.stage.phones[*phone].is_ready() && self.crew[*phone].network_back.is_none(),
            What::Server(_) | What::Faults(_) => self.server_back.is_none(),
        }
    }

    fn strike(&mut self, what: What) -> Result<(), Failure> {
        let after = |ms| Some(Instant::now() + Duration::from_millis(ms));
        match what {
            What::Phone(phone, ms) => {
                // Amid its work: it has its hands full, and so many microseconds to do some of it.
                for _ in 0..AT_A_TIME {
                    self.crew[phone].pause_until = None;
                    self.work(phone)?;
                }
                self.stage.hear(Duration::from_micros(self.random.below(LAST_MOMENTS_US) as u64))?;
                self.stage.kill(phone)?;
                self.counts.phone_kills[phone] += 1;
                // A phone that starts thinks that there is a network.
                (self.crew[phone].back, self.crew[phone].network_back) = (after(ms), None);
            }
            What::Server(ms) => {
                self.server.kill()?;
                self.counts.server_kills += 1;
                self.server_back = after(ms);
                self.stage.voice.note("server", "KILLED (SIGKILL)");
            }
            What::Network(phone, ms) => {
                self.network(phone, "offline")?;
                self.counts.network_losses += 1;
                self.crew[phone].network_back = after(ms);
            }
            What::Faults(faults) => {
                self.stage.voice.note("server", &format!("faults   {faults}"));
                self.server.set_faults(&faults)?;
                self.counts.fault_changes += 1;
            }
        }
        Ok(())
    }

    fn bring_back(&mut self) -> Result<(), Failure> {
        let is_time = |moment: &mut Option<Instant>| moment.take_if(|moment| Instant::now() >= *moment).is_some();
        if is_time(&mut self.server_back) {
            self.server.start_again()?;
            self.stage.voice.note("server", "starts again");
        }
        for phone in 0..self.crew.len() {
            if is_time(&mut self.crew[phone].back) {
                self.stage.launch(phone)?;
            }
            if is_time(&mut self.crew[phone].network_back) {
                self.network(phone, "online")?;
            }
        }
        Ok(())
    }

    fn network(&mut self, phone: usize, state: &str) -> Result<(), Failure> {
        let name = self.stage.phones[phone].name.clone();
        self.stage.voice.note(&name, &format!("is {state}"));
        self.stage.tell(phone, json!({ "do": "network", "state": state })).map(drop)
    }
}
