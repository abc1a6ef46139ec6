use std::collections::HashSet;

use safescan_core::{
    model::{OperationId, QrHash, UnixMillis, VoteChoice},
    protocol::{Conflict, OperationResult, Outcome, Refusal, StandingValue},
};

use super::{Action, Applied, Batch, Device, Item, Ledger, Memory, Payer, Stamp, floor, floor_after, stamp};
use crate::error::Result;

/// Judges a batch and writes what follows. Everything happens in the ledger's open transaction.
///
/// # Errors
/// The database fails; the transaction must then be undone.
pub fn apply<L: Ledger>(ledger: &mut L, batch: &Batch) -> Result<Applied> {
    let account = ledger.account(batch.account.name())?;
    let mut device = ledger.device(account.id, &batch.device)?;
    let floor = floor_after(&device, batch.oldest_pending);
    floor::raise(ledger, &mut device, floor)?;
    let mut judge = Judge {
        ledger,
        batch,
        account,
        device,
        applied: Applied::default(),
        named: HashSet::new(),
        changed: HashSet::new(),
    };
    for item in &batch.items {
        judge.item(item)?;
    }
    let Judge { ledger, account, mut device, applied, .. } = judge;
    floor::bound(ledger, &mut device)?;
    ledger.save_device(&device)?;
    ledger.save_account(&account)?;
    Ok(applied)
}

/// A batch while it is judged.
pub(super) struct Judge<'a, L> {
    pub(super) ledger: &'a mut L,
    pub(super) batch: &'a Batch,
    pub(super) account: Payer,
    pub(super) device: Device,
    pub(super) applied: Applied,
    named: HashSet<QrHash>,
    changed: HashSet<QrHash>,
}

/// An operation while it is judged.
pub(super) struct Operation {
    pub(super) stamp: Stamp,
    pub(super) below_floor: bool,
    pub(super) from_the_future: bool,
    /// Whether it comes again after it was deferred.
    pub(super) deferred_before: bool,
}

/// How an operation ended.
pub(super) enum Ending {
    Applied {
        rev: i64,
    },
    /// It stands already; it was forgotten that it was applied.
    Stands {
        at: UnixMillis,
    },
    Superseded {
        standing: Standing,
    },
    Rejected {
        code: &'static str,
    },
    Deferred {
        wait_ms: i64,
    },
}

/// What stands in a register.
pub(super) struct Standing {
    pub(super) at: UnixMillis,
    pub(super) vote: Option<Option<VoteChoice>>,
    pub(super) body: Option<String>,
}

impl<L: Ledger> Judge<'_, L> {
    fn item(&mut self, item: &Item) -> Result<()> {
        let command = &item.command;
        self.device.highest = self.device.highest.max(command.seq);
        let now = self.batch.now;
        let below_floor = command.seq < self.device.floor;
        let memory = if below_floor { None } else { self.ledger.recall(self.device.id, &item.id)? };
        match memory {
            Some(Memory::Applied { at, rev }) => {
                self.name(&command.action);
                // Whoever asks again may not have taken over what came after it.
                let later = self.standing(&command.action)?.filter(|standing| standing.at != at);
                if later.is_some() {
                    self.conflict(item, "superseded", later);
                }
                self.answer(item.id, Outcome::Duplicate { of: "applied".into(), at, rev: Some(rev) });
                return Ok(());
            }
            Some(Memory::Superseded { at }) => {
                self.name(&command.action);
                let standing = self.standing(&command.action)?;
                self.conflict(item, "superseded", standing);
                self.answer(item.id, Outcome::Duplicate { of: "superseded".into(), at, rev: None });
                return Ok(());
            }
            Some(Memory::Deferred) | None => {}
        }
        let at = stamp::clamp(command.at, now);
        let operation = Operation {
            stamp: Stamp { at, device: self.batch.device.clone(), seq: command.seq },
            below_floor,
            from_the_future: command.at > now,
            // Below the floor it cannot be remembered that it was deferred, and it must pass some day.
            deferred_before: memory.is_some() || below_floor,
        };
        let ending = match &command.action {
            Action::Vote { code, voter, choice, host } => self.vote(&operation, code, voter, *choice, *host)?,
            Action::Put { kind, key, body } => self.put(&operation, *kind, key, body.as_deref())?,
        };
        self.end(item, &operation, ending)
    }

    /// Remembers and answers.
    fn end(&mut self, item: &Item, operation: &Operation, ending: Ending) -> Result<()> {
        let at = operation.stamp.at;
        let (memory, outcome) = match ending {
            Ending::Applied { rev } => {
                self.applied.account_changed = true;
                (Some(Memory::Applied { at, rev }), Outcome::Applied { at, rev: Some(rev) })
            }
            Ending::Stands { at } => (None, Outcome::Duplicate { of: "applied".into(), at, rev: None }),
            Ending::Superseded { standing } => {
                let at = standing.at;
                self.conflict(item, "superseded", Some(standing));
                (Some(Memory::Superseded { at }), Outcome::Superseded { at })
            }
            Ending::Rejected { code } => {
                self.conflict(item, code, None);
                let error = Refusal { code: code.into(), detail: String::new() };
                (None, Outcome::Rejected { error })
            }
            Ending::Deferred { wait_ms } => {
                let retry_after_ms = u32::try_from(wait_ms).unwrap_or(u32::MAX);
                (Some(Memory::Deferred), Outcome::Deferred { retry_after_ms })
            }
        };
        if !matches!(outcome, Outcome::Rejected { .. } | Outcome::Deferred { .. }) {
            self.name(&item.command.action);
        }
        if let Some(memory) = memory.filter(|_| !operation.below_floor) {
            let new = self.ledger.remember(self.device.id, &item.id, item.command.seq, &memory)?;
            self.device.remembered += i64::from(new);
        }
        self.answer(item.id, outcome);
        Ok(())
    }

    fn answer(&mut self, id: OperationId, outcome: Outcome) {
        self.applied.results.push(OperationResult { id, outcome });
    }

    fn conflict(&mut self, item: &Item, code: &str, standing: Option<Standing>) {
        let server = standing.map(|standing| StandingValue {
            vote: standing.vote.map(|vote| match vote {
                Some(VoteChoice::Safe) => "safe".into(),
                Some(VoteChoice::Unsafe) => "unsafe".into(),
                None => "none".into(),
            }),
            at: standing.at,
            body: standing.body.and_then(|body| serde_json::from_str(&body).ok()),
        });
        let conflict = Conflict { id: item.id, key: item.key.clone(), code: code.into(), server };
        self.applied.conflicts.push(conflict);
    }

    /// The ratings of what a settled vote names come with the answer.
    fn name(&mut self, action: &Action) {
        if let Action::Vote { code, host, .. } = action {
            self.name_subject(*code);
            if let Some((host, _)) = host {
                self.name_subject(*host);
            }
        }
    }

    pub(super) fn name_subject(&mut self, hash: QrHash) {
        if self.named.insert(hash) {
            self.applied.named.push(hash);
        }
    }

    pub(super) fn note_changed(&mut self, hash: QrHash) {
        if self.changed.insert(hash) {
            self.applied.changed.push(hash);
        }
    }

    fn standing(&mut self, action: &Action) -> Result<Option<Standing>> {
        match action {
            Action::Vote { code, voter, .. } => self.standing_vote(code, voter),
            Action::Put { kind, key, .. } => self.standing_item(*kind, key),
        }
    }
}
