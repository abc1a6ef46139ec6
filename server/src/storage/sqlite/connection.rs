//! One protocol for opening the database, whoever opens it.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, limits::Limit};

use super::{
    fault::{Sql, during},
    schema,
};
use crate::error::{Error, Result};

/// The oldest SQLite without the bug that could corrupt a database when its log was restarted.
const OLDEST_SQLITE: i32 = 3_051_003;
/// Our own connections hold a lock for milliseconds; a backup tool may hold one for longer.
const BUSY_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);
/// Statements kept prepared per connection: more than there are.
const STATEMENTS: usize = 96;
/// Cache of the writer: the pages that a busy minute touches.
const WRITER_CACHE_KIB: i32 = 64 * 1024;
/// Cache of a reader.
const READER_CACHE_KIB: i32 = 8 * 1024;
/// Pages in the log before it is folded in: 64 MiB. A longer log makes reading slower, a shorter one more waits for disk.
const LOG_PAGES: i32 = 16_384;

/// Opens the database for writing, makes it if it is missing, and brings it to its newest version.
pub(super) fn open_for_writing(path: &Path) -> Result<Connection> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        return Err(Error::Damaged { what: "the SQLite this program was linked with is too old and its log" });
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = open(path, flags, WRITER_CACHE_KIB)?;
    schema::refuse_newer(&connection)?;
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0)).doing(during::OPENING)?;
    if mode != "wal" {
        return Err(Error::Io { doing: "opening", reason: "the file system does not allow a write-ahead log".into() });
    }
    // FULL: what is acknowledged survives a power cut, not only a killed process.
    connection.pragma_update(None, "synchronous", "FULL").doing(during::OPENING)?;
    connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES).doing(during::OPENING)?;
    schema::migrate(&mut connection)?;
    Ok(connection)
}

/// Opens a database that `open_for_writing` has opened before, for reading only.
pub(super) fn open_for_reading(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = open(path, flags, READER_CACHE_KIB)?;
    connection.pragma_update(None, "query_only", "ON").doing(during::OPENING)?;
    Ok(connection)
}

fn open(path: &Path, flags: OpenFlags, cache_kib: i32) -> Result<Connection> {
    let connection = Connection::open_with_flags(path, flags).doing(during::OPENING)?;
    connection.busy_timeout(BUSY_TIMEOUT).doing(during::OPENING)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // A value of ours has 64 KiB at the most; a damaged length must not make SQLite ask for gigabytes.
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, 16 * 1024 * 1024).doing(during::OPENING)?;
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0).doing(during::OPENING)?;
    connection
        .execute_batch(&format!(
            "PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0; \
             PRAGMA foreign_keys = OFF; PRAGMA cache_size = -{cache_kib};"
        ))
        .doing(during::OPENING)?;
    Ok(connection)
}
