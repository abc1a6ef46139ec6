//! What must be the case: kept from what the phones acknowledged, and from nothing else.

use std::collections::{BTreeMap, BTreeSet};

use safescan_core::model::VoteChoice;
use serde_json::{Value, json};

use crate::stage::Answer;

/// Something that a phone is told to do to its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// The phone's number.
    pub phone: usize,
    /// The code.
    pub text: String,
    /// What is done to it.
    pub act: Act,
}

/// What is done to a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// A person votes.
    Vote(&'static str, VoteChoice),
    /// A person takes the vote back.
    Retract(&'static str),
    /// It is scanned.
    Record,
}

/// What the model makes of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Learned {
    /// It was done, and must never be lost.
    Done,
    /// It was not done, and the core said so.
    Refused,
    /// Nobody knows whether it was done: it is to be told again.
    Again,
}

/// A vote's register: phone, person, text.
pub type Register = (usize, &'static str, String);

/// What must be the case.
#[derive(Default)]
pub struct Model {
    /// What stands in each register.
    pub votes: BTreeMap<Register, Option<VoteChoice>>,
    /// How often each text was scanned, by phone: acknowledged, and without an answer.
    pub scans: BTreeMap<(usize, String), (u32, u32)>,
    /// Deeds that were acknowledged.
    pub acknowledged: u32,
    /// Deeds that a kill left without an answer, and that were told again.
    pub unanswered: u32,
}

impl Deed {
    /// As a command to the phone.
    #[must_use]
    pub fn command(&self) -> Value {
        match self.act {
            Act::Vote(user, choice) => {
                let choice = if choice == VoteChoice::Safe { "safe" } else { "unsafe" };
                json!({ "do": "vote", "text": self.text, "choice": choice, "user": user })
            }
            Act::Retract(user) => json!({ "do": "retract", "text": self.text, "user": user }),
            Act::Record => json!({ "do": "record", "text": self.text }),
        }
    }

    /// The register that it changes, if any.
    #[must_use]
    pub fn register(&self) -> Option<Register> {
        match self.act {
            Act::Vote(user, _) | Act::Retract(user) => Some((self.phone, user, self.text.clone())),
            Act::Record => None,
        }
    }
}

impl Model {
    /// Takes note of what became of a deed.
    pub fn learn(&mut self, deed: &Deed, answer: &Answer) -> Learned {
        let learned = match answer {
            Answer::Done(ok) if matches!(ok["outcome"].as_str(), Some("Throttled" | "NotVotable")) => Learned::Refused,
            Answer::Done(_) => Learned::Done,
            Answer::Failed(_) => Learned::Refused,
            Answer::Lost => Learned::Again,
        };
        let done = learned == Learned::Done;
        self.acknowledged += u32::from(done);
        self.unanswered += u32::from(learned == Learned::Again);
        match (deed.register(), &deed.act) {
            (Some(register), act) if done => {
                let choice = if let Act::Vote(_, choice) = act { Some(*choice) } else { None };
                self.votes.insert(register, choice);
            }
            (None, _) => {
                let (acknowledged, unanswered) = self.scans.entry((deed.phone, deed.text.clone())).or_default();
                *acknowledged += u32::from(done);
                *unanswered += u32::from(learned == Learned::Again);
            }
            _ => {}
        }
        learned
    }

    /// Standing votes for safe and unsafe on a code.
    #[must_use]
    pub fn count(&self, text: &str) -> (u64, u64) {
        let on = |choice| {
            let standing = self.votes.iter().filter(|((_, _, on), stands)| on == text && **stands == Some(choice));
            standing.count() as u64
        };
        (on(VoteChoice::Safe), on(VoteChoice::Unsafe))
    }

    /// Persons with a standing vote anywhere.
    #[must_use]
    pub fn voters(&self) -> u64 {
        let standing = self.votes.iter().filter(|(_, choice)| choice.is_some());
        standing.map(|((phone, user, _), _)| (phone, user)).collect::<BTreeSet<_>>().len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vote(user: &'static str, choice: VoteChoice) -> Deed {
        Deed { phone: 0, text: "code".into(), act: Act::Vote(user, choice) }
    }

    #[test]
    fn only_what_was_acknowledged_counts() {
        let mut model = Model::default();
        let done = Answer::Done(json!({ "outcome": "Accepted" }));
        assert_eq!(model.learn(&vote("ada", VoteChoice::Safe), &done), Learned::Done);
        assert_eq!(model.learn(&vote("bob", VoteChoice::Safe), &Answer::Lost), Learned::Again);
        let throttled = Answer::Done(json!({ "outcome": "Throttled" }));
        assert_eq!(model.learn(&vote("cyd", VoteChoice::Safe), &throttled), Learned::Refused);
        assert_eq!((model.count("code"), model.voters(), model.acknowledged), ((1, 0), 1, 1));

        assert_eq!(model.learn(&vote("bob", VoteChoice::Unsafe), &done), Learned::Done);
        let retracted = Deed { act: Act::Retract("ada"), ..vote("ada", VoteChoice::Safe) };
        assert_eq!(model.learn(&retracted, &done), Learned::Done);
        assert_eq!((model.count("code"), model.voters(), model.unanswered), ((0, 1), 1, 1));
    }

    #[test]
    fn a_scan_without_an_answer_may_be_there_twice() {
        let mut model = Model::default();
        let scan = Deed { phone: 2, text: "scan".into(), act: Act::Record };
        assert_eq!(model.learn(&scan, &Answer::Lost), Learned::Again);
        assert_eq!(model.learn(&scan, &Answer::Done(json!({}))), Learned::Done);
        assert_eq!(model.scans[&(2, "scan".to_owned())], (1, 1));
    }
}
