//! The ledger as SQL.

use rusqlite::{Connection, OptionalExtension, Params, Row, params};
use safescan_core::{
    model::{OperationId, QrHash, UnixMillis, VoteChoice, VoterId},
    voting::{Ballot, Reputation},
};

use super::{
    fault::{Sql, during},
    tally,
};
use crate::{
    error::{Error, Result},
    rules::{Cast, DayUse, Device, ItemKind, Kept, Ledger, Memory, Payer, Register, Registers, Stamp, Subject, Voter},
};

/// Stands for a vote that was taken back.
const TAKEN_BACK: i64 = 2;
/// Rows of old casts that one new one clears away: more than it adds, so that there is an end to it.
const CLEARED_AT_ONCE: i64 = 4;

/// An open transaction.
pub(super) struct SqliteLedger<'a> {
    pub(super) connection: &'a Connection,
    pub(super) revision: &'a mut i64,
}

impl SqliteLedger<'_> {
    fn one<T>(
        &self,
        sql: &str,
        values: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>> {
        self.connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.query_row(values, read).optional())
            .doing(during::READING)
    }

    fn all<T>(
        &self,
        sql: &str,
        values: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        let mut statement = self.connection.prepare_cached(sql).doing(during::READING)?;
        let rows = statement.query_map(values, read).doing(during::READING)?;
        rows.collect::<rusqlite::Result<Vec<T>>>().doing(during::READING)
    }

    fn write(&self, sql: &str, values: impl Params) -> Result<usize> {
        self.connection.prepare_cached(sql).and_then(|mut statement| statement.execute(values)).doing(during::WRITING)
    }

    fn subject_where(&self, sql: &str, values: impl Params) -> Result<Option<Subject>> {
        let found = self.one(sql, values, read_subject)?;
        found.map(|subject| subject.ok_or(Error::Damaged { what: "a subject" })).transpose()
    }

    fn casts(&self, sql: &str, whose: i64, after: UnixMillis, before: UnixMillis) -> Result<Vec<Cast>> {
        self.all(sql, params![whose, after.0, before.0], |row| {
            Ok(Cast { subject: row.get(0)?, at: UnixMillis(row.get(1)?), sets: row.get(2)? })
        })
    }
}

