//! A storage in a table of a SQLite database.

use std::{collections::HashMap, fmt::Write as _, fs, path::Path};

use rusqlite::{
    Connection, OpenFlags, OptionalExtension, Row, ToSql, config::DbConfig, limits::Limit, types::ValueRef,
};

use super::{
    Batch, Document, MAX_DOCUMENT_BYTES, MAX_KEY_BYTES, MAX_VALUE_BYTES, WHILE, find::ENTRIES, origin::beside,
    rescue::rescue, text,
};
use crate::{
    error::{Error, Result},
    storage::fault::Sql,
};

/// How long to wait for a lock that another process holds: what an app can be asked to bear at its start.
const BUSY_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(5);

pub(crate) struct Table {
    connection: Connection,
    /// None: the database has none of the tables it could have.
    select: Option<Statements>,
    /// The last row that was read.
    after: i64,
    documents: &'static [&'static str],
    /// Rows of the documents that were come across.
    found: HashMap<String, i64>,
    pub(super) total: u64,
    pub(super) lost: u32,
}

struct Statements {
    entries: String,
    document: String,
}

impl Table {
    pub(super) fn open(
        path: &Path,
        tables: &[&'static str],
        scratch: &Path,
        documents: &'static [&'static str],
    ) -> Result<Self> {
        let whole = open_original(path, scratch).and_then(|connection| {
            let report: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).doing(WHILE)?;
            if report == "ok" { Ok(connection) } else { Err(Error::Damaged { during: WHILE }) }
        });
        match whole {
            Ok(connection) => Self::of(connection, tables, documents, 0),
            Err(Error::Damaged { .. }) => {
                let (connection, lost) = rescue(path, tables, scratch)?;
                Self::of(connection, ENTRIES, documents, lost)
            }
            Err(other) => Err(other),
        }
    }

    fn of(
        connection: Connection,
        tables: &[&'static str],
        documents: &'static [&'static str],
        lost: u32,
    ) -> Result<Self> {
        let table = first_table(&connection, tables)?;
        let total = match table {
            Some(table) => content(&connection, table)?,
            None => 0,
        };
        let select = table.map(|table| Statements::of(table, documents.len()));
        Ok(Self { connection, select, after: i64::MIN, documents, found: HashMap::new(), total, lost })
    }

    pub(super) fn next(&mut self) -> Result<Option<Batch>> {
        let Some(select) = &self.select else { return Ok(None) };
        let mut statement = self.connection.prepare_cached(&select.entries).doing(WHILE)?;
        let mut values: Vec<&dyn ToSql> = vec![&self.after];
        values.extend(self.documents.iter().map(|key| key as &dyn ToSql));
        let mut rows = statement.query(values.as_slice()).doing(WHILE)?;
        let mut batch = Batch::default();
        let mut last = None;
        while let Some(row) = rows.next().doing(WHILE)? {
            last = Some(row.get(0).doing(WHILE)?);
            let length = |index| length(row, index).doing(WHILE);
            let (Some(key_bytes), value_bytes) = (length(2)?, length(4)?) else {
                batch.counts.nothing += 1;
                continue;
            };
            let key = bytes(row.get_ref(1).doing(WHILE)?);
            if let Some(document) = self.documents.iter().find(|it| key.as_deref() == Some(it.as_bytes())) {
                self.found.insert((*document).to_owned(), row.get(0).doing(WHILE)?);
                continue;
            }
            batch.bytes += key_bytes + value_bytes.unwrap_or(0);
            match (key, bytes(row.get_ref(3).doing(WHILE)?)) {
                (Some(key), Some(value)) => batch.take(&key, value),
                (Some(_), None) if value_bytes.is_none() => batch.counts.nothing += 1,
                _ => batch.counts.refused += 1,
            }
            if batch.is_full() {
                break;
            }
        }
        drop(rows);
        drop(statement);
        let Some(last) = last else { return Ok(None) };
        self.after = last;
        Ok(Some(batch))
    }

    pub(super) fn document(&mut self, key: &str) -> Result<Document> {
        let (Some(select), Some(row)) = (&self.select, self.found.get(key)) else { return Ok(Document::Missing) };
        let read = self
            .connection
            .query_row(&select.document, [row], |row| Ok((length(row, 0)?, bytes(row.get_ref(1)?))))
            .optional()
            .doing(WHILE)?;
        Ok(match read {
            Some((_, Some(bytes))) => {
                let (text, altered) = text(bytes);
                Document::Text { text, altered }
            }
            Some((Some(_), None)) => Document::TooLong,
            // There is a row, and it says that there is nothing.
            Some((None, None)) | None => Document::Missing,
        })
    }
}

