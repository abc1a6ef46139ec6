//! Changes that the server does not know of yet. Each is written in the transaction of its record, so that there is
//! never one without the other.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    columns::{Checksum, Columns, Record},
    fault::{Sql, during},
    scans::code_in,
    transaction::Transaction,
};
use crate::{
    error::Result,
    model::{
        Operation, OperationId, OperationKind, OperationState, ParkedReason, QrHash, ScanId, StoreName, UnixMillis,
        VoterId,
    },
};

/// What a row is booked with beside its body.
const ROW_OVERHEAD: i64 = 192;

/// A change as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    /// Its place in the order of all changes of this device; 0 before it is stored.
    pub(crate) seq: i64,
    pub(crate) operation: Operation,
    /// Of the register it changes: a hash, a scan id, a setting's name.
    pub(crate) key: String,
    /// Of a vote: who is meant.
    pub(crate) vote: Option<VoteNames>,
    /// JSON, as it is sent.
    pub(crate) body: String,
    /// When its wait for `next_attempt_at` began.
    pub(crate) put_off_at: Option<UnixMillis>,
}

/// The names that a vote goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct VoteNames {
    /// Who voted, as known on this device only.
    pub(crate) person: VoterId,
    /// The same, as known outside, on this code.
    pub(crate) voter: VoterId,
    /// The code's host, and the voter's name there.
    pub(crate) host: Option<(QrHash, VoterId)>,
}

/// How long a change is put off, by the device's clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wait {
    pub(crate) from: UnixMillis,
    pub(crate) until: UnixMillis,
}

/// A change about to be stored.
pub(crate) struct Change {
    pub(crate) kind: OperationKind,
    pub(crate) key: String,
    pub(crate) vote: Option<VoteNames>,
    pub(crate) body: String,
    pub(crate) at: UnixMillis,
}

/// What a page found.
pub(crate) struct Found {
    pub(crate) operations: Vec<Operation>,
    /// The last one's place, if there are more.
    pub(crate) next: Option<i64>,
    pub(crate) withheld: u32,
}

const KINDS: [OperationKind; 5] = [
    OperationKind::VoteSet,
    OperationKind::VoteRetract,
    OperationKind::ScanPut,
    OperationKind::ScanDelete,
    OperationKind::SettingPut,
];
const STATES: [OperationState; 3] = [OperationState::Pending, OperationState::InFlight, OperationState::Parked];
const REASONS: [ParkedReason; 4] =
    [ParkedReason::Auth, ParkedReason::Schema, ParkedReason::Rejected, ParkedReason::Poison];

impl Entry {
    /// Puts it off from now until then, or no longer.
    pub(crate) fn wait(&mut self, wait: Option<Wait>) {
        self.put_off_at = wait.map(|wait| wait.from);
        self.operation.next_attempt_at = wait.map(|wait| wait.until);
    }
}

impl Record for Entry {
    const TABLE: &'static str = "outbox";
    const COLUMNS: &'static str = "seq, id, kind, key, person, voter, host, host_voter, body, at, state, parked_reason, \
                                   attempts, last_error, next_attempt_at, put_off_at, checksum";

    fn read(row: &impl Columns) -> Option<Self> {
        let code = |index| usize::try_from(row.int(index)?).ok();
        let person = row.optional(4, Columns::bytes)?.map(VoterId);
        let voter = row.optional(5, Columns::bytes)?.map(VoterId);
        let host = row.optional(6, Columns::bytes)?.map(QrHash);
        let host_voter = row.optional(7, Columns::bytes)?.map(VoterId);
        let entry = Self {
            seq: row.int(0)?,
            operation: Operation {
                id: OperationId(row.bytes(1)?),
                kind: *KINDS.get(code(2)?)?,
                state: *STATES.get(code(10)?)?,
                parked_reason: row.optional(11, |_, index| REASONS.get(code(index)?).copied())?,
                created_at: UnixMillis(row.int(9)?),
                attempts: row.number(12)?,
                last_error: row.optional(13, Columns::text)?.map(str::to_owned),
                next_attempt_at: row.optional(14, Columns::int)?.map(UnixMillis),
            },
            key: row.text(3)?.to_owned(),
            vote: person.zip(voter).map(|(person, voter)| VoteNames { person, voter, host: host.zip(host_voter) }),
            body: row.text(8)?.to_owned(),
            put_off_at: row.optional(15, Columns::int)?.map(UnixMillis),
        };
        (row.int(16)? == checksum(&entry)).then_some(entry)
    }

