//! Votes: a register for every voter and code, and the sums that follow every change of one.

use safescan_core::{
    model::{MINUTE_MS, QrHash, UnixMillis, VoteChoice, VoterId},
    protocol::refusals,
};

use super::{
    Cast, Ledger, Register, Voter,
    apply::{Ending, Judge, Operation, Standing},
    limits,
    stamp::{Claim, Verdict},
};
use crate::error::Result;

impl<L: Ledger> Judge<'_, L> {
    /// Casts a vote, or with no choice takes it back.
    pub(super) fn vote(
        &mut self,
        operation: &Operation,
        code: &QrHash,
        voter_id: &VoterId,
        choice: Option<VoteChoice>,
        host: Option<(QrHash, VoterId)>,
    ) -> Result<Ending> {
        // A host that is its own host tells nothing more.
        let host = host.filter(|(host, _)| host != code);
        for id in [Some(voter_id), host.as_ref().map(|(_, voter)| voter)].into_iter().flatten() {
            if self.ledger.voter(id)?.is_some_and(|voter| voter.account != self.account.id) {
                return Ok(Ending::Rejected { code: refusals::VOTER_TAKEN });
            }
        }
        let before = self.direct(code, voter_id)?;
        let claim = Claim {
            stamp: &operation.stamp,
            below_floor: operation.below_floor,
            from_the_future: operation.from_the_future,
        };
        match (claim.against(before.as_ref().map(|before| &before.stamp)), &before) {
            (Verdict::Stands, Some(before)) => {
                self.name_host_of(before)?;
                return Ok(Ending::Stands { at: before.stamp.at });
            }
            (Verdict::Loses, Some(before)) => {
                self.name_host_of(before)?;
                return Ok(Ending::Superseded { standing: before.into() });
            }
            _ => {}
        }
        let counts = choice.is_some();
        let rated_at = if operation.deferred_before { self.batch.now } else { operation.stamp.at };
        let subject = self.ledger.find_subject(code)?.map(|subject| subject.id);
        let voter = self.ledger.voter(voter_id)?;
        if let Some(wait_ms) = self.wait(voter.as_ref(), subject, counts, rated_at)? {
            return Ok(Ending::Deferred { wait_ms });
        }

        let mut voter = self.claim(voter_id)?;
        let host = match host {
            Some((hash, voter)) => Some((self.subject(&hash)?.id, self.claim(&voter)?.id)),
            // A retraction does not name the host: it is the one of the vote.
            None if choice.is_none() => before.as_ref().and_then(|before| before.host),
            None => None,
        };
        let subject = self.subject(code)?.id;
        let register = Register {
            subject,
            voter: voter.id,
            account: self.account.id,
            derived: false,
            choice,
            stamp: operation.stamp.clone(),
            rev: self.ledger.next_revision()?,
            host,
            counts,
        };
        let rev = self.set_register(register)?;
        let left = before.as_ref().and_then(|before| before.host).filter(|left| Some(*left) != host);
        for (host, host_voter) in [left, host].into_iter().flatten() {
            self.follow_host(host, host_voter, &operation.stamp)?;
        }
        let cast = Cast { subject, at: rated_at, sets: counts };
        self.ledger.note_cast(self.account.id, voter.id, &cast, self.batch.now)?;
        if cast.sets {
            voter.used = limits::one_more(voter.used, self.batch.now);
            self.account.used = limits::one_more(self.account.used, self.batch.now);
            self.ledger.save_voter(&voter)?;
        }
        Ok(Ending::Applied { rev })
    }

    pub(super) fn standing_vote(&mut self, code: &QrHash, voter: &VoterId) -> Result<Option<Standing>> {
        Ok(self.direct(code, voter)?.as_ref().map(Standing::from))
    }

    fn direct(&mut self, code: &QrHash, voter: &VoterId) -> Result<Option<Register>> {
        match (self.ledger.find_subject(code)?, self.ledger.voter(voter)?) {
            (Some(subject), Some(voter)) => Ok(self.ledger.registers(subject.id, voter.id)?.direct),
            _ => Ok(None),
        }
    }

    fn claim(&mut self, id: &VoterId) -> Result<Voter> {
        match self.ledger.voter(id)? {
            Some(voter) => Ok(voter),
            None => self.ledger.claim_voter(id, self.account.id),
        }
    }

    fn subject(&mut self, hash: &QrHash) -> Result<super::Subject> {
        match self.ledger.find_subject(hash)? {
            Some(subject) => Ok(subject),
            None => self.ledger.insert_subject(hash),
        }
    }

    /// A retraction does not name its host, yet the host's rating comes with the answer as well.
    fn name_host_of(&mut self, register: &Register) -> Result<()> {
        if let Some((host, _)) = register.host {
            let hash = self.ledger.subject(host)?.hash;
            self.name_subject(hash);
        }
        Ok(())
    }

    /// How long the vote has to wait, if it has to.
    fn wait(&mut self, voter: Option<&Voter>, subject: Option<i64>, sets: bool, at: UnixMillis) -> Result<Option<i64>> {
        let (rates, now) = (self.batch.limits, self.batch.now);
        let mut wait: Option<i64> = None;
        let mut hold = |held: Option<i64>| wait = wait.max(held);
        let around = |at: UnixMillis| (at.minus(MINUTE_MS), at.plus(MINUTE_MS));
        let ((after, before), (lately, soon)) = (around(at), around(now));
        let any = |cast: &Cast| cast.sets;
        let same = |cast: &Cast| Some(cast.subject) == subject;
        let by_receipt = |mut recent: Vec<UnixMillis>, limit| Some(limits::wait_by_receipt(&mut recent, limit, now));
        if let Some(voter) = voter.filter(|_| rates.voter_per_minute > 0 || rates.changes_per_code > 0) {
            let casts = self.ledger.casts_of_voter(voter.id, after, before)?;
            let rapid = sets && limits::is_crowded(limits::moments(&casts, any), rates.voter_per_minute, at);
            let repeated = limits::is_crowded(limits::moments(&casts, same), rates.changes_per_code, at);
            if rapid || repeated {
                let recent = self.ledger.casts_of_voter(voter.id, lately, soon)?;
                if rapid {
                    hold(by_receipt(limits::moments(&recent, any), rates.voter_per_minute));
                }
                if repeated {
                    hold(by_receipt(limits::moments(&recent, same), rates.changes_per_code));
                }
            }
        }
        if sets && rates.account_per_minute > 0 {
            let casts = self.ledger.casts_of_account(self.account.id, after, before)?;
            if limits::is_crowded(limits::moments(&casts, any), rates.account_per_minute, at) {
                let recent = self.ledger.casts_of_account(self.account.id, lately, soon)?;
                hold(by_receipt(limits::moments(&recent, any), rates.account_per_minute));
            }
        }
        if sets {
            let used = voter.map(|voter| voter.used).unwrap_or_default();
            hold(limits::day(used, rates.voter_per_day, now));
            hold(limits::day(self.account.used, rates.account_per_day, now));
        }
        Ok(wait)
    }
}

impl From<&Register> for Standing {
    fn from(register: &Register) -> Self {
        Self { at: register.stamp.at, vote: Some(register.choice), body: None }
    }
}
