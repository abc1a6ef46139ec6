use safescan_core::{
    model::{OperationId, QrHash, UnixMillis, VoteChoice, VoterId},
    voting::{Ballot, Reputation, Tally},
};

use super::{ItemKind, Stamp};
use crate::error::Result;

/// What the rules read and write, inside one open transaction. A database that offers this can serve.
///
/// Revisions must become visible to readers in their order: a reader that has seen one has seen all smaller ones.
pub trait Ledger {
    /// The account of this name, made if it is missing.
    fn account(&mut self, name: &str) -> Result<Payer>;
    /// Stores an account's use of the day.
    fn save_account(&mut self, account: &Payer) -> Result<()>;

    /// The account's device of this name, made if it is missing.
    fn device(&mut self, account: i64, name: &str) -> Result<Device>;
    /// Stores a device.
    fn save_device(&mut self, device: &Device) -> Result<()>;
    /// What is remembered of an operation.
    fn recall(&mut self, device: i64, id: &OperationId) -> Result<Option<Memory>>;
    /// Remembers an operation, in place of what was remembered of it. Returns whether it was unknown.
    fn remember(&mut self, device: i64, id: &OperationId, seq: i64, memory: &Memory) -> Result<bool>;
    /// Forgets operations below a place. Returns how many.
    fn forget_below(&mut self, device: i64, floor: i64) -> Result<i64>;
    /// The place that `keep` remembered operations lie at or above.
    fn place_from_top(&mut self, device: i64, keep: i64) -> Result<Option<i64>>;

    /// A voter, if it was ever used.
    fn voter(&mut self, id: &VoterId) -> Result<Option<Voter>>;
    /// Gives a voter to an account.
    fn claim_voter(&mut self, id: &VoterId, account: i64) -> Result<Voter>;
    /// Stores a voter's use of the day.
    fn save_voter(&mut self, voter: &Voter) -> Result<()>;

    /// The next revision.
    fn next_revision(&mut self) -> Result<i64>;
    /// A code or host, if it was ever voted on.
    fn find_subject(&mut self, hash: &QrHash) -> Result<Option<Subject>>;
    /// A code or host by its number.
    fn subject(&mut self, id: i64) -> Result<Subject>;
    /// Makes a code or host that nobody voted on.
    fn insert_subject(&mut self, hash: &QrHash) -> Result<Subject>;
    /// Stores a code's sums and revision.
    fn save_subject(&mut self, subject: &Subject) -> Result<()>;

    /// A voter's registers on a subject.
    fn registers(&mut self, subject: i64, voter: i64) -> Result<Registers>;
    /// Stores a register, in place of the one of the same subject, voter and origin.
    fn save_register(&mut self, register: &Register) -> Result<()>;
    /// A voter's latest standing vote on any code of a host: which way, and when.
    fn latest_on_host(&mut self, host: i64, host_voter: i64) -> Result<Option<(VoteChoice, UnixMillis)>>;
    /// Visits the counted votes on a subject later than `after`, up to and with `up_to`.
    fn ballots_between(
        &mut self,
        subject: i64,
        after: UnixMillis,
        up_to: UnixMillis,
        visit: &mut dyn FnMut(&Ballot),
    ) -> Result<()>;
    /// The times of the newest counted vote, and of the oldest one after the watermark.
    fn extremes(&mut self, subject: i64, watermark: UnixMillis) -> Result<(Option<UnixMillis>, Option<UnixMillis>)>;

    /// A scan or setting of an account.
    fn item(&mut self, account: i64, kind: ItemKind, key: &str) -> Result<Option<Kept>>;
    /// Stores a scan or setting.
    fn save_item(&mut self, account: i64, kind: ItemKind, key: &str, kept: &Kept) -> Result<()>;

