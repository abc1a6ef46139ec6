//! What is going to happen in a run: everything that does not depend on what the phones do, drawn from the seed.

use safescan_core::model::{SettingsUpdate, VoteChoice};

use crate::{
    deeds::{self, Deed},
    dice::Dice,
    model::{Rules, Spam, Upgrade},
    network::{
        Ambush, Forecast, Moment,
        faults::{BAD, SETUP, SHAPE, TRANSIENT, Weather},
    },
};

/// What a run is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Faults to the end: nothing may be lost, doubled or turned back.
    Safety,
    /// Faults that stop: then everything must arrive and agree.
    Liveness,
    /// No faults, and weeks of time.
    Calm,
    /// Sockets that break again and again.
    Flaps,
    /// A server that is away for a week.
    Outage,
    /// A server that speaks the plain protocol only.
    Plain,
}

/// A run.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) kind: Kind,
    pub(crate) phones: Vec<PhonePlan>,
    pub(crate) rules: Rules,
    /// What the server does by itself.
    pub(crate) server: Vec<(i64, ServerDeed)>,
    /// How long a token is good for.
    pub(crate) token_ms: i64,
    /// When the last deed is done and all faults are over.
    pub(crate) end: i64,
    /// How long the outage or the flapping lasts, in a run that is about that.
    pub(crate) length_ms: i64,
    pub(crate) excuses: Excuses,
}

/// A phone and those who use it.
#[derive(Clone, Debug)]
pub(crate) struct PhonePlan {
    pub(crate) account: String,
    /// Two devices of one person have the same key, and so the same voters.
    pub(crate) identity: [u8; 32],
    pub(crate) unlinkable: bool,
    pub(crate) skew: i64,
    pub(crate) forecast: Forecast,
    pub(crate) statuses: Vec<u16>,
    pub(crate) ambushes: Vec<Ambush>,
    pub(crate) deeds: Vec<(i64, Deed)>,
}

/// What the server does by itself.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ServerDeed {
    Restart { farewell: bool },
    LoseLog,
    ExpireTokens,
    MaxOps(u32),
    MaxBytes(u32),
    Page(usize),
    Backoff(u32),
    Upgrade(Upgrade),
}

/// Why operations may be parked at the end.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Excuses {
    /// Something before the server refused what was sound.
    pub(crate) poison: bool,
    /// The server asked for a newer version.
    pub(crate) schema: bool,
    /// Tokens were refused.
    pub(crate) auth: bool,
    /// Two accounts use one voter's name.
    pub(crate) rejected: bool,
}

const MINUTE: i64 = 60_000;
/// After the first deeds, and before the last ones.
const OUTAGE_BEGINS: i64 = 4 * MINUTE;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;

impl Plan {
    /// The run that a seed stands for.
    pub(crate) fn of(seed: u64) -> Self {
        let kind = match seed % 20 {
            0 | 1 => Kind::Calm,
            2..=6 => Kind::Safety,
            18 => Kind::Flaps,
            19 if seed % 40 == 19 => Kind::Outage,
            19 => Kind::Plain,
            _ => Kind::Liveness,
        };
        Self::about(seed, kind, if kind == Kind::Flaps { 5 * MINUTE } else { 3 * HOUR })
    }

    /// A run of a certain kind; if it is about an outage or flapping, of this length.
    pub(crate) fn about(seed: u64, kind: Kind, length_ms: i64) -> Self {
        let mut dice = Dice::new(seed, "plan");
        let end = match kind {
            Kind::Calm => 40 * DAY + dice.between(0, 20 * DAY),
            Kind::Outage => length_ms + 5 * MINUTE,
            Kind::Flaps => length_ms,
            _ => dice.between(40_000, 200_000),
        };
        let mut plan = Self {
            seed,
            kind,
            phones: Vec::new(),
            rules: Rules::default(),
            server: Vec::new(),
            token_ms: i64::MAX / 4,
            end,
            length_ms,
            excuses: Excuses::default(),
        };
        plan.draw_server(&mut dice);
        plan.draw_phones(&mut dice);
        plan
    }