    fn row_id(&self) -> i64 {
        self.seq
    }
}

impl Transaction<'_> {
    /// Stores a change. One of the same register that was never sent gives way to it; none that was sent ever does.
    pub(crate) fn enqueue(&mut self, change: Change) -> Result<()> {
        if let Some(unsent) = self.unsent(&change.key, change.vote.as_ref().map(|vote| &vote.person))? {
            self.remove_entry(&unsent)?;
        }
        let operation = Operation {
            id: self.new_operation_id(),
            kind: change.kind,
            state: OperationState::Pending,
            parked_reason: None,
            created_at: change.at,
            attempts: 0,
            last_error: None,
            next_attempt_at: None,
        };
        let Change { key, vote, body, .. } = change;
        self.state.queued = true;
        self.put_entry(&Entry { seq: 0, operation, key, vote, body, put_off_at: None })
    }

    /// The change of a register that was never sent, if there is one.
    pub(crate) fn unsent(&self, key: &str, person: Option<&VoterId>) -> Result<Option<Entry>> {
        let sql = format!(
            "SELECT {} FROM outbox WHERE key = ?1 AND person IS ?2 AND state = 0 AND attempts = 0",
            Entry::COLUMNS
        );
        self.connection
            .prepare_cached(&sql)
            .and_then(|mut statement| {
                let person = person.map(|person| person.0);
                statement.query_row(params![key, person], |row| Ok(Entry::read(row))).optional()
            })
            .map(Option::flatten)
            .doing(during::READING)
    }

    /// Whether any change of a register waits.
    pub(crate) fn waits(&self, key: &str, person: Option<&VoterId>) -> Result<bool> {
        waits(self.connection, key, person)
    }

    /// Makes a change due at once; false if there is none of this name.
    pub(crate) fn retry(&mut self, id: OperationId) -> Result<bool> {
        let Some(mut entry) = self.entry(id)? else { return Ok(false) };
        // One in flight is left alone: its answer may be on the way.
        if entry.operation.state != OperationState::InFlight {
            self.state.operations_changed = true;
            entry.operation.state = OperationState::Pending;
            entry.operation.parked_reason = None;
            entry.wait(None);
            self.update_entry(&entry)?;
            self.state.queued = true;
        }
        Ok(true)
    }

    /// Gives a change up; false if there is none of this name.
    pub(crate) fn discard(&mut self, id: OperationId) -> Result<bool> {
        let Some(entry) = self.entry(id)? else { return Ok(false) };
        self.remove_entry(&entry)?;
        if entry.operation.kind == OperationKind::ScanPut
            && let Some(scan) = ScanId::parse(&entry.key)
        {
            self.mark_scan(scan, false)?;
        }
        Ok(true)
    }

    /// Stores a change as it is, at the end or, when it has one, in its place.
    pub(crate) fn put_entry(&mut self, entry: &Entry) -> Result<()> {
        self.book(StoreName::Operations, 1, size(entry))?;
        self.state.operations_changed = true;
        let Entry { seq, operation, key, vote, body, put_off_at } = entry;
        let host = vote.and_then(|vote| vote.host);
        self.connection
            .prepare_cached(
                "INSERT INTO outbox (seq, id, kind, key, person, voter, host, host_voter, body, at, state, \
                 parked_reason, attempts, last_error, next_attempt_at, put_off_at, checksum) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
            )
            .and_then(|mut statement| {
                statement.execute(params![
                    (*seq > 0).then_some(seq),
                    operation.id.0,
                    code_in(&KINDS, &operation.kind),
                    key,
                    vote.map(|vote| vote.person.0),
                    vote.map(|vote| vote.voter.0),
                    host.map(|(host, _)| host.0),
                    host.map(|(_, voter)| voter.0),
                    body,
                    operation.created_at.0,
                    code_in(&STATES, &operation.state),
                    operation.parked_reason.map(|reason| code_in(&REASONS, &reason)),
                    operation.attempts,
                    operation.last_error,
                    operation.next_attempt_at.map(|at| at.0),
                    put_off_at.map(|at| at.0),
                    checksum(entry)
                ])
            })
            .doing(during::WRITING)?;
        Ok(())
    }

    /// Writes down how a change stands.
    pub(crate) fn update_entry(&self, entry: &Entry) -> Result<()> {
        let operation = &entry.operation;
        self.connection
            .prepare_cached(
                "UPDATE outbox SET state = ?2, parked_reason = ?3, attempts = ?4, last_error = ?5, next_attempt_at = ?6, \
                 put_off_at = ?7, checksum = ?8 WHERE seq = ?1",
            )
            .and_then(|mut statement| {
                statement.execute(params![
                    entry.seq,
                    code_in(&STATES, &operation.state),
                    operation.parked_reason.map(|reason| code_in(&REASONS, &reason)),
                    operation.attempts,
                    operation.last_error,
                    operation.next_attempt_at.map(|at| at.0),
                    entry.put_off_at.map(|at| at.0),
                    checksum(entry)
                ])
            })
            .doing(during::WRITING)?;
        Ok(())
    }

    /// Removes a change.
    pub(crate) fn remove_entry(&mut self, entry: &Entry) -> Result<()> {
        self.connection
            .prepare_cached("DELETE FROM outbox WHERE seq = ?1")
            .and_then(|mut statement| statement.execute([entry.seq]))
            .doing(during::WRITING)?;
        self.state.counters.grow(StoreName::Operations, -1, -size(entry));
        self.state.operations_changed = true;
        Ok(())
    }

    /// The change of this name, if it waits.
    pub(crate) fn entry(&self, id: OperationId) -> Result<Option<Entry>> {
        let sql = format!("SELECT {} FROM outbox WHERE id = ?1", Entry::COLUMNS);
        self.connection
            .prepare_cached(&sql)
            .and_then(|mut statement| statement.query_row([id.0], |row: &Row<'_>| Ok(Entry::read(row))).optional())
            .map(Option::flatten)
            .doing(during::READING)
    }

    /// A UUID of version 7: the time first, so that ids sort by it, the rest random.
    fn new_operation_id(&self) -> OperationId {
        let mut bytes: [u8; 16] = self.random();
        bytes[..6].copy_from_slice(&self.now().0.to_be_bytes()[2..]);
        bytes[6] = 0x70 | (bytes[6] & 0x0f);
        bytes[8] = 0x80 | (bytes[8] & 0x3f);
        OperationId(bytes)
    }
}

/// Whether any change of a register waits.
pub(crate) fn waits(connection: &Connection, key: &str, person: Option<&VoterId>) -> Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM outbox WHERE key = ?1 AND person IS ?2")
        .and_then(|mut statement| statement.exists(params![key, person.map(|person| person.0)]))
        .doing(during::READING)
}

