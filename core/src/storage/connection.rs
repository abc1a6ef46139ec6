//! One protocol for opening a database, whoever opens it.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, config::DbConfig, limits::Limit};

use super::{
    fault::{Sql, during},
    schema,
};
use crate::error::{Error, Result};

/// The oldest SQLite without the bug that could corrupt a database when its log was restarted.
const OLDEST_SQLITE: i32 = 3_051_003;
/// Marks our files among all SQLite files: "SfSc" in ASCII.
const APPLICATION_ID: i32 = 0x5366_5363;
/// How long to wait for a lock. Our own connections hold one for milliseconds; other processes are kept away by a lock
/// of ours. Five seconds is what an app can be asked to bear.
const BUSY_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(5);
/// Statements kept prepared per connection: more than there are.
const STATEMENTS: usize = 96;
/// Cache per connection: 1 MiB holds the inner pages of a million rows.
const CACHE_KIB: i32 = 1024;

/// What a database promises.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Promise {
    /// What is acknowledged survives a power cut.
    Durable,
    /// It is never corrupt, but may lose the last moments.
    Consistent,
}

/// Opens a database for writing, makes it if it is missing, and brings it to its newest version.
pub(crate) fn open_for_writing(path: &Path, promise: Promise) -> Result<Connection> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        return Err(Error::Unexpected { what: "the SQLite this library was linked with is too old" });
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = open(path, flags)?;
    // Closing must not change the file: a broken database is looked at together with its log.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).doing(during::OPENING)?;
    // Folding the log in costs waits for the disk: for the main database that is left to quiet moments.
    let (synchronous, autocheckpoint, steps) = match promise {
        Promise::Durable => ("FULL", "0", schema::MAIN),
        Promise::Consistent => ("NORMAL", "1000", schema::CACHE),
    };
    refuse_newer(&connection, steps)?;
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0)).doing(during::OPENING)?;
    if mode != "wal" {
        return Err(Error::Unexpected { what: "the file system does not allow a write-ahead log" });
    }
    for (pragma, value) in
        [("synchronous", synchronous), ("secure_delete", "ON"), ("wal_autocheckpoint", autocheckpoint)]
    {
        connection.pragma_update(None, pragma, value).doing(during::OPENING)?;
    }
    schema::migrate(&mut connection, steps, APPLICATION_ID)?;
    Ok(connection)
}

/// Opens a database that `open_for_writing` has opened before, for reading only.
pub(crate) fn open_for_reading(path: &Path) -> Result<Connection> {
    // Read-write, because the first reader after a crash must be able to replay the log; `query_only` keeps it from more.
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.pragma_update(None, "query_only", "ON").doing(during::OPENING)?;
    Ok(connection)
}

fn open(path: &Path, flags: OpenFlags) -> Result<Connection> {
    let connection = Connection::open_with_flags(path, flags).doing(during::OPENING)?;
    connection.busy_timeout(BUSY_TIMEOUT).doing(during::OPENING)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Without this SQLite plans a statement anew each time a value is bound that might matter to its plan, `LIMIT ?` among
    // them: a read would cost more to plan than to run. No plan here depends on values.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).doing(during::OPENING)?;
    // A value of ours has 16 MiB at the most; a damaged length must not make SQLite ask for gigabytes.
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, 64 * 1024 * 1024).doing(during::OPENING)?;
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0).doing(during::OPENING)?;
    connection
        .execute_batch(&format!(
            "PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0; \
             PRAGMA foreign_keys = OFF; PRAGMA cache_size = -{CACHE_KIB};"
        ))
        .doing(during::OPENING)?;
    Ok(connection)
}

/// Before anything is written, switching to WAL mode included.
fn refuse_newer(connection: &Connection, steps: &[&str]) -> Result<()> {
    let found: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).doing(during::OPENING)?;
    let known = u32::try_from(steps.len()).unwrap_or(u32::MAX);
    if found > known { Err(Error::NewerSchema { found, known }) } else { Ok(()) }
}

/// Folds the log into the database.
pub(crate) fn checkpoint(connection: &Connection, mode: &str) -> Result<()> {
    connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |_| Ok(())).doing(during::CHECKPOINTING)
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus::RePrepare;

    use super::*;

    #[test]
    fn a_statement_is_planned_once_whatever_is_bound() {
        let directory = tempfile::tempdir().unwrap();
        let connection = open_for_writing(&directory.path().join("test.db"), Promise::Durable).unwrap();
        let mut statement = connection.prepare("SELECT id FROM scans WHERE id < ?1 LIMIT ?2").unwrap();
        for (below, limit) in [(10, 1), (1_000_000, 500), (3, 2)] {
            statement.query([below, limit]).unwrap().next().unwrap();
        }
        assert_eq!(statement.get_status(RePrepare), 0);
    }
}
