//! What happens in a storm, drawn from its seed: who does what, and what strikes when. The same seed, the same plan; how the
//! processes and the network interleave is another matter, and different each time.

use std::collections::{BTreeMap, VecDeque};

use safescan_core::model::VoteChoice;

use crate::model::{Act, Deed};

/// Codes that are voted on: few enough that all phones meet on each.
pub(super) const CODES: usize = 40;
/// Who votes on a phone.
const PERSONS: [&str; 3] = ["ada", "bob", "cyd"];
/// Changes of one vote: a core takes five a minute.
const CHANGES: u32 = 4;
/// How often each phone is killed, and loses its network, per 250 operations of its.
const KILLS: usize = 5;
const NETWORK_LOSSES: usize = 3;
/// How often the server is killed, and its faults change, per 1,000 operations.
const SERVER_KILLS: usize = 8;
const FAULT_CHANGES: usize = 12;

/// A storm.
pub(super) struct Plan {
    /// What each phone does, in this order.
    pub(super) deeds: Vec<VecDeque<Deed>>,
    /// What strikes, in this order.
    pub(super) strikes: VecDeque<Strike>,
}

/// Something that strikes.
pub(super) struct Strike {
    /// Once so many operations were acknowledged.
    pub(super) after: u32,
    /// And so many milliseconds later.
    pub(super) wait_ms: u64,
    pub(super) what: What,
}

pub(super) enum What {
    /// A phone is killed, and started again after so many milliseconds.
    Phone(usize, u64),
    /// The server is.
    Server(u64),
    /// A phone's network is gone for so many milliseconds.
    Network(usize, u64),
    /// Other things go wrong at the server.
    Faults(String),
}

impl Plan {
    pub(super) fn draw(seed: u64, phones: usize, operations: usize) -> Self {
        let mut random = Random(seed);
        let mut deeds: Vec<_> = (0..phones).map(|_| VecDeque::new()).collect();
        let mut changes = BTreeMap::new();
        for number in 0..operations {
            let phone = number % phones;
            deeds[phone].push_back(deed(&mut random, phone, number, &mut changes));
        }
        let mut strikes = Vec::new();
        let mut strike = |random: &mut Random, what: What| {
            let after = u32::try_from(random.below(operations * 19 / 20)).unwrap_or_default();
            strikes.push(Strike { after, wait_ms: random.below(40) as u64, what });
        };
        let share = |count: usize, of: usize| (count * operations).div_ceil(of);
        for phone in 0..phones {
            for _ in 0..share(KILLS, 250 * phones) {
                let what = What::Phone(phone, random.below(1_200) as u64);
                strike(&mut random, what);
            }
            for _ in 0..share(NETWORK_LOSSES, 250 * phones) {
                let what = What::Network(phone, 200 + random.below(2_000) as u64);
                strike(&mut random, what);
            }
        }
        for _ in 0..share(SERVER_KILLS, 1_000) {
            let what = What::Server(random.below(1_500) as u64);
            strike(&mut random, what);
        }
        for _ in 0..share(FAULT_CHANGES, 1_000) {
            let what = What::Faults(faults(&mut random));
            strike(&mut random, what);
        }
        strikes.sort_by_key(|strike| strike.after);
        strikes.insert(0, Strike { after: 0, wait_ms: 0, what: What::Faults(faults(&mut random)) });
        Self { deeds, strikes: strikes.into() }
    }
}

pub(super) fn code(number: usize) -> String {
    format!("https://storm.example/code/{number}")
}

fn deed(random: &mut Random, phone: usize, number: usize, changes: &mut BTreeMap<(usize, usize, usize), u32>) -> Deed {
    let kind = random.below(20);
    if kind < 3 {
        return Deed { phone, text: format!("https://storm.example/scan/{number}"), act: Act::Record };
    }
    let (person, on) = loop {
        let (person, on) = (random.below(PERSONS.len()), random.below(CODES));
        let changes = changes.entry((phone, person, on)).or_default();
        if *changes < CHANGES {
            *changes += 1;
            break (person, on);
        }
    };
    let act = match kind {
        3..=6 => Act::Retract(PERSONS[person]),
        7..=11 => Act::Vote(PERSONS[person], VoteChoice::Unsafe),
        _ => Act::Vote(PERSONS[person], VoteChoice::Safe),
    };
    Deed { phone, text: code(on), act }
}

/// Of everything a little, and of one thing more.
fn faults(random: &mut Random) -> String {
    let kinds = [
        "drop",
        "drop-after-commit",
        "status-503",
        "status-500",
        "status-500-after",
        "status-502-after",
        "cut-body",
        "bad-json",
        "html",
        "rate-limit",
        "slow",
        "delay",
        "close-socket",
    ];
    let favourite = random.below(kinds.len());
    let rules = kinds.iter().enumerate().map(|(number, kind)| {
        let percent = if number == favourite { 25 } else { random.below(6) };
        let argument = match *kind {
            "rate-limit" => ":1",
            "slow" => ":15",
            "delay" => ":80",
            _ => "",
        };
        format!("{kind}={}{argument}", percent as f64 / 100.0)
    });
    let rules: Vec<_> = rules.collect();
    format!("seed={},{}", random.below(1_000_000), rules.join(","))
}

/// SplitMix64: one line, and every seed is as good as any other.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % limit.max(1) as u64).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_itself() {
        let [one, same, other] = [7, 7, 8].map(|seed| Plan::draw(seed, 4, 1_000));
        assert_eq!(one.deeds, same.deeds);
        assert_ne!(one.deeds, other.deeds);
        assert_eq!(one.deeds.iter().map(VecDeque::len).sum::<usize>(), 1_000);
        let moments =
            |plan: &Plan| plan.strikes.iter().map(|strike| (strike.after, strike.wait_ms)).collect::<Vec<_>>();
        assert_eq!(moments(&one), moments(&same));
        let kills = one.strikes.iter().filter(|strike| matches!(strike.what, What::Phone(..))).count();
        assert_eq!(kills, 4 * KILLS);
    }
}