impl Statements {
    /// In the order of the rows: that needs no index, which may be broken. What is too long is never read.
    fn of(table: &str, documents: usize) -> Self {
        let mut placeholders = String::new();
        for number in 0..documents {
            write!(placeholders, "{}?{}", if number > 0 { ", " } else { "" }, number + 2)
                .expect("a text takes whatever is written to it");
        }
        Self {
            entries: format!(
                "SELECT rowid, CASE WHEN octet_length(key) <= {MAX_KEY_BYTES} THEN key END, octet_length(key), \
                 CASE WHEN octet_length(value) <= {MAX_VALUE_BYTES} AND key NOT IN ({placeholders}) THEN value END, \
                 octet_length(value) FROM {table} NOT INDEXED WHERE rowid > ?1 ORDER BY rowid"
            ),
            document: format!(
                "SELECT octet_length(value), CASE WHEN octet_length(value) <= {MAX_DOCUMENT_BYTES} THEN value END \
                 FROM {table} WHERE rowid = ?1"
            ),
        }
    }
}

/// Opens a database where it lies, for reading only. What SQLite would have to put right first is put right in a copy.
pub(super) fn open_original(path: &Path, scratch: &Path) -> Result<Connection> {
    // There is nothing to ask of a database that was never used.
    let readable = |connection: &Connection| {
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).doing(WHILE)
    };
    let opened =
        open(path, OpenFlags::SQLITE_OPEN_READ_ONLY).and_then(|connection| readable(&connection).map(|()| connection));
    match opened {
        Err(Error::Io { .. }) => {
            let copy = copied(path, scratch)?;
            let connection = open(&copy, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
            readable(&connection).map(|()| connection)
        }
        opened => opened,
    }
}

pub(super) fn open(path: &Path, flags: OpenFlags) -> Result<Connection> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX).doing(WHILE)?;
    connection.busy_timeout(BUSY_TIMEOUT).doing(WHILE)?;
    // The log stays as it is when the last reader leaves.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).doing(WHILE)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true).doing(WHILE)?;
    let longest = i32::try_from(MAX_DOCUMENT_BYTES + MAX_KEY_BYTES).unwrap_or(i32::MAX);
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, longest).doing(WHILE)?;
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0).doing(WHILE)?;
    connection
        .execute_batch("PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0;")
        .doing(WHILE)?;
    Ok(connection)
}

/// The first of these tables that the database has.
pub(super) fn first_table(connection: &Connection, tables: &[&'static str]) -> Result<Option<&'static str>> {
    for table in tables {
        let there = connection
            .query_row("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1", [table], |_| Ok(()))
            .optional()
            .doing(WHILE)?;
        if there.is_some() {
            return Ok(Some(table));
        }
    }
    Ok(None)
}

/// A length, which is NULL where there is nothing.
fn length(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<u64>> {
    Ok(row.get::<_, Option<i64>>(index)?.map(i64::unsigned_abs))
}

/// A column's bytes; none if it is NULL. A number is what it is as text.
pub(super) fn bytes(value: ValueRef<'_>) -> Option<Vec<u8>> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string().into_bytes()),
        ValueRef::Real(number) => Some(number.to_string().into_bytes()),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(bytes.to_vec()),
    }
}

fn content(connection: &Connection, table: &str) -> Result<u64> {
    let sql = format!("SELECT sum(octet_length(key) + ifnull(octet_length(value), 0)) FROM {table}");
    connection.query_row(&sql, [], |row| Ok(length(row, 0)?.unwrap_or(0))).doing(WHILE)
}

/// A copy of a database with its journal and its log, in our own folder.
fn copied(path: &Path, scratch: &Path) -> Result<std::path::PathBuf> {
    let failed = |error| Error::io(&error, WHILE);
    fs::create_dir_all(scratch).map_err(failed)?;
    let copy = scratch.join("copy");
    for suffix in ["-journal", "-wal", ""] {
        match fs::copy(beside(path, suffix), beside(&copy, suffix)) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !suffix.is_empty() => {
                // Nor must there be one left of another copy.
                drop(fs::remove_file(beside(&copy, suffix)));
            }
            copied => drop(copied.map_err(failed)?),
        }
    }
    // Bound to the copy that was there before.
    drop(fs::remove_file(beside(&copy, "-shm")));
    Ok(copy)
}
