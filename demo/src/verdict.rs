//! What is the case, read from the server through its HTTP interface and from the phones, held against the model.
//!
//! A rating decays by the millisecond, so that two phones that are asked one after the other never show the same digits. The
//! server clamps votes to its own clock, so that, other than in the first act, no vote can be dated ahead to hold the moment
//! still. What is compared instead is stricter: from the sums that the server tells (`GET /api/ratings/prefix/…`, the fifth
//! look-up) the rating is computed for every millisecond at which the phone may have computed its own, and all 192 bits of
//! the phone's `confidence`, `lower` and `upper` must be those of one of them. A vote that is missing, doubled, or dated a
//! millisecond off leaves no such moment, unless it is the only one.

use std::{
    collections::BTreeMap,
    time::{SystemTime, UNIX_EPOCH},
};

use safescan_core::{
    model::{QrHash, UnixMillis, VoteChoice, VoterId},
    protocol::Change,
    qr,
    voting::{Score, Tally},
};
use serde_json::{Value, json};

use crate::{
    Failure,
    model::Model,
    stage::{Server, Stage},
};

/// How far a phone's idea of the server's clock may be behind: as long as an answer may have been on its way.
const BEHIND_MS: i64 = 3_000;
/// How far it may be ahead: both clocks are read in whole milliseconds.
const AHEAD_MS: i64 = 50;

/// A code, as everybody sees it.
pub struct Row {
    /// The code.
    pub text: String,
    /// Votes for safe and unsafe by the model.
    pub model: (u64, u64),
    /// The same by the server.
    pub server: (u64, u64),
    /// What the server's sums give for the moment when they were read.
    pub score: Score,
    /// What each phone shows.
    pub phones: Vec<Shown>,
}

/// A code on one phone.
pub struct Shown {
    /// Votes for safe and unsafe.
    pub counts: (u64, u64),
    /// Where the rating comes from.
    pub source: String,
    /// Whether its bits are those of the server's sums at some moment when it may have computed them.
    pub same_bits: bool,
}

impl Row {
    /// Whether everybody agrees.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.server == self.model && self.phones.iter().all(|phone| phone.holds(self.model))
    }
}

impl Shown {
    /// Whether it shows what it must.
    #[must_use]
    pub fn holds(&self, model: (u64, u64)) -> bool {
        let source = if model == (0, 0) { "Neutral" } else { "Live" };
        self.counts == model && self.same_bits && self.source == source
    }
}

/// Asks everybody about a code.
///
/// # Errors
/// Somebody does not answer.
pub fn ask(stage: &mut Stage, server: &Server, model: &Model, text: &str) -> Result<Row, Failure> {
    let tally = match server.rating(&qr::hash_text(text))? {
        Some(rating) => rating.tally().ok_or("the server tells sums that no votes can have made")?,
        None => Tally::default(),
    };
    let score = score(&tally, now());
    let mut phones = Vec::new();
    for phone in 0..stage.phones.len() {
        let from = now().minus(BEHIND_MS);
        let shown = stage.ask(phone, json!({ "do": "rating", "text": text }))?;
        phones.push(shown_by(&shown, &tally, from, now().plus(AHEAD_MS)));
    }
    let server = (tally.safe.count.into(), tally.unsafe_.count.into());
    Ok(Row { text: text.to_owned(), model: model.count(text), server, score, phones })
}

fn shown_by(shown: &Value, tally: &Tally, from: UnixMillis, to: UnixMillis) -> Shown {
    let bits = ["confidence", "lower", "upper"].map(|name| shown[name].as_str().unwrap_or("?").to_owned());
    let same_bits = (from.0..=to.0).rev().any(|moment| {
        let Score { confidence, lower, upper, .. } = score(tally, UnixMillis(moment));
        [confidence, lower, upper].map(|number| format!("{:016x}", number.to_bits())) == bits
    });
    let count = |name: &str| shown[name].as_u64().unwrap_or(u64::MAX);
    let source = shown["source"].as_str().unwrap_or_default().to_owned();
    Shown { counts: (count("safe"), count("unsafe")), source, same_bits }
}