impl Ledger for SqliteLedger<'_> {
    fn account(&mut self, name: &str) -> Result<Payer> {
        let found = self.one("SELECT id, day, votes FROM accounts WHERE name = ?1", [name], |row| {
            Ok(Payer { id: row.get(0)?, used: DayUse { day: row.get(1)?, votes: row.get(2)? } })
        })?;
        if let Some(account) = found {
            return Ok(account);
        }
        self.write("INSERT INTO accounts (name, day, votes) VALUES (?1, 0, 0)", [name])?;
        Ok(Payer { id: self.connection.last_insert_rowid(), used: DayUse::default() })
    }

    fn save_account(&mut self, account: &Payer) -> Result<()> {
        let DayUse { day, votes } = account.used;
        self.write(
            "UPDATE accounts SET day = ?2, votes = ?3 WHERE id = ?1 AND (day <> ?2 OR votes <> ?3)",
            params![account.id, day, votes],
        )
        .map(drop)
    }

    fn device(&mut self, account: i64, name: &str) -> Result<Device> {
        let sql = "SELECT id, floor, highest, remembered FROM devices WHERE account = ?1 AND name = ?2";
        let found = self.one(sql, params![account, name], |row| {
            Ok(Device { id: row.get(0)?, floor: row.get(1)?, highest: row.get(2)?, remembered: row.get(3)? })
        })?;
        if let Some(device) = found {
            return Ok(device);
        }
        self.write(
            "INSERT INTO devices (account, name, floor, highest, remembered) VALUES (?1, ?2, ?3, ?3, 0)",
            params![account, name, i64::MIN],
        )?;
        Ok(Device { id: self.connection.last_insert_rowid(), floor: i64::MIN, highest: i64::MIN, remembered: 0 })
    }

    fn save_device(&mut self, device: &Device) -> Result<()> {
        self.write(
            "UPDATE devices SET floor = ?2, highest = ?3, remembered = ?4 WHERE id = ?1",
            params![device.id, device.floor, device.highest, device.remembered],
        )
        .map(drop)
    }

    fn recall(&mut self, device: i64, id: &OperationId) -> Result<Option<Memory>> {
        let sql = "SELECT outcome, at, rev FROM operations WHERE device = ?1 AND name = ?2";
        self.one(sql, params![device, id.0], |row| {
            let at = UnixMillis(row.get(1)?);
            Ok(match row.get(0)? {
                0 => Memory::Applied { at, rev: row.get(2)? },
                1 => Memory::Superseded { at },
                _ => Memory::Deferred,
            })
        })
    }

    fn remember(&mut self, device: i64, id: &OperationId, seq: i64, memory: &Memory) -> Result<bool> {
        let (outcome, at, rev) = match *memory {
            Memory::Applied { at, rev } => (0, at.0, rev),
            Memory::Superseded { at } => (1, at.0, 0),
            Memory::Deferred => (2, 0, 0),
        };
        let values = params![device, id.0, outcome, at, rev, seq];
        let known = self.write(
            "UPDATE operations SET outcome = ?3, at = ?4, rev = ?5, seq = ?6 WHERE device = ?1 AND name = ?2",
            values,
        )?;
        if known == 0 {
            self.write(
                "INSERT INTO operations (device, name, outcome, at, rev, seq) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                values,
            )?;
        }
        Ok(known == 0)
    }

    fn forget_below(&mut self, device: i64, floor: i64) -> Result<i64> {
        let forgotten = self.write("DELETE FROM operations WHERE device = ?1 AND seq < ?2", params![device, floor])?;
        Ok(i64::try_from(forgotten).unwrap_or(i64::MAX))
    }

    fn place_from_top(&mut self, device: i64, keep: i64) -> Result<Option<i64>> {
        let sql = "SELECT seq FROM operations WHERE device = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2";
        self.one(sql, params![device, keep - 1], |row| row.get(0))
    }

    fn voter(&mut self, id: &VoterId) -> Result<Option<Voter>> {
        self.one("SELECT id, account, day, votes FROM voters WHERE voter = ?1", [id.0], |row| {
            let used = DayUse { day: row.get(2)?, votes: row.get(3)? };
            Ok(Voter { id: row.get(0)?, account: row.get(1)?, used })
        })
    }

    fn claim_voter(&mut self, id: &VoterId, account: i64) -> Result<Voter> {
        self.write("INSERT INTO voters (voter, account, day, votes) VALUES (?1, ?2, 0, 0)", params![id.0, account])?;
        Ok(Voter { id: self.connection.last_insert_rowid(), account, used: DayUse::default() })
    }

    fn save_voter(&mut self, voter: &Voter) -> Result<()> {
        let DayUse { day, votes } = voter.used;
        self.write("UPDATE voters SET day = ?2, votes = ?3 WHERE id = ?1", params![voter.id, day, votes]).map(drop)
    }

    fn next_revision(&mut self) -> Result<i64> {
        *self.revision += 1;
        Ok(*self.revision)
    }

    fn find_subject(&mut self, hash: &QrHash) -> Result<Option<Subject>> {
        self.subject_where("SELECT id, hash, tally, rev FROM subjects WHERE hash = ?1", [hash.0])
    }

    fn subject(&mut self, id: i64) -> Result<Subject> {
        let found = self.subject_where("SELECT id, hash, tally, rev FROM subjects WHERE id = ?1", [id])?;
        found.ok_or(Error::Damaged { what: "a vote's subject" })
    }

    fn insert_subject(&mut self, hash: &QrHash) -> Result<Subject> {
        let subject = Subject { id: 0, hash: *hash, tally: Default::default(), rev: 0 };
        self.write(
            "INSERT INTO subjects (hash, tally, rev) VALUES (?1, ?2, 0)",
            params![hash.0, tally::encode(&subject.tally)],
        )?;
        Ok(Subject { id: self.connection.last_insert_rowid(), ..subject })
    }

    fn save_subject(&mut self, subject: &Subject) -> Result<()> {
        self.write(
            "UPDATE subjects SET tally = ?2, rev = ?3 WHERE id = ?1",
            params![subject.id, tally::encode(&subject.tally), subject.rev],
        )
        .map(drop)
    }

    fn registers(&mut self, subject: i64, voter: i64) -> Result<Registers> {
        let sql = "SELECT subject, voter, derived, account, choice, at, device, seq, rev, host, host_voter, counts \
                   FROM votes WHERE subject = ?1 AND voter = ?2";
        let mut registers = Registers::default();
        for register in self.all(sql, [subject, voter], read_register)? {
            let place = if register.derived { &mut registers.derived } else { &mut registers.direct };
            *place = Some(register);
        }
        Ok(registers)
    }

    fn save_register(&mut self, register: &Register) -> Result<()> {
        self.write(
            "INSERT INTO votes (subject, voter, derived, account, choice, at, device, seq, rev, host, host_voter, counts) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) \
             ON CONFLICT (subject, voter, derived) DO UPDATE SET account = ?4, choice = ?5, at = ?6, device = ?7, \
             seq = ?8, rev = ?9, host = ?10, host_voter = ?11, counts = ?12",
            params![
                register.subject,
                register.voter,
                register.derived,
                register.account,
                choice_code(register.choice),
                register.stamp.at.0,
                register.stamp.device,
                register.stamp.seq,
                register.rev,
                register.host.map(|(host, _)| host),
                register.host.map(|(_, voter)| voter),
                register.counts
            ],
        )
        .map(drop)
    }

    fn latest_on_host(&mut self, host: i64, host_voter: i64) -> Result<Option<(VoteChoice, UnixMillis)>> {
        let sql = "SELECT choice, at FROM votes INDEXED BY votes_on_host \
                   WHERE host = ?1 AND host_voter = ?2 AND host IS NOT NULL AND choice < 2 ORDER BY at DESC, rev DESC LIMIT 1";
        let found = self.one(sql, [host, host_voter], |row| Ok((row.get(0)?, UnixMillis(row.get(1)?))))?;
        Ok(found.and_then(|(code, at)| choice_of(code).map(|choice| (choice, at))))
    }

    fn ballots_between(
        &mut self,
        subject: i64,
        after: UnixMillis,
        up_to: UnixMillis,
        visit: &mut dyn FnMut(&Ballot),
    ) -> Result<()> {
        let sql = "SELECT choice, at FROM votes INDEXED BY votes_by_time \
                   WHERE subject = ?1 AND at > ?2 AND at <= ?3 AND counts = 1";
        let mut statement = self.connection.prepare_cached(sql).doing(during::READING)?;
        let mut rows = statement.query(params![subject, after.0, up_to.0]).doing(during::READING)?;
        while let Some(row) = rows.next().doing(during::READING)? {
            let (code, at) = (row.get(0).doing(during::READING)?, row.get(1).doing(during::READING)?);
            let choice = choice_of(code).ok_or(Error::Damaged { what: "a vote" })?;
            visit(&Ballot { choice, at: UnixMillis(at), reputation: Reputation::NEUTRAL });
        }
        Ok(())
    }

    fn extremes(&mut self, subject: i64, watermark: UnixMillis) -> Result<(Option<UnixMillis>, Option<UnixMillis>)> {
        let one = |sql: &str, after: i64| self.one(sql, [subject, after], |row| row.get(0).map(UnixMillis));
        let newest = one(
            "SELECT at FROM votes INDEXED BY votes_by_time \
             WHERE subject = ?1 AND at > ?2 AND counts = 1 ORDER BY at DESC LIMIT 1",
            i64::MIN,
        )?;
        let oldest_linear = one(
            "SELECT at FROM votes INDEXED BY votes_by_time \
             WHERE subject = ?1 AND at > ?2 AND counts = 1 ORDER BY at LIMIT 1",
            watermark.0,
        )?;
        Ok((newest, oldest_linear))
    }

    fn item(&mut self, account: i64, kind: ItemKind, key: &str) -> Result<Option<Kept>> {
        let sql = "SELECT body, at, device, seq, rev FROM items WHERE account = ?1 AND kind = ?2 AND key = ?3";
        self.one(sql, params![account, kind_code(kind), key], |row| {
            let stamp = Stamp { at: UnixMillis(row.get(1)?), device: row.get(2)?, seq: row.get(3)? };
            Ok(Kept { body: row.get(0)?, stamp, rev: row.get(4)? })
        })
    }

    fn save_item(&mut self, account: i64, kind: ItemKind, key: &str, kept: &Kept) -> Result<()> {
        self.write(
            "INSERT INTO items (account, kind, key, body, at, device, seq, rev) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) \
             ON CONFLICT (account, kind, key) DO UPDATE SET body = ?4, at = ?5, device = ?6, seq = ?7, rev = ?8",
            params![
                account,
                kind_code(kind),
                key,
                kept.body,
                kept.stamp.at.0,
                kept.stamp.device,
                kept.stamp.seq,
                kept.rev
            ],
        )
        .map(drop)
    }

    fn casts_of_voter(&mut self, voter: i64, after: UnixMillis, before: UnixMillis) -> Result<Vec<Cast>> {
        self.casts("SELECT subject, at, sets FROM casts WHERE voter = ?1 AND at > ?2 AND at < ?3", voter, after, before)
    }

    fn casts_of_account(&mut self, account: i64, after: UnixMillis, before: UnixMillis) -> Result<Vec<Cast>> {
        let sql = "SELECT subject, at, sets FROM casts WHERE account = ?1 AND at > ?2 AND at < ?3";
        self.casts(sql, account, after, before)
    }

    fn note_cast(&mut self, account: i64, voter: i64, cast: &Cast, received: UnixMillis) -> Result<()> {
        self.write(
            "INSERT INTO casts (account, voter, subject, at, sets, received) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![account, voter, cast.subject, cast.at.0, cast.sets, received.0],
        )?;
        self.write(
            "DELETE FROM casts WHERE id IN (SELECT id FROM casts ORDER BY id LIMIT ?1) AND received < ?2",
            params![CLEARED_AT_ONCE, received.minus(safescan_core::model::DAY_MS).0],
        )
        .map(drop)
    }
}

