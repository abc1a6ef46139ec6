//! A voter's register on a host: the vote that was cast on the host itself, else the latest standing one on any of its
//! codes, else nothing. The second is *derived*, and kept right here whenever a vote on a code changes.

use super::{Ledger, Register, Stamp, apply::Judge, sums};
use crate::error::Result;

impl<L: Ledger> Judge<'_, L> {
    /// Stores a register and puts the sums right. Returns the rating's revision.
    pub(super) fn set_register(&mut self, register: Register) -> Result<i64> {
        let mut registers = self.ledger.registers(register.subject, register.voter)?;
        let before = registers.counted();
        let (subject, derived) = (register.subject, register.derived);
        let place = if derived { &mut registers.derived } else { &mut registers.direct };
        *place = Some(register);
        let after = registers.counted();

        let direct_stands = registers.direct.as_ref().is_some_and(|direct| direct.choice.is_some());
        for register in [registers.direct, registers.derived].into_iter().flatten() {
            let counts = register.choice.is_some() && !(register.derived && direct_stands);
            if counts != register.counts || register.derived == derived {
                self.ledger.save_register(&Register { counts, ..register })?;
            }
        }
        let mut subject = self.ledger.subject(subject)?;
        sums::replace(self.ledger, &mut subject, before.as_ref(), after.as_ref(), self.batch.now)?;
        subject.rev = self.ledger.next_revision()?;
        self.ledger.save_subject(&subject)?;
        self.name_subject(subject.hash);
        self.note_changed(subject.hash);
        Ok(subject.rev)
    }

    /// Puts a voter's derived register on a host right.
    pub(super) fn follow_host(&mut self, host: i64, host_voter: i64, cause: &Stamp) -> Result<()> {
        let latest = self.ledger.latest_on_host(host, host_voter)?;
        let registers = self.ledger.registers(host, host_voter)?;
        if latest.is_none() && registers.derived.is_none() {
            return Ok(());
        }
        // What was taken out stays as "none", dated by what took it out: the device learns that it is gone.
        let at = latest.map_or(cause.at, |(_, at)| at);
        let register = Register {
            subject: host,
            voter: host_voter,
            account: self.account.id,
            derived: true,
            choice: latest.map(|(choice, _)| choice),
            stamp: Stamp { at, ..cause.clone() },
            rev: self.ledger.next_revision()?,
            host: None,
            counts: false,
        };
        self.set_register(register).map(drop)
    }
}
