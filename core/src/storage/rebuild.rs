//! A new database from whatever can be read of a broken one, and everything derived from its rows made anew.

use std::{fs::File, io, ops::ControlFlow, path::Path};

use rusqlite::{Connection, TransactionBehavior};

use super::{
    Surroundings,
    carve::{CarveOptions, CarvedRow, Generation, Source, Value, carve},
    columns::{Columns, Record},
    counters::{Counters, STORES},
    fault::{Sql, during},
    integrity, key_value, meta, outbox,
    quota::Quota,
    scans, settings, subjects,
    transaction::{State, Transaction},
    voters, votes,
};
use crate::{
    error::{Error, Result},
    model::{QrHash, Scan, StoreName, StoreReport, VoterId},
};

const WHILE: &str = "rebuilding the database";

/// Fills `target`, an empty database, with every row found in `broken`, and says per store what was kept and lost.
pub(crate) fn from_pages(
    broken: &Path,
    target: &mut Connection,
    surroundings: &Surroundings,
) -> Result<Vec<StoreReport>> {
    let mut database = File::open(broken).map_err(|error| Error::io(&error, WHILE))?;
    let mut log_path = broken.as_os_str().to_owned();
    log_path.push("-wal");
    let mut log = match File::open(log_path) {
        Ok(log) => Some(log),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        // A log that cannot be read holds acknowledged rows: rebuilding without it would lose them.
        Err(error) => return Err(Error::io(&error, WHILE)),
    };

    let tx = target.transaction_with_behavior(TransactionBehavior::Immediate).doing(during::BEGINNING)?;
    let mut state = State::new(Counters::default(), Quota::NONE);
    let mut found = Rows {
        tx: Transaction { connection: &tx, state: &mut state, surroundings },
        counters: Counters::default(),
        failed: None,
    };
    let mut on_row = |row: CarvedRow| match found.take(&row) {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => {
            found.failed = Some(error);
            ControlFlow::Break(())
        }
    };
    let log = log.as_mut().map(|file| -> &mut dyn Source { file });
    carve(&mut database, log, CarveOptions::default(), &mut on_row).map_err(|error| Error::io(&error, WHILE))?;
    let Rows { counters: before, failed, .. } = found;
    failed.map_or(Ok(()), Err)?;

    let after = derive(&tx, &before)?;
    tx.commit().doing(during::COMMITTING)?;
    let count = |rows: i64| u32::try_from(rows.max(0)).unwrap_or(u32::MAX);
    let report = |store| StoreReport {
        store,
        intact: count(after.rows(store)),
        damaged: count(before.rows(store) - after.rows(store)),
    };
    Ok(STORES.into_iter().map(report).collect())
}

/// Makes subjects, host registers and counters anew from the rows; what cannot be counted is taken from `before`.
pub(crate) fn derive(connection: &Connection, before: &Counters) -> Result<Counters> {
    connection
        .execute_batch("DELETE FROM subjects; DELETE FROM votes WHERE derived = 1; DELETE FROM counters;")
        .doing(WHILE)?;
    let mut counters = Counters::default();
    counters.take_lifetime(before);
    integrity::each::<Scan>(connection, |_, scan| book(&mut counters, StoreName::Scans, scan.as_ref(), scans::size))?;
    integrity::each::<key_value::Entry>(connection, |_, entry| {
        book(&mut counters, StoreName::KeyValue, entry.as_ref(), |entry| key_value::size(&entry.pair));
    })?;
    integrity::each::<settings::Setting>(connection, |_, setting| {
        book(&mut counters, StoreName::Settings, setting.as_ref(), settings::size);
    })?;
    integrity::each::<outbox::Entry>(connection, |_, entry| {
        book(&mut counters, StoreName::Operations, entry.as_ref(), outbox::size);
    })?;
    derive_subjects(connection, &mut counters)?;
    counters.save(&Counters::default(), connection)?;
    Ok(counters)
}

