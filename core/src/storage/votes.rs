//! Votes: one register per person and subject, and the sums that follow every change of one.

use rusqlite::{Connection, OptionalExtension, params};

use super::{
    columns::{Checksum, Columns, Record},
    fault::{Sql, during},
    outbox,
    snapshots::{choice_code, choice_of},
    subjects::{self, Subject},
    transaction::Transaction,
};
use crate::{
    error::Result,
    model::{QrHash, StoreName, UnixMillis, VoteChoice, VoterId},
    voting::{Ballot, Reputation, Tally},
};

/// What a row is booked with: it has no text of its own.
pub(crate) const ROW_SIZE: i64 = 256;
/// Stands for a retracted vote.
const RETRACTED: i64 = 2;

/// A person's register on a subject.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Register {
    pub(crate) id: i64,
    pub(crate) subject: i64,
    pub(crate) person: VoterId,
    /// `None`: retracted, and kept because the server does not know yet.
    pub(crate) choice: Option<VoteChoice>,
    pub(crate) at: UnixMillis,
    pub(crate) reputation: Reputation,
    /// Whether it stands for the person's latest vote on any code of a host.
    pub(crate) derived: bool,
    pub(crate) hash: QrHash,
    pub(crate) host_hash: Option<QrHash>,
    /// Whether the server has seen a vote of this person on this subject.
    pub(crate) acknowledged: bool,
}

impl Register {
    /// Whether it is a vote that somebody cast and that stands.
    pub(crate) fn is_own_standing(&self) -> bool {
        self.choice.is_some() && !self.derived
    }

    /// What counts of it, if anything.
    pub(crate) fn ballot(&self) -> Option<Ballot> {
        self.choice.map(|choice| Ballot { choice, at: self.at, reputation: self.reputation })
    }

    /// The register of a person on a host that follows from a vote on one of its codes.
    fn derived(subject: i64, host: QrHash, person: VoterId, ballot: &Ballot) -> Self {
        Self {
            id: 0,
            subject,
            person,
            choice: Some(ballot.choice),
            at: ballot.at,
            reputation: ballot.reputation,
            derived: true,
            hash: host,
            host_hash: None,
            acknowledged: false,
        }
    }

    fn choice_code(&self) -> i64 {
        self.choice.map_or(RETRACTED, choice_code)
    }
}

impl Record for Register {
    const TABLE: &'static str = "votes";
    const COLUMNS: &'static str =
        "id, subject, person, choice, at, reputation, derived, hash, host_hash, acknowledged, checksum";

    fn read(row: &impl Columns) -> Option<Self> {
        let choice = row.int(3)?;
        let register = Self {
            id: row.int(0)?,
            subject: row.int(1)?,
            person: VoterId(row.bytes(2)?),
            choice: if choice == RETRACTED { None } else { Some(choice_of(choice)?) },
            at: UnixMillis(row.int(4)?),
            reputation: Reputation::from_thousandths(row.number(5)?)?,
            derived: row.int(6)? == 1,
            hash: QrHash(row.bytes(7)?),
            host_hash: row.optional(8, Columns::bytes)?.map(QrHash),
            acknowledged: row.int(9)? == 1,
        };
        (row.int(10)? == checksum(&register)).then_some(register)
    }

    fn row_id(&self) -> i64 {
        self.id
    }
}

/// What a page of somebody's votes found.
pub(crate) struct Found {
    pub(crate) votes: Vec<Register>,
    /// Time and id of the last vote of the page, if there are more.
    pub(crate) next: Option<(i64, i64)>,
    pub(crate) withheld: u32,
}

