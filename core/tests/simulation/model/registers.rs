use std::collections::{BTreeMap, BTreeSet};

use safescan_core::{
    model::{OperationId, QrHash, UnixMillis, VoteChoice, VoterId},
    protocol::{OwnVote, Rating},
    voting::{Ballot, Reputation, Tally},
};
use serde_json::Value;

/// Who wrote last, and by which operation. Of two writers of one register the greater holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stamp {
    pub(crate) at: UnixMillis,
    pub(crate) device: String,
    pub(crate) seq: i64,
    pub(crate) id: OperationId,
}

/// A person's vote on a code.
#[derive(Clone, Debug)]
pub(crate) struct VoteRegister {
    pub(crate) stamp: Stamp,
    pub(crate) account: String,
    /// `None`: taken back.
    pub(crate) choice: Option<VoteChoice>,
    /// The code's host, and the person's name there.
    pub(crate) host: Option<(QrHash, VoterId)>,
    pub(crate) rev: i64,
}

/// A scan or a setting.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) stamp: Stamp,
    /// `None`: deleted.
    pub(crate) body: Option<Value>,
    pub(crate) rev: i64,
}

/// Everything that stands.
#[derive(Default)]
pub(crate) struct Registers {
    pub(crate) votes: BTreeMap<(QrHash, VoterId), VoteRegister>,
    /// By account and id.
    pub(crate) scans: BTreeMap<(String, String), Kept>,
    /// By account and name.
    pub(crate) settings: BTreeMap<(String, String), Kept>,
    /// The first account that used a voter's name.
    pub(crate) owners: BTreeMap<VoterId, String>,
    /// The last change of each subject's rating.
    pub(crate) ratings: BTreeMap<QrHash, i64>,
    revision: i64,
}

impl Registers {
    fn next_revision(&mut self) -> i64 {
        self.revision += 1;
        self.revision
    }

    pub(crate) fn revision(&self) -> i64 {
        self.revision
    }

    /// Puts a vote, or its absence, in its register. Tells which ratings changed, and the code's new revision.
    pub(crate) fn put_vote(
        &mut self,
        (code, voter): (QrHash, VoterId),
        stamp: Stamp,
        account: &str,
        choice: Option<VoteChoice>,
        host: Option<(QrHash, VoterId)>,
    ) -> (BTreeSet<QrHash>, i64) {
        // A retraction does not name the host; it is still that of the vote.
        let host = host.or_else(|| self.votes.get(&(code, voter)).and_then(|before| before.host));
        self.owners.entry(voter).or_insert_with(|| account.to_owned());
        if let Some((_, host_voter)) = host {
            self.owners.entry(host_voter).or_insert_with(|| account.to_owned());
        }
        let rev = self.next_revision();
        let register = VoteRegister { stamp, account: account.to_owned(), choice, host, rev };
        self.votes.insert((code, voter), register);
        let changed: BTreeSet<QrHash> = std::iter::once(code).chain(host.map(|(host, _)| host)).collect();
        for subject in &changed {
            let rev = self.next_revision();
            self.ratings.insert(*subject, rev);
        }
        (changed, self.ratings[&code])
    }

    pub(crate) fn put_scan(&mut self, account: &str, key: &str, stamp: Stamp, body: Option<Value>) -> i64 {
        let rev = self.next_revision();
        self.scans.insert((account.to_owned(), key.to_owned()), Kept { stamp, body, rev });
        rev
    }

    pub(crate) fn put_setting(&mut self, account: &str, key: &str, stamp: Stamp, body: Value) -> i64 {
        let rev = self.next_revision();
        self.settings.insert((account.to_owned(), key.to_owned()), Kept { stamp, body: Some(body), rev });
        rev
    }

    /// One vote a person: the one on the subject itself, else the latest standing one on a code of it.
    pub(crate) fn standing(&self, subject: &QrHash) -> BTreeMap<VoterId, (VoteChoice, UnixMillis)> {
        let mut standing: BTreeMap<VoterId, (&Stamp, VoteChoice)> = BTreeMap::new();
        for register in self.votes.values() {
            if let (Some((host, voter)), Some(choice)) = (register.host, register.choice)
                && host == *subject
            {
                let latest = standing.entry(voter).or_insert((&register.stamp, choice));
                if register.stamp > *latest.0 {
                    *latest = (&register.stamp, choice);
                }
            }
        }
        for ((code, voter), register) in &self.votes {
            if let Some(choice) = register.choice
                && code == subject
            {
                standing.insert(*voter, (&register.stamp, choice));
            }
        }
        standing.into_iter().map(|(voter, (stamp, choice))| (voter, (choice, stamp.at))).collect()
    }

    /// The sums, made from every vote. What lies behind the line at `now` is in the clamped drawer.
    pub(crate) fn tally(&self, subject: &QrHash, now: UnixMillis) -> Tally {
        let standing = self.standing(subject);
        let mut tally = Tally { newest: standing.values().map(|(_, at)| *at).max(), ..Tally::default() };
        if tally.newest.is_none() {
            return tally;
        }
        tally.set_watermark(tally.line_at(now));
        for (choice, at) in standing.into_values() {
            tally.add(&Ballot { choice, at, reputation: Reputation::NEUTRAL });
        }
        tally
    }

    /// A rating as an account is shown it.
    pub(crate) fn rating(&self, subject: &QrHash, account: &str, now: UnixMillis) -> Rating {
        let rev = self.ratings.get(subject).copied().unwrap_or(0);
        Rating::of(*subject, rev, &self.tally(subject, now), self.own(subject, account))
    }

    /// The account's registers on a subject: those that count, and those that no longer do.
    fn own(&self, subject: &QrHash, account: &str) -> Vec<OwnVote> {
        let standing = self.standing(subject);
        let mut gone: BTreeMap<VoterId, UnixMillis> = BTreeMap::new();
        for ((code, voter), register) in &self.votes {
            let here = (code == subject).then_some(*voter);
            let above = register.host.filter(|(host, _)| host == subject).map(|(_, voter)| voter);
            for voter in here.into_iter().chain(above) {
                let last = gone.entry(voter).or_insert(register.stamp.at);
                *last = register.stamp.at.max(*last);
            }
        }
        gone.into_iter()
            .filter(|(voter, _)| self.owners.get(voter).is_some_and(|owner| owner == account))
            .map(|(voter, last)| match standing.get(&voter) {
                Some((choice, at)) => OwnVote { voter, vote: Some(*choice), at: *at },
                None => OwnVote { voter, vote: None, at: last },
            })
            .collect()
    }
}