/// Subjects by their hash, with sums over their votes; then each person's register on each host.
fn derive_subjects(connection: &Connection, counters: &mut Counters) -> Result<()> {
    let mut registers = Vec::new();
    integrity::each::<votes::Register>(connection, |_, register| registers.extend(register))?;
    for register in &registers {
        // Its number is part of what a register's checksum holds, so it stays the same.
        subjects::insert_as(connection, register.subject, &register.hash, register.host_hash)?;
        counters.grow(StoreName::Votes, i64::from(register.is_own_standing()), votes::ROW_SIZE);
    }
    let mut on_hosts: Vec<(QrHash, VoterId)> = registers
        .iter()
        .filter(|register| register.choice.is_some())
        .filter_map(|register| register.host_hash.map(|host| (host, register.person)))
        .collect();
    on_hosts.sort_unstable();
    on_hosts.dedup();
    for (host, person) in on_hosts {
        if votes::insert_derived(connection, &host, &person)? {
            counters.grow(StoreName::Votes, 0, votes::ROW_SIZE);
        }
    }
    counters.rated(subjects::recount_all(connection)?);
    Ok(())
}

fn book<R>(counters: &mut Counters, store: StoreName, record: Option<&R>, size: impl FnOnce(&R) -> i64) {
    if let Some(record) = record {
        counters.grow(store, 1, size(record));
    }
}

/// Where carved rows go.
struct Rows<'a> {
    tx: Transaction<'a>,
    counters: Counters,
    failed: Option<Error>,
}

impl Rows<'_> {
    /// Puts a candidate where it belongs, if it belongs anywhere: the checksum tells. The first one of a row is the best.
    fn take(&mut self, row: &CarvedRow) -> Result<()> {
        if row.generation == Generation::Stale {
            // Replaced or deleted by a later commit: what somebody deleted stays deleted.
            return Ok(());
        }
        if let Some(scan) = Scan::read(row) {
            return self.unless_there("SELECT 1 FROM scans WHERE id = ?1", &scan.row_id(), |tx| tx.put_scan(&scan));
        }
        if let Some(register) = votes::Register::read(row) {
            return if register.derived { Ok(()) } else { votes::put_salvaged(self.tx.connection, &register) };
        }
        if let Some(entry) = key_value::Entry::read(row) {
            let key = &entry.pair.key;
            return self.unless_there("SELECT 1 FROM key_value WHERE key = ?1", key, |tx| tx.set_value(&entry.pair));
        }
        if let Some(entry) = outbox::Entry::read(row) {
            let sql = "SELECT 1 FROM outbox WHERE seq = ?1 OR id = ?2";
            let there = self
                .tx
                .connection
                .prepare_cached(sql)
                .doing(WHILE)?
                .exists(rusqlite::params![entry.seq, entry.operation.id.0])
                .doing(WHILE)?;
            return if there { Ok(()) } else { self.tx.put_entry(&entry) };
        }
        if let Some(setting) = settings::Setting::read(row) {
            let settings::Setting { name, value, at, .. } = setting;
            let sql = "SELECT 1 FROM settings WHERE name = ?1";
            return self.unless_there(sql, &name, |tx| tx.set_setting(&name, value, at));
        }
        if let Some(entry) = meta::Entry::read(row) {
            let sql = "SELECT 1 FROM meta WHERE name = ?1";
            return self.unless_there(sql, &entry.name, |tx| tx.set_meta(&entry.name, &entry.value));
        }
        if let Some(voter) = voters::Voter::read(row) {
            let sql = "SELECT 1 FROM voters WHERE person = ?1";
            return self.unless_there(sql, &voter.person.0, |tx| tx.set_voter(voter.person, voter.reputation));
        }
        self.counters.take(row);
        Ok(())
    }

    fn unless_there(
        &mut self,
        sql: &str,
        key: &dyn rusqlite::ToSql,
        put: impl FnOnce(&mut Transaction<'_>) -> Result<()>,
    ) -> Result<()> {
        let there = self.tx.connection.prepare_cached(sql).and_then(|mut it| it.exists([key])).doing(WHILE)?;
        if there { Ok(()) } else { put(&mut self.tx) }
    }
}

/// The first column is the row id, which a table stores as NULL among its values.
impl Columns for CarvedRow {
    fn int(&self, index: usize) -> Option<i64> {
        match self.values.get(index)? {
            _ if index == 0 => Some(self.rowid),
            Value::Integer(value) => Some(*value),
            _ => None,
        }
    }

    fn text(&self, index: usize) -> Option<&str> {
        match self.values.get(index)? {
            Value::Text(bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        }
    }

    fn blob(&self, index: usize) -> Option<&[u8]> {
        match self.values.get(index)? {
            Value::Blob(bytes) => Some(bytes),
            _ => None,
        }
    }

    fn is_null(&self, index: usize) -> bool {
        matches!(self.values.get(index), Some(Value::Null))
    }
}