impl Transaction<'_> {
    /// A person's register on a subject. A damaged one is removed, and the subject's sums are made anew without it.
    pub(crate) fn register(&mut self, subject: &mut Subject, person: &VoterId) -> Result<Option<Register>> {
        match find(self.connection, subject.id, person)? {
            Some((_, Some(register))) => Ok(Some(register)),
            Some((id, None)) => {
                self.delete_row(id)?;
                // Whether it was counted as a row cannot be told any more; a repair counts anew.
                self.state.counters.grow(StoreName::Votes, 0, -ROW_SIZE);
                subject.tally = recount(self.connection, subject.id)?;
                subject.own = count_own(self.connection, subject.id)?;
                Ok(None)
            }
            None => Ok(None),
        }
    }

    /// Puts a register in the place of `before`, and the sums right for this moment.
    pub(crate) fn replace(&mut self, subject: &mut Subject, before: Option<&Register>, after: &Register) -> Result<()> {
        let stood = before.is_some_and(Register::is_own_standing);
        let rated_before = subject.own > 0;
        subject.own += i64::from(after.is_own_standing()) - i64::from(stood);
        self.state.counters.rated(i64::from(subject.own > 0) - i64::from(rated_before));
        let removed = before.and_then(Register::ballot);
        let in_doubt = removed.is_some_and(|ballot| subject.tally.is_extreme(&ballot));
        if let Some(ballot) = &removed {
            subject.tally.remove(ballot);
        }
        self.put_register(before, after)?;
        if let Some(ballot) = after.ballot() {
            subject.tally.add(&ballot);
        }
        if in_doubt {
            let (newest, oldest_linear) = extremes(self.connection, subject.id, subject.tally.watermark)?;
            subject.tally.set_extremes(newest, oldest_linear);
        }
        subjects::settle(self.connection, subject, self.now())?;
        self.save_subject(subject)
    }

    /// Removes a register for good, and puts the sums right.
    pub(crate) fn remove_register(&mut self, subject: &mut Subject, register: &Register) -> Result<()> {
        let retracted = Register { choice: None, ..register.clone() };
        self.replace(subject, Some(register), &retracted)?;
        self.delete_row(register.id)?;
        self.state.counters.grow(StoreName::Votes, 0, -ROW_SIZE);
        Ok(())
    }

    fn delete_row(&self, id: i64) -> Result<()> {
        self.connection
            .prepare_cached("DELETE FROM votes WHERE id = ?1")
            .and_then(|mut statement| statement.execute([id]))
            .doing(during::WRITING)?;
        Ok(())
    }

    /// Writes a row: in place of `before`, or as a new one. As rows only votes count that somebody cast and that stand.
    fn put_register(&mut self, before: Option<&Register>, after: &Register) -> Result<()> {
        let stood = before.is_some_and(Register::is_own_standing);
        let rows = i64::from(after.is_own_standing()) - i64::from(stood);
        self.book(StoreName::Votes, rows, if before.is_some() { 0 } else { ROW_SIZE })?;
        put(self.connection, before.map(|before| before.id), after)
    }

    /// Puts a person's register on a host right, after it or one on a code of the host has changed: it is the person's own
    /// vote on the host, else the latest standing one on a code of it, else gone.
    pub(crate) fn follow_host(&mut self, host: QrHash, person: VoterId) -> Result<Subject> {
        let latest = latest_on_host(self.connection, &host, &person)?;
        let mut subject = self.subject(host, None)?;
        let before = self.register(&mut subject, &person)?;
        match (latest, &before) {
            // What somebody says of the host itself weighs more than what follows from a code of it.
            (_, Some(before)) if before.is_own_standing() => {}
            (Some(ballot), _) => {
                let acknowledged = before.as_ref().is_some_and(|before| before.acknowledged);
                let after = Register { acknowledged, ..Register::derived(subject.id, host, person, &ballot) };
                self.replace(&mut subject, before.as_ref(), &after)?;
            }
            (None, Some(before)) if before.derived => self.remove_register(&mut subject, before)?,
            (None, _) => {}
        }
        Ok(subject)
    }

    /// All registers of a person, derived ones as well.
    pub(crate) fn registers_of(&self, person: &VoterId) -> Result<Vec<Register>> {
        let sql = format!("SELECT {} FROM votes WHERE person = ?1 AND choice < 2", Register::COLUMNS);
        let mut statement = self.connection.prepare_cached(&sql).doing(during::READING)?;
        let rows = statement.query_map([person.0], |row| Ok(Register::read(row))).doing(during::READING)?;
        rows.filter_map(|row| row.doing(during::READING).transpose()).collect()
    }
}

/// The id of a person's register on a subject, and the register if it is whole.
pub(crate) fn find(connection: &Connection, subject: i64, person: &VoterId) -> Result<Option<(i64, Option<Register>)>> {
    connection
        .prepare_cached(
            "SELECT id, subject, person, choice, at, reputation, derived, hash, host_hash, acknowledged, checksum \
             FROM votes WHERE subject = ?1 AND person = ?2",
        )
        .and_then(|mut statement| {
            statement.query_row(params![subject, person.0], |row| Ok((row.get(0)?, Register::read(row)))).optional()
        })
        .doing(during::READING)
}