    /// Applied vote operations of a voter between two moments, both excluded.
    fn casts_of_voter(&mut self, voter: i64, after: UnixMillis, before: UnixMillis) -> Result<Vec<Cast>>;
    /// Applied vote operations of an account between two moments, both excluded.
    fn casts_of_account(&mut self, account: i64, after: UnixMillis, before: UnixMillis) -> Result<Vec<Cast>>;
    /// Notes an applied vote operation, and forgets some that were received long ago.
    fn note_cast(&mut self, account: i64, voter: i64, cast: &Cast, received: UnixMillis) -> Result<()>;
}

/// How much of a day's share was used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DayUse {
    /// Days since 1970.
    pub day: i64,
    /// Votes on that day.
    pub votes: u32,
}

/// An account, as far as limits go.
#[derive(Clone, Debug)]
pub struct Payer {
    /// Its number.
    pub id: i64,
    /// Its use of the day.
    pub used: DayUse,
}

/// A voter and its owner.
#[derive(Clone, Debug)]
pub struct Voter {
    /// Its number.
    pub id: i64,
    /// The account that used it first.
    pub account: i64,
    /// Its use of the day.
    pub used: DayUse,
}

/// A device's memory.
#[derive(Clone, Debug)]
pub struct Device {
    /// Its number.
    pub id: i64,
    /// Operations below it are not remembered.
    pub floor: i64,
    /// The highest place seen.
    pub highest: i64,
    /// How many operations are remembered.
    pub remembered: i64,
}

/// What is remembered of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// It took effect at this time, and made this revision.
    Applied {
        /// By the server.
        at: UnixMillis,
        /// Of a rating or register.
        rev: i64,
    },
    /// Something later stood there, of this time.
    Superseded {
        /// By the server.
        at: UnixMillis,
    },
    /// It came too soon: its next try is judged by its receipt.
    Deferred,
}

/// A code or host.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub hash: QrHash,
    /// Its sums.
    pub tally: Tally,
    /// Of its rating.
    pub rev: i64,
}

/// A voter's register on a subject.
#[derive(Clone, Debug)]
pub struct Register {
    /// On what.
    pub subject: i64,
    /// Whose.
    pub voter: i64,
    /// Of which account.
    pub account: i64,
    /// Whether it follows from votes on a host's codes; the server keeps it right.
    pub derived: bool,
    /// `None`: taken back.
    pub choice: Option<VoteChoice>,
    /// Which change stands.
    pub stamp: Stamp,
    /// Of the register.
    pub rev: i64,
    /// The host's number, and the voter's there.
    pub host: Option<(i64, i64)>,
    /// Whether it is the one in the sums: a vote on a host itself comes before what follows from its codes.
    pub counts: bool,
}

/// A voter's registers on one subject.
#[derive(Clone, Debug, Default)]
pub struct Registers {
    /// The vote that was cast on it.
    pub direct: Option<Register>,
    /// What follows from votes on its codes, if it is a host.
    pub derived: Option<Register>,
}

/// A scan or setting.
#[derive(Clone, Debug)]
pub struct Kept {
    /// JSON; `None`: deleted.
    pub body: Option<String>,
    /// Which change stands.
    pub stamp: Stamp,
    /// Of the register.
    pub rev: i64,
}

/// An applied vote operation, as far as limits go.
#[derive(Clone, Copy, Debug)]
pub struct Cast {
    /// On what.
    pub subject: i64,
    /// The moment it is rated by.
    pub at: UnixMillis,
    /// Whether it set a vote; a retraction is only a change.
    pub sets: bool,
}

impl Register {
    /// What counts of it, if anything.
    #[must_use]
    pub fn ballot(&self) -> Option<Ballot> {
        self.choice.map(|choice| Ballot { choice, at: self.stamp.at, reputation: Reputation::NEUTRAL })
    }
}

impl Registers {
    /// The one that is in the sums.
    #[must_use]
    pub fn counted(&self) -> Option<Ballot> {
        let ballot = |register: &Option<Register>| register.as_ref().and_then(Register::ballot);
        ballot(&self.direct).or_else(|| ballot(&self.derived))
    }
}