/// Reads `id, hash, tally, rev`.
pub(super) fn read_subject(row: &Row<'_>) -> rusqlite::Result<Option<Subject>> {
    let tally = tally::decode(row.get_ref(2)?.as_blob()?);
    let (id, hash, rev) = (row.get(0)?, QrHash(row.get(1)?), row.get(3)?);
    Ok(tally.map(|tally| Subject { id, hash, tally, rev }))
}

fn read_register(row: &Row<'_>) -> rusqlite::Result<Register> {
    let (host, host_voter): (Option<i64>, Option<i64>) = (row.get(9)?, row.get(10)?);
    Ok(Register {
        subject: row.get(0)?,
        voter: row.get(1)?,
        derived: row.get(2)?,
        account: row.get(3)?,
        choice: choice_of(row.get(4)?),
        stamp: Stamp { at: UnixMillis(row.get(5)?), device: row.get(6)?, seq: row.get(7)? },
        rev: row.get(8)?,
        host: host.zip(host_voter),
        counts: row.get(11)?,
    })
}

fn choice_code(choice: Option<VoteChoice>) -> i64 {
    match choice {
        Some(VoteChoice::Unsafe) => 0,
        Some(VoteChoice::Safe) => 1,
        None => TAKEN_BACK,
    }
}

pub(super) fn choice_of(code: i64) -> Option<VoteChoice> {
    match code {
        0 => Some(VoteChoice::Unsafe),
        1 => Some(VoteChoice::Safe),
        _ => None,
    }
}

fn kind_code(kind: ItemKind) -> i64 {
    match kind {
        ItemKind::Scan => 0,
        ItemKind::Setting => 1,
    }
}
