//! Key-value rows.

use rusqlite::{Connection, OptionalExtension, params};

use super::{
    columns::{Checksum, Columns, Record},
    fault::{Sql, during},
    transaction::Transaction,
};
use crate::{
    error::{Error, Result},
    model::{KvPair, StoreName},
};

/// What a row is booked with beside key and value.
const ROW_OVERHEAD: i64 = 64;

/// A stored pair.
pub(crate) struct Entry {
    id: i64,
    pub(crate) pair: KvPair,
}

impl Record for Entry {
    const TABLE: &'static str = "key_value";
    const COLUMNS: &'static str = "id, key, value, checksum";

    fn read(row: &impl Columns) -> Option<Self> {
        let pair = KvPair { key: row.text(1)?.to_owned(), value: row.text(2)?.to_owned() };
        (row.int(3)? == checksum(&pair)).then(|| row.int(0).map(|id| Self { id, pair }))?
    }

    fn row_id(&self) -> i64 {
        self.id
    }
}

impl Transaction<'_> {
    /// Stores a pair, in place of the one with the same key.
    pub(crate) fn set_value(&mut self, pair: &KvPair) -> Result<()> {
        let (rows, freed) = match stored_size(self.connection, &pair.key)? {
            Some(before) => (0, before),
            None => (1, 0),
        };
        self.book(StoreName::KeyValue, rows, size(pair) - freed)?;
        self.connection
            .prepare_cached(
                "INSERT INTO key_value (key, value, checksum) VALUES (?1, ?2, ?3) \
                 ON CONFLICT (key) DO UPDATE SET value = excluded.value, checksum = excluded.checksum",
            )
            .and_then(|mut statement| statement.execute(params![pair.key, pair.value, checksum(pair)]))
            .doing(during::WRITING)?;
        Ok(())
    }

    /// Removes a key; false if it was not there.
    pub(crate) fn remove_value(&mut self, key: &str) -> Result<bool> {
        let Some(bytes) = stored_size(self.connection, key)? else { return Ok(false) };
        self.connection
            .prepare_cached("DELETE FROM key_value WHERE key = ?1")
            .and_then(|mut statement| statement.execute([key]))
            .doing(during::WRITING)?;
        self.state.counters.grow(StoreName::KeyValue, -1, -bytes);
        Ok(true)
    }

    /// Removes everything; false if nothing was there.
    pub(crate) fn clear_values(&mut self) -> Result<bool> {
        let removed = self.connection.execute("DELETE FROM key_value", []).doing(during::WRITING)?;
        let counters = &mut self.state.counters;
        let (rows, bytes) = (counters.rows(StoreName::KeyValue), counters.bytes(StoreName::KeyValue).0);
        counters.grow(StoreName::KeyValue, -rows, -bytes);
        Ok(removed > 0)
    }
}

/// The value under a key. A damaged one is [`Error::Damaged`]: it must not look like a missing one.
pub(crate) fn find(connection: &Connection, key: &str) -> Result<Option<String>> {
    let found = connection
        .prepare_cached("SELECT id, key, value, checksum FROM key_value WHERE key = ?1")
        .and_then(|mut statement| statement.query_row([key], |row| Ok(Entry::read(row))).optional())
        .doing(during::READING)?;
    match found {
        Some(Some(entry)) => Ok(Some(entry.pair.value)),
        Some(None) => Err(Error::Damaged { during: during::READING }),
        None => Ok(None),
    }
}

/// Whether there is a value under this key, damaged or not.
pub(crate) fn is_there(connection: &Connection, key: &str) -> Result<bool> {
    Ok(stored_size(connection, key)?.is_some())
}

/// All keys, in the order of their bytes: read off the index alone.
pub(crate) fn keys(connection: &Connection) -> Result<Vec<String>> {
    let mut statement = connection.prepare_cached("SELECT key FROM key_value ORDER BY key").doing(during::READING)?;
    let rows = statement.query_map([], |row| row.get(0)).doing(during::READING)?;
    rows.map(|row| row.doing(during::READING)).collect()
}

/// What a row is booked with.
pub(crate) fn size(pair: &KvPair) -> i64 {
    i64::try_from(pair.key.len() + pair.value.len()).unwrap_or(i64::MAX / 2) + ROW_OVERHEAD
}

fn stored_size(connection: &Connection, key: &str) -> Result<Option<i64>> {
    connection
        .prepare_cached("SELECT octet_length(key) + octet_length(value) FROM key_value WHERE key = ?1")
        .and_then(|mut statement| statement.query_row([key], |row| row.get::<_, i64>(0)).optional())
        .map(|size| size.map(|size| size + ROW_OVERHEAD))
        .doing(during::READING)
}

fn checksum(pair: &KvPair) -> i64 {
    Checksum::of(Entry::TABLE).text(&pair.key).text(&pair.value).finish()
}