fn score(tally: &Tally, moment: UnixMillis) -> Score {
    Score::new(tally.weights_as_known(moment).weights, tally.count())
}

fn now() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// What is wrong in the phones' accounts at the server: every vote of every person, and every scan, one by one.
///
/// # Errors
/// The server does not tell.
pub fn wrong_in_accounts(stage: &Stage, server: &Server, model: &Model) -> Result<Wrong, Failure> {
    let mut wrong = Wrong::default();
    for (number, phone) in stage.phones.iter().enumerate() {
        let mut votes: BTreeMap<(VoterId, QrHash), Option<VoteChoice>> = BTreeMap::new();
        let mut scans: BTreeMap<String, u32> = BTreeMap::new();
        for change in server.account(&phone.token)? {
            match change {
                Change::Vote(vote) => _ = votes.insert((vote.voter, vote.qr_hash), vote.vote),
                Change::Scan(scan) => {
                    let body = scan.body.unwrap_or_default();
                    *scans.entry(body["text"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
                }
                _ => {}
            }
        }
        for ((_, user, text), must) in model.votes.iter().filter(|((phone, ..), _)| *phone == number) {
            let stands = votes.remove(&(phone.identity.voter_id(user), qr::hash_text(text))).flatten();
            match (must, stands) {
                (must, stands) if *must == stands => wrong.right += 1,
                (Some(_), None) => wrong.lost += 1,
                (None, Some(_)) => wrong.doubled += 1,
                _ => wrong.different += 1,
            }
        }
        wrong.doubled += votes.values().filter(|vote| vote.is_some()).count();
        for ((_, text), (acknowledged, unanswered)) in model.scans.iter().filter(|((phone, _), _)| *phone == number) {
            let there = scans.remove(text).unwrap_or_default();
            wrong.right += 1;
            wrong.lost += acknowledged.saturating_sub(there) as usize;
            wrong.doubled += there.saturating_sub(acknowledged + unanswered) as usize;
        }
        wrong.doubled += scans.len();
    }
    Ok(wrong)
}

/// What was found in the accounts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wrong {
    /// Registers and scans that are as they must be.
    pub right: usize,
    /// Acknowledged, and not there.
    pub lost: usize,
    /// There, and never acknowledged, or more often than that.
    pub doubled: usize,
    /// There, and something else.
    pub different: usize,
}

impl Wrong {
    /// Whether nothing is.
    #[must_use]
    pub fn nothing(&self) -> bool {
        (self.lost, self.doubled, self.different) == (0, 0, 0)
    }
}

#[cfg(test)]
mod tests {
    use safescan_core::voting::{Ballot, Reputation};

    use super::*;

    fn shown(tally: &Tally, moment: UnixMillis) -> Value {
        let Score { confidence, lower, upper, .. } = score(tally, moment);
        let bits = |number: f64| format!("{:016x}", number.to_bits());
        json!({
            "safe": tally.safe.count, "unsafe": tally.unsafe_.count, "source": "Live",
            "confidence": bits(confidence), "lower": bits(lower), "upper": bits(upper),
        })
    }

    fn tally(first: i64) -> Tally {
        let mut tally = Tally::default();
        let votes =
            [(VoteChoice::Safe, first), (VoteChoice::Safe, 1_700_000_400_000), (VoteChoice::Unsafe, 1_700_000_900_000)];
        for (choice, at) in votes {
            tally.add(&Ballot { choice, at: UnixMillis(at), reputation: Reputation::NEUTRAL });
        }
        tally
    }

    #[test]
    fn a_moment_is_found_for_the_same_sums_only() {
        let (ours, from) = (tally(1_700_000_000_000), UnixMillis(1_700_001_000_000));
        let moment = from.plus(1_234);
        assert!(shown_by(&shown(&ours, moment), &ours, from, from.plus(3_000)).holds((2, 1)));
        assert!(
            !shown_by(&shown(&ours, moment), &ours, from, from.plus(1_000)).same_bits,
            "not at any of these moments"
        );
        let off_by_one = tally(1_700_000_000_001);
        assert!(!shown_by(&shown(&off_by_one, moment), &ours, from, from.plus(3_000)).same_bits);
    }
}