/// Own standing votes cast before `before`, from the id `after` on, up to `limit`.
pub(crate) fn cast_before(
    connection: &Connection,
    before: UnixMillis,
    after: i64,
    limit: u32,
) -> Result<Vec<Register>> {
    let sql = format!(
        "SELECT {} FROM votes WHERE id > ?1 AND derived = 0 AND choice < 2 AND at < ?2 ORDER BY id LIMIT ?3",
        Register::COLUMNS
    );
    let mut statement = connection.prepare_cached(&sql).doing(during::READING)?;
    let rows =
        statement.query_map(params![after, before.0, limit], |row| Ok(Register::read(row))).doing(during::READING)?;
    rows.filter_map(|row| row.doing(during::READING).transpose()).collect()
}

/// Own standing votes that the server never confirmed, from the id `after` on, up to `limit`.
pub(crate) fn unacknowledged(connection: &Connection, after: i64, limit: u32) -> Result<Vec<Register>> {
    let sql = format!(
        "SELECT {} FROM votes WHERE id > ?1 AND derived = 0 AND choice < 2 AND acknowledged = 0 ORDER BY id LIMIT ?2",
        Register::COLUMNS
    );
    let mut statement = connection.prepare_cached(&sql).doing(during::READING)?;
    let rows = statement.query_map(params![after, limit], |row| Ok(Register::read(row))).doing(during::READING)?;
    rows.filter_map(|row| row.doing(during::READING).transpose()).collect()
}

/// Whether a change of this register waits to be sent.
pub(crate) fn is_pending(connection: &Connection, register: &Register) -> Result<bool> {
    outbox::waits(connection, &register.hash.to_string(), Some(&register.person))
}

/// A page of a person's standing votes, the latest first, below a time and id.
pub(crate) fn page(connection: &Connection, person: &VoterId, limit: u32, below: Option<(i64, i64)>) -> Result<Found> {
    let (at, id) = below.unwrap_or((i64::MAX, i64::MAX));
    let sql = format!(
        "SELECT {} FROM votes INDEXED BY votes_of_person \
         WHERE person = ?1 AND choice < 2 AND derived = 0 AND (at, id) < (?2, ?3) ORDER BY at DESC, id DESC LIMIT ?4",
        Register::COLUMNS
    );
    let mut statement = connection.prepare_cached(&sql).doing(during::READING)?;
    let mut rows = statement.query(params![person.0, at, id, limit + 1]).doing(during::READING)?;
    let mut found = Found { votes: Vec::new(), next: None, withheld: 0 };
    let (mut seen, mut last) = (0, None);
    while let Some(row) = rows.next().doing(during::READING)? {
        if seen == limit {
            found.next = last;
            break;
        }
        seen += 1;
        last = row.int(4).zip(row.int(0));
        match Register::read(row) {
            Some(register) => found.votes.push(register),
            None => found.withheld += 1,
        }
    }
    Ok(found)
}

/// Every standing ballot on a subject later than `after`, up to and with `up_to`.
pub(crate) fn for_each_between(
    connection: &Connection,
    subject: i64,
    after: UnixMillis,
    up_to: UnixMillis,
    mut visit: impl FnMut(&Ballot),
) -> Result<()> {
    let mut statement = connection
        .prepare_cached(
            "SELECT choice, at, reputation FROM votes WHERE subject = ?1 AND at > ?2 AND at <= ?3 AND choice < 2",
        )
        .doing(during::READING)?;
    let mut rows = statement.query(params![subject, after.0, up_to.0]).doing(during::READING)?;
    while let Some(row) = rows.next().doing(during::READING)? {
        if let Some(ballot) = read_ballot(row) {
            visit(&ballot);
        }
    }
    Ok(())
}

/// The newest standing vote's time, and the oldest one's after the watermark.
pub(crate) fn extremes(
    connection: &Connection,
    subject: i64,
    watermark: UnixMillis,
) -> Result<(Option<UnixMillis>, Option<UnixMillis>)> {
    let one = |sql: &str, after: i64| -> Result<Option<UnixMillis>> {
        connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.query_row([subject, after], |row| row.get(0)).optional())
            .map(|found: Option<i64>| found.map(UnixMillis))
            .doing(during::READING)
    };
    let newest =
        one("SELECT at FROM votes WHERE subject = ?1 AND at > ?2 AND choice < 2 ORDER BY at DESC LIMIT 1", i64::MIN)?;
    let oldest_linear =
        one("SELECT at FROM votes WHERE subject = ?1 AND at > ?2 AND choice < 2 ORDER BY at LIMIT 1", watermark.0)?;
    Ok((newest, oldest_linear))
}

