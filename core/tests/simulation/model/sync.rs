use std::collections::{BTreeMap, BTreeSet};

use safescan_core::{
    model::{OperationId, OperationKind, QrHash, ScanId, UnixMillis, VoteChoice, VoterId},
    protocol::{
        Conflict, Operation, OperationResult, Outcome, Refusal, RetractionBody, ScanBody, SettingBody, StandingValue,
        VoteBody, kind_named, refusals,
    },
};
use serde_json::value::RawValue;

use super::{Server, registers::Stamp};

/// What a batch of operations led to.
#[derive(Default)]
pub(super) struct Settled {
    pub(super) results: Vec<OperationResult>,
    pub(super) conflicts: Vec<Conflict>,
    /// Codes and hosts that the settled votes name.
    pub(super) subjects: BTreeSet<QrHash>,
    /// Ratings that are different now.
    pub(super) changed: BTreeSet<QrHash>,
    /// Whether anything of the account is different now.
    pub(super) account_changed: bool,
}

/// An operation that can be understood.
enum Wish {
    Vote { voter: VoterId, choice: Option<VoteChoice>, host: Option<(QrHash, VoterId)>, code: QrHash },
    Scan { body: Option<serde_json::Value> },
    Setting { body: serde_json::Value },
}

/// What became of an operation, and what stands in its register if it did not get its way.
type Judged = (Outcome, Option<StandingValue>);

impl Server {
    /// Settles operations one by one, in their order.
    pub(super) fn settle(&mut self, data: &[Box<RawValue>], account: &str, device: &str, now: UnixMillis) -> Settled {
        let mut settled = Settled::default();
        for raw in data {
            let Ok(operation) = serde_json::from_str::<Operation>(raw.get()) else {
                if let Some(id) = readable_id(raw) {
                    let (outcome, _) = rejected(refusals::MALFORMED);
                    settled.results.push(OperationResult { id, outcome });
                }
                continue;
            };
            let (outcome, standing) = self.settle_one(&operation, account, device, now, &mut settled);
            self.ledger.came(device, operation.seq, operation.id);
            let entry = self.ledger.entry(operation.id);
            entry.received += 1;
            entry.what.clone_from(&operation.kind);
            match &outcome {
                Outcome::Rejected { error } => entry.rejected = Some(error.code.clone()),
                Outcome::Deferred { .. } | Outcome::Unknown => {}
                _ => {
                    entry.settled = true;
                    settled.subjects.extend(named_subjects(&operation));
                }
            }
            let code = match &outcome {
                Outcome::Superseded { .. } => Some("superseded".to_owned()),
                Outcome::Duplicate { .. } if standing.is_some() => Some("superseded".to_owned()),
                Outcome::Rejected { error } => Some(error.code.clone()),
                _ => None,
            };
            if let Some(code) = code {
                let key = operation.key.clone();
                settled.conflicts.push(Conflict { id: operation.id, key, code, server: standing });
            }
            settled.results.push(OperationResult { id: operation.id, outcome });
        }
        settled
    }

    fn settle_one(
        &mut self,
        operation: &Operation,
        account: &str,
        device: &str,
        now: UnixMillis,
        settled: &mut Settled,
    ) -> Judged {
        let wish = match read_wish(operation) {
            Ok(wish) => wish,
            Err(code) => return rejected(code),
        };
        let place = (account.to_owned(), device.to_owned());
        let known = self.devices.entry(place.clone()).or_default();
        known.highest = known.highest.max(operation.seq);
        if let Some((_, first)) = known.settled.get(&operation.id) {
            let (of, at, rev) = match *first {
                Outcome::Superseded { at } => ("superseded", at, None),
                Outcome::Applied { at, rev } => ("applied", at, rev),
                _ => ("applied", now, None),
            };
            let stands = self.standing_stamp(operation, &wish, account).is_some_and(|(it, _)| it.id == operation.id);
            let standing = if stands { None } else { self.standing_value(operation, &wish, account) };
            return (Outcome::Duplicate { of: of.to_owned(), at, rev }, standing);
        }
        let (forgotten, late) = (operation.seq < known.floor, known.deferred.contains(&operation.id));
        let judged = self.judge(operation, &wish, account, device, now, forgotten, late, settled);
        let known = self.devices.entry(place).or_default();
        match judged.0 {
            Outcome::Applied { .. } | Outcome::Superseded { .. } if !forgotten => {
                known.deferred.remove(&operation.id);
                known.settled.insert(operation.id, (operation.seq, judged.0.clone()));
            }
            Outcome::Deferred { .. } => _ = known.deferred.insert(operation.id),
            _ => {}
        }
        judged
    }

