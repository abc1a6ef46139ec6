//! What people do with their phones.

use safescan_core::{
    model::{CodeRef, SettingsUpdate, VoteChoice},
    qr::{hash_host, hash_text},
};

use crate::{
    dice::Dice,
    plan::{self, Kind},
};

/// A scan with this in it is refused by some firewalls.
pub(crate) const FORBIDDEN: &str = "union-select";

/// Links that everybody comes across, on hosts that everybody comes across.
pub(crate) const CODES: [&str; 8] = [
    "https://menu.example/a",
    "https://menu.example/b",
    "https://menu.example/c",
    "https://bike.example/1",
    "https://bike.example/2",
    "https://prize.example/win",
    "https://prize.example/now",
    "https://lonely.example/",
];
pub(crate) const HOSTS: [&str; 4] = ["menu.example", "bike.example", "prize.example", "lonely.example"];
/// How long somebody looks at the app.
const VISIT_MS: i64 = 200_000;
/// What never leaves a phone.
const PRIVATE: &str = "WIFI:T:WPA;S:home;P:correct horse;;";

/// Something that can be voted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    Code(usize),
    Host(usize),
}

impl Subject {
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        (0..CODES.len()).map(Self::Code).chain((0..HOSTS.len()).map(Self::Host))
    }

    pub(crate) fn code(self) -> CodeRef {
        match self {
            Self::Code(number) => CodeRef::text(CODES[number]),
            Self::Host(_) => CodeRef::Hash { qr_hash: self.hash() },
        }
    }

    pub(crate) fn hash(self) -> safescan_core::model::QrHash {
        match self {
            Self::Code(number) => hash_text(CODES[number]),
            Self::Host(number) => hash_host(HOSTS[number]),
        }
    }

    /// The host that a code leads to.
    pub(crate) fn host(self) -> Option<Self> {
        match self {
            Self::Code(number) => {
                HOSTS.iter().position(|host| CODES[number].contains(&format!("//{host}/"))).map(Self::Host)
            }
            Self::Host(_) => None,
        }
    }
}

/// Something that is done with a phone, or to it.
#[derive(Clone, Debug)]
pub(crate) enum Deed {
    Scan {
        text: String,
    },
    /// The so-manieth of the history.
    DeleteScan(usize),
    Vote {
        subject: Subject,
        choice: VoteChoice,
        user: Option<&'static str>,
    },
    Retract {
        subject: Subject,
        user: Option<&'static str>,
    },
    Settings(SettingsUpdate),
    Keep {
        key: String,
        value: String,
    },
    Read(Subject),
    Watch(Subject),
    Unwatch(Subject),
    SyncNow,
    Suspend,
    Resume,
    /// The system ends the process, and it stays away for so many milliseconds.
    Kill(i64),
    /// The app ends and is opened again.
    Restart,
    Network(bool),
    /// The clock on the wall jumps by so many milliseconds.
    Jump(i64),
}

impl Deed {
    /// What would not happen in a world without faults.
    pub(crate) fn is_a_fault(&self) -> bool {
        matches!(self, Self::Kill(_) | Self::Network(_) | Self::Jump(_) | Self::Restart)
    }
}

/// The deeds on one phone, in order. On devices of one person the users have names.
pub(crate) fn draw(dice: &mut Dice, kind: Kind, end: i64, shared: bool) -> Vec<(i64, Deed)> {
    let count = match kind {
        Kind::Calm => dice.between(20, 60),
        Kind::Flaps | Kind::Outage => dice.between(10, 25),
        _ => dice.between(15, 45),
    };
    let users: &[Option<&'static str>] = match (shared, dice.chance(500)) {
        (true, false) => &[Some("anna")],
        (true, true) => &[Some("anna"), Some("bert")],
        (false, false) => &[None],
        (false, true) => &[None, None, Some("cleo"), Some("dora")],
    };
    let jumps = matches!(kind, Kind::Safety | Kind::Liveness) && dice.chance(300);
    // Users watch what they look at, from the beginning on.
    let mut deeds: Vec<(i64, Deed)> = (0..dice.below(4)).map(|_| (10, Deed::Watch(subject(dice)))).collect();
    let visits: Vec<i64> = (0..dice.between(4, 10)).map(|_| dice.between(0, end - 2 * VISIT_MS)).collect();
    for number in 0..count {
        let at = match kind {
            Kind::Calm => dice.pick(&visits) + dice.between(10, VISIT_MS - 10_000),
            // Before the server is gone, and while it is.
            Kind::Outage => dice.between(20, 600_000.min(end - 1_000)),
            _ => dice.between(20, end - 1_000),
        };
        let faulty = matches!(kind, Kind::Safety | Kind::Liveness | Kind::Plain);
        let deed = match dice.below(100) {
            0..=19 => Deed::Scan { text: text(dice, number) },
            20..=49 => Deed::Vote { subject: subject(dice), choice: plan::choice(dice), user: dice.pick(users) },
            50..=59 => Deed::Retract { subject: subject(dice), user: dice.pick(users) },
            60..=64 => Deed::DeleteScan(dice.index(10)),
            65..=68 => Deed::Settings(plan::settings(dice)),
            69..=70 => Deed::Keep { key: format!("key {}", dice.below(4)), value: format!("value {number}") },
            71..=79 => Deed::Read(subject(dice)),
            80..=83 => Deed::Watch(subject(dice)),
            84 => Deed::Unwatch(subject(dice)),
            85..=88 => Deed::SyncNow,
            89..=91 => Deed::Suspend,
            92..=94 => Deed::Resume,
            95..=96 if faulty => Deed::Kill(dice.between(0, 5_000)),
            97 if faulty => Deed::Restart,
            98..=99 if jumps => Deed::Jump(jump(dice)),
            _ => Deed::Read(subject(dice)),
        };
        // People do several things in a row.
        if dice.chance(200) {
            let (subject, user) = (subject(dice), dice.pick(users));
            deeds.push((at, Deed::Vote { subject, choice: plan::choice(dice), user }));
            deeds.push((at + dice.between(0, 300), Deed::Vote { subject, choice: plan::choice(dice), user }));
        }
        if matches!(deed, Deed::Suspend) {
            deeds.push(((at + dice.between(100, 20_000)).min(end), Deed::Resume));
        }
        deeds.push((at, deed));
    }
    if kind == Kind::Calm {
        // Phones sleep in pockets, for weeks.
        deeds.push((5_000, Deed::Suspend));
        deeds.extend(visits.iter().map(|at| (*at, Deed::Resume)));
        deeds.extend(visits.iter().map(|at| (at + VISIT_MS, Deed::Suspend)));
    }
    deeds.sort_by_key(|(at, _)| *at);
    deeds
}

fn subject(dice: &mut Dice) -> Subject {
    if dice.chance(150) { Subject::Host(dice.index(HOSTS.len())) } else { Subject::Code(dice.index(CODES.len())) }
}

fn text(dice: &mut Dice, number: i64) -> String {
    match dice.below(20) {
        0 => PRIVATE.to_owned(),
        1 => format!("https://shop.example/{FORBIDDEN}/{number}"),
        2..=8 => dice.pick(&CODES).to_owned(),
        _ => format!("https://shop.example/item/{number}/{}", dice.below(1_000)),
    }
}

fn jump(dice: &mut Dice) -> i64 {
    const DAY: i64 = 24 * 60 * 60 * 1000;
    dice.pick(&[3_000, -3_000, 3_600_000, -3_600_000, 3650 * DAY, -3650 * DAY])
}