/// A subject's sums from nothing but its votes.
pub(crate) fn recount(connection: &Connection, subject: i64) -> Result<Tally> {
    let mut tally = Tally::default();
    for_each_between(connection, subject, UnixMillis(i64::MIN), UnixMillis(i64::MAX), |ballot| tally.add(ballot))?;
    Ok(tally)
}

/// Writes a salvaged row, unless the register is there already.
pub(crate) fn put_salvaged(connection: &Connection, register: &Register) -> Result<()> {
    match find(connection, register.subject, &register.person)? {
        Some(_) => Ok(()),
        None => put(connection, None, register),
    }
}

/// Writes a person's register on a host, where there is none yet; false if there is one.
pub(crate) fn insert_derived(connection: &Connection, host: &QrHash, person: &VoterId) -> Result<bool> {
    let Some(ballot) = latest_on_host(connection, host, person)? else { return Ok(false) };
    let subject = subjects::number_of(connection, host)?;
    if find(connection, subject, person)?.is_some() {
        return Ok(false);
    }
    put(connection, None, &Register::derived(subject, *host, *person, &ballot)).map(|()| true)
}

/// The person's latest standing vote on any code of a host.
fn latest_on_host(connection: &Connection, host: &QrHash, person: &VoterId) -> Result<Option<Ballot>> {
    connection
        .prepare_cached(
            "SELECT choice, at, reputation FROM votes \
             WHERE host_hash = ?1 AND person = ?2 AND choice < 2 ORDER BY at DESC, id DESC LIMIT 1",
        )
        .and_then(|mut statement| statement.query_row(params![host.0, person.0], |row| Ok(read_ballot(row))).optional())
        .map(Option::flatten)
        .doing(during::READING)
}

fn put(connection: &Connection, replaced: Option<i64>, register: &Register) -> Result<()> {
    let sql = if replaced.is_some() {
        "UPDATE votes SET subject = ?2, person = ?3, choice = ?4, at = ?5, reputation = ?6, derived = ?7, \
         hash = ?8, host_hash = ?9, acknowledged = ?10, checksum = ?11 WHERE id = ?1"
    } else {
        "INSERT INTO votes (id, subject, person, choice, at, reputation, derived, hash, host_hash, acknowledged, \
         checksum) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
    };
    connection
        .prepare_cached(sql)
        .and_then(|mut statement| {
            statement.execute(params![
                replaced,
                register.subject,
                register.person.0,
                register.choice_code(),
                register.at.0,
                register.reputation.thousandths(),
                register.derived,
                register.hash.0,
                register.host_hash.map(|host| host.0),
                register.acknowledged,
                checksum(register)
            ])
        })
        .doing(during::WRITING)?;
    Ok(())
}

/// Standing votes that were cast on a subject, and not on a code of it.
pub(crate) fn count_own(connection: &Connection, subject: i64) -> Result<i64> {
    connection
        .prepare_cached("SELECT count(*) FROM votes WHERE subject = ?1 AND choice < 2 AND derived = 0")
        .and_then(|mut statement| statement.query_row([subject], |row| row.get(0)))
        .doing(during::READING)
}

fn read_ballot(row: &rusqlite::Row<'_>) -> Option<Ballot> {
    Some(Ballot {
        choice: choice_of(row.int(0)?)?,
        at: UnixMillis(row.int(1)?),
        reputation: Reputation::from_thousandths(row.number(2)?)?,
    })
}

/// Without the id: a register is told by its person and subject.
fn checksum(register: &Register) -> i64 {
    Checksum::of(Register::TABLE)
        .int(register.subject)
        .blob(&register.person.0)
        .int(register.choice_code())
        .int(register.at.0)
        .int(i64::from(register.reputation.thousandths()))
        .int(i64::from(register.derived))
        .blob(&register.hash.0)
        .optional(register.host_hash, |sum, host| sum.blob(&host.0))
        .int(i64::from(register.acknowledged))
        .finish()
}