    /// When the server is back, in a run about an outage.
    pub(crate) fn outage_ends(&self) -> i64 {
        OUTAGE_BEGINS + self.length_ms
    }

    /// The same run without any fault, for comparison.
    pub(crate) fn without_faults(&self) -> Self {
        let mut plan = self.clone();
        plan.server.clear();
        for phone in &mut plan.phones {
            phone.forecast = Forecast(vec![(0, Weather::Fine)]);
            phone.ambushes.clear();
            phone.deeds.retain(|(_, deed)| !deed.is_a_fault());
        }
        plan
    }

    fn draw_server(&mut self, dice: &mut Dice) {
        let rules = &mut self.rules;
        rules.plain = self.kind == Kind::Plain;
        // It does not tell the time, nor what won: a device whose clock is behind loses, and can only be told so.
        self.excuses.rejected |= rules.plain;
        rules.page = dice.pick(&[1, 3, 10, 500]);
        rules.ratings_page = dice.pick(&[1, 2, 500]);
        rules.kept_frames = dice.pick(&[2, 20, 200]);
        rules.max_ops = dice.pick(&[1, 3, 10, 200, 200]);
        rules.min_interval_ms = dice.pick(&[0, 0, 500, 2_000]);
        rules.tokens = dice.chance(800);
        rules.max_topics = dice.pick(&[256, 256, 256, 4]);
        if self.kind == Kind::Calm || self.kind == Kind::Outage {
            return;
        }
        rules.tells_limits = dice.chance(800);
        if dice.chance(200) {
            rules.spam = Spam { window_ms: 10_000, per_window: dice.index(4) + 1, per_code: dice.index(3) + 1 };
        }
        if dice.chance(100) {
            rules.forbidden = Some(deeds::FORBIDDEN);
            self.excuses.poison = true;
        }
        if rules.tokens && dice.chance(300) {
            self.token_ms = dice.between(5_000, 60_000);
            self.excuses.auth = true;
        }
        for _ in 0..dice.below(6) {
            let at = dice.between(1_000, self.end);
            let deed = match dice.below(10) {
                0 | 1 => ServerDeed::Restart { farewell: dice.chance(500) },
                2 | 3 => ServerDeed::LoseLog,
                4 => ServerDeed::ExpireTokens,
                5 => ServerDeed::MaxOps(dice.pick(&[1, 2, 50])),
                6 => ServerDeed::MaxBytes(dice.pick(&[1_500, 4_000, 100_000])),
                7 => ServerDeed::Page(dice.pick(&[1, 2, 50])),
                8 => ServerDeed::Backoff(dice.pick(&[1_000, 5_000])),
                _ => ServerDeed::Upgrade(dice.pick(&[Upgrade::Status, Upgrade::Control])),
            };
            match deed {
                ServerDeed::Upgrade(_) => {
                    self.excuses.schema = true;
                    self.server
                        .push(((at + dice.between(1_000, 30_000)).min(self.end), ServerDeed::Upgrade(Upgrade::No)));
                }
                ServerDeed::Backoff(_) => self.server.push((self.end, ServerDeed::Backoff(0))),
                ServerDeed::ExpireTokens => self.excuses.auth = true,
                _ => {}
            }
            self.server.push((at, deed));
        }
        self.server.sort_by_key(|(at, _)| *at);
    }