/// A page in the order of the changes.
pub(crate) fn page(connection: &Connection, limit: u32, after: i64) -> Result<Found> {
    let sql = format!("SELECT {} FROM outbox WHERE seq > ?1 ORDER BY seq LIMIT ?2", Entry::COLUMNS);
    let mut statement = connection.prepare_cached(&sql).doing(during::READING)?;
    let mut rows = statement.query(params![after, limit + 1]).doing(during::READING)?;
    let mut found = Found { operations: Vec::new(), next: None, withheld: 0 };
    let (mut seen, mut last) = (0, None);
    while let Some(row) = rows.next().doing(during::READING)? {
        if seen == limit {
            found.next = last;
            break;
        }
        seen += 1;
        last = row.int(0);
        match Entry::read(row) {
            Some(entry) => found.operations.push(entry.operation),
            None => found.withheld += 1,
        }
    }
    Ok(found)
}

/// What a row is booked with.
pub(crate) fn size(entry: &Entry) -> i64 {
    i64::try_from(entry.body.len()).unwrap_or(i64::MAX / 2) + ROW_OVERHEAD
}

/// Without the place: an operation is told by its name.
fn checksum(entry: &Entry) -> i64 {
    let operation = &entry.operation;
    Checksum::of(Entry::TABLE)
        .blob(&operation.id.0)
        .int(code_in(&KINDS, &operation.kind))
        .text(&entry.key)
        .optional(entry.vote, |sum, vote| {
            sum.blob(&vote.person.0)
                .blob(&vote.voter.0)
                .optional(vote.host, |sum, (host, voter)| sum.blob(&host.0).blob(&voter.0))
        })
        .text(&entry.body)
        .int(operation.created_at.0)
        .int(code_in(&STATES, &operation.state))
        .optional(operation.parked_reason, |sum, reason| sum.int(code_in(&REASONS, &reason)))
        .int(i64::from(operation.attempts))
        .optional(operation.last_error.as_deref(), Checksum::text)
        .optional(operation.next_attempt_at, |sum, at| sum.int(at.0))
        .optional(entry.put_off_at, |sum, at| sum.int(at.0))
        .finish()
}