    /// Decides by the register, and writes it if the operation wins.
    #[expect(clippy::too_many_arguments, reason = "the decision depends on all of them")]
    fn judge(
        &mut self,
        operation: &Operation,
        wish: &Wish,
        account: &str,
        device: &str,
        now: UnixMillis,
        forgotten: bool,
        late: bool,
        settled: &mut Settled,
    ) -> Judged {
        if let Wish::Vote { voter, host, .. } = wish {
            let taken = |voter: &VoterId| self.registers.owners.get(voter).is_some_and(|owner| owner != account);
            if taken(voter) || host.as_ref().is_some_and(|(_, voter)| taken(voter)) {
                return rejected(refusals::VOTER_TAKEN);
            }
        }
        let at = operation.at.min(now);
        let stamp = Stamp { at, device: device.to_owned(), seq: operation.seq, id: operation.id };
        if let Some((standing, buried)) = self.standing_stamp(operation, wish, account) {
            let judge_by = |at| (Outcome::Superseded { at }, self.standing_value(operation, wish, account));
            if standing.id == operation.id {
                let of = "applied".to_owned();
                return (Outcome::Duplicate { of, at: standing.at, rev: None }, None);
            }
            if buried && matches!(wish, Wish::Scan { body: Some(_) }) {
                return judge_by(standing.at);
            }
            let overrules = matches!(wish, Wish::Scan { body: None }) && !buried;
            let (order, stands) = ((stamp.at, &stamp.device, stamp.seq), (standing.at, &standing.device, standing.seq));
            if !overrules && (order <= stands || (forgotten && operation.at > now)) {
                return judge_by(standing.at);
            }
        }
        if let Wish::Vote { voter, code, .. } = wish {
            let counts_at = if late { now } else { at };
            if let Some(retry_after_ms) = self.registers_spam(*voter, *code, counts_at) {
                return (Outcome::Deferred { retry_after_ms }, None);
            }
        }
        self.ledger.entry(operation.id).effects += 1;
        settled.account_changed = true;
        let rev = match wish {
            Wish::Vote { voter, choice, host, code } => {
                self.ledger.count_vote(*voter, if late { now } else { at }, *code);
                let (changed, rev) = self.registers.put_vote((*code, *voter), stamp, account, *choice, *host);
                settled.changed.extend(changed);
                rev
            }
            Wish::Scan { body } => self.registers.put_scan(account, &operation.key, stamp, body.clone()),
            Wish::Setting { body } => self.registers.put_setting(account, &operation.key, stamp, body.clone()),
        };
        (Outcome::Applied { at, rev: Some(rev) }, None)
    }

    fn registers_spam(&self, voter: VoterId, code: QrHash, at: UnixMillis) -> Option<u32> {
        self.ledger.too_fast(voter, at, code, &self.rules.spam)
    }

    /// Who wrote the operation's register last, and whether that buried a scan.
    fn standing_stamp(&self, operation: &Operation, wish: &Wish, account: &str) -> Option<(Stamp, bool)> {
        let place = (account.to_owned(), operation.key.clone());
        match wish {
            Wish::Vote { voter, code, .. } => {
                self.registers.votes.get(&(*code, *voter)).map(|register| (register.stamp.clone(), false))
            }
            Wish::Scan { .. } => self.registers.scans.get(&place).map(|kept| (kept.stamp.clone(), kept.body.is_none())),
            Wish::Setting { .. } => self.registers.settings.get(&place).map(|kept| (kept.stamp.clone(), false)),
        }
    }