    fn draw_phones(&mut self, dice: &mut Dice) {
        let count = dice.between(2, 4);
        // Without tokens every device is an account of its own.
        let family = dice.chance(400) && self.rules.tokens;
        let thief = dice.chance(60) && self.rules.tokens;
        for number in 0..usize::try_from(count).unwrap_or(2) {
            // The second phone may be the first one's owner's other device; the last one may use a key that is not its own.
            let twin = family && number == 1;
            let stolen = thief && number > 0 && number + 1 == usize::try_from(count).unwrap_or(2) && !twin;
            let of = if twin || stolen { 0 } else { number };
            let mut identity = [7; 32];
            identity[..8].copy_from_slice(&(self.seed ^ (of as u64) << 56).to_le_bytes());
            self.excuses.rejected |= stolen;
            let account = format!("account-{}", if twin { 0 } else { number });
            let unlinkable = if twin { self.phones[0].unlinkable } else { dice.chance(200) };
            let skew = dice.weighted(&[
                (4, 0),
                (3, dice.clone().between(-5_000, 5_000)),
                (2, dice.clone().between(-DAY, DAY)),
                (1, 3650 * DAY),
                (1, -3650 * DAY),
            ]);
            let skew = if self.kind == Kind::Calm { skew.clamp(-DAY, DAY) } else { skew };
            let mut own = Dice::new(self.seed, &format!("phone {number}"));
            let mut deeds = deeds::draw(&mut own, self.kind, self.end, family && number < 2);
            let forecast = self.draw_forecast(&mut own, &mut deeds);
            let mut statuses = TRANSIENT.to_vec();
            if own.chance(300) {
                statuses.extend(SETUP);
            }
            if own.chance(100) {
                statuses.extend(SHAPE);
                self.excuses.poison |= self.kind != Kind::Calm;
            }
            if own.chance(100) {
                statuses.push(401);
                self.excuses.auth |= self.kind != Kind::Calm;
            }
            if own.chance(100) {
                statuses.extend([409, 410]);
            }
            let mut ambushes = Vec::new();
            if matches!(self.kind, Kind::Safety | Kind::Liveness) {
                for _ in 0..own.below(4) {
                    let moment = own.pick(&[Moment::Arrived, Moment::Answered]);
                    let (countdown, turns) = (own.below(12), own.below(9));
                    let number = |drawn| u32::try_from(drawn).unwrap_or(0);
                    ambushes.push(Ambush { moment, countdown: number(countdown), turns: number(turns) });
                }
            }
            self.phones.push(PhonePlan { account, identity, unlinkable, skew, forecast, statuses, ambushes, deeds });
        }
    }

    fn draw_forecast(&self, dice: &mut Dice, deeds: &mut Vec<(i64, Deed)>) -> Forecast {
        let mut forecast = vec![(0, Weather::Fine)];
        match self.kind {
            Kind::Calm => {}
            Kind::Flaps => forecast = vec![(0, Weather::Flapping)],
            Kind::Outage => forecast.push((OUTAGE_BEGINS, Weather::Offline)),
            Kind::Safety | Kind::Liveness | Kind::Plain => {
                let mut at = dice.between(0, 10_000);
                while at < self.end {
                    let weather = if dice.chance(600) { dice.pick(&BAD) } else { Weather::Fine };
                    forecast.push((at, weather));
                    // Half of the times the system tells the phone that its network comes and goes.
                    if weather == Weather::Offline && dice.chance(500) {
                        deeds.push((at, Deed::Network(false)));
                    }
                    at += dice.between(2_000, 40_000);
                    if weather == Weather::Offline {
                        deeds.push((at.min(self.end), Deed::Network(true)));
                        forecast.push((at, Weather::Fine));
                    }
                }
            }
        }
        deeds.sort_by_key(|(at, _)| *at);
        if self.kind == Kind::Outage {
            forecast.push((self.outage_ends(), Weather::Fine));
        } else if self.kind != Kind::Safety {
            forecast.retain(|(at, _)| *at < self.end);
            forecast.push((self.end, Weather::Fine));
        }
        Forecast(forecast)
    }
}

/// A choice of settings.
pub(crate) fn settings(dice: &mut Dice) -> SettingsUpdate {
    let mut update = SettingsUpdate::default();
    match dice.below(2) {
        0 => update.notifications = Some(dice.chance(500)),
        _ => {
            update.notifications = Some(dice.chance(500));
            // Years, so that nothing is cleaned up meanwhile.
            update.scan_retention_days = Some(u32::try_from(dice.between(9_000, 9_010)).unwrap_or(9_000));
        }
    }
    update
}

pub(crate) fn choice(dice: &mut Dice) -> VoteChoice {
    dice.pick(&[VoteChoice::Safe, VoteChoice::Unsafe])
}

impl Excuses {
    pub(crate) fn any(&self) -> bool {
        self.poison || self.schema || self.auth || self.rejected
    }
}