    fn standing_value(&self, operation: &Operation, wish: &Wish, account: &str) -> Option<StandingValue> {
        let place = (account.to_owned(), operation.key.clone());
        match wish {
            Wish::Vote { voter, code, .. } => self.registers.votes.get(&(*code, *voter)).map(|register| {
                let vote = match register.choice {
                    Some(VoteChoice::Safe) => "safe",
                    Some(VoteChoice::Unsafe) => "unsafe",
                    None => "none",
                };
                StandingValue { vote: Some(vote.to_owned()), at: register.stamp.at, body: None }
            }),
            Wish::Scan { .. } => self.registers.scans.get(&place).map(|kept| StandingValue {
                vote: None,
                at: kept.stamp.at,
                body: kept.body.clone(),
            }),
            Wish::Setting { .. } => self.registers.settings.get(&place).map(|kept| StandingValue {
                vote: None,
                at: kept.stamp.at,
                body: kept.body.clone(),
            }),
        }
    }

    /// Forgets the ids of operations below the device's oldest pending one.
    pub(super) fn raise_floor(&mut self, account: &str, device: &str, oldest_pending: Option<i64>) {
        let known = self.devices.entry((account.to_owned(), device.to_owned())).or_default();
        known.floor = known.floor.max(oldest_pending.unwrap_or(known.highest + 1));
        let floor = known.floor;
        let keep: BTreeMap<_, _> =
            std::mem::take(&mut known.settled).into_iter().filter(|(_, (seq, _))| *seq >= floor).collect();
        known.settled = keep;
    }
}

/// What an operation asks for, or the code of its rejection.
fn read_wish(operation: &Operation) -> Result<Wish, &'static str> {
    let malformed = || refusals::MALFORMED;
    let Some(kind) = kind_named(&operation.kind) else { return Err(refusals::UNKNOWN_KIND) };
    let body = operation.body.get();
    let code = || QrHash::parse(&operation.key).ok_or_else(malformed);
    match kind {
        OperationKind::VoteSet => {
            let read: VoteBody = serde_json::from_str(body).map_err(|_| malformed())?;
            let host = read.host_hash.zip(read.host_voter);
            Ok(Wish::Vote { voter: read.voter, choice: Some(read.vote), host, code: code()? })
        }
        OperationKind::VoteRetract => {
            let read: RetractionBody = serde_json::from_str(body).map_err(|_| malformed())?;
            Ok(Wish::Vote { voter: read.voter, choice: None, host: None, code: code()? })
        }
        OperationKind::ScanPut => {
            let read: ScanBody = serde_json::from_str(body).map_err(|_| malformed())?;
            ScanId::parse(&operation.key).ok_or_else(malformed)?;
            Ok(Wish::Scan { body: Some(serde_json::to_value(read).map_err(|_| malformed())?) })
        }
        OperationKind::ScanDelete => Ok(Wish::Scan { body: None }),
        OperationKind::SettingPut => {
            let read: SettingBody = serde_json::from_str(body).map_err(|_| malformed())?;
            Ok(Wish::Setting { body: serde_json::to_value(read).map_err(|_| malformed())? })
        }
    }
}

/// The code and the host that a vote names.
fn named_subjects(operation: &Operation) -> Vec<QrHash> {
    match read_wish(operation) {
        Ok(Wish::Vote { code, host, .. }) => std::iter::once(code).chain(host.map(|(host, _)| host)).collect(),
        _ => Vec::new(),
    }
}

fn readable_id(raw: &RawValue) -> Option<OperationId> {
    let value: serde_json::Value = serde_json::from_str(raw.get()).ok()?;
    OperationId::parse(value.get("id")?.as_str()?)
}

fn rejected(code: &str) -> Judged {
    (Outcome::Rejected { error: Refusal { code: code.to_owned(), detail: String::new() } }, None)
}
