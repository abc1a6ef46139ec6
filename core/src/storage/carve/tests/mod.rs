//! Real files, written by SQLite and then damaged.

mod damage;
mod intact;
mod log;

use std::collections::HashMap;
use std::fs;
use std::io::Cursor;
use std::ops::ControlFlow;
use std::path::PathBuf;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, params};
use tempfile::TempDir;

use super::page::Page;
use super::{CarveOptions, CarveSummary, CarvedRow, Generation, Source, Value, carve};

/// Columns of the table that [`Fixture::fill`] writes; no other table has as many.
const COLUMNS: usize = 6;

/// A database as the project writes it, and its files' bytes.
struct Fixture {
    directory: TempDir,
    connection: Connection,
}

impl Fixture {
    fn new(page_size: u32) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let connection = Connection::open(directory.path().join("db")).unwrap();
        connection.pragma_update(None, "page_size", page_size).unwrap();
        let pragmas = "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; PRAGMA synchronous = OFF;
             PRAGMA secure_delete = ON; PRAGMA cache_size = 20000;
             CREATE TABLE item (id INTEGER PRIMARY KEY, n INTEGER, r REAL, t TEXT, b BLOB, x);";
        connection.execute_batch(pragmas).unwrap();
        // Closing leaves the log as it is.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
        Self { directory, connection }
    }

    /// Adds rows, in one transaction.
    fn fill(&mut self, ids: impl Iterator<Item = i64>) {
        let transaction = self.connection.transaction().unwrap();
        for id in ids {
            insert(&transaction, id, "first");
        }
        transaction.commit().unwrap();
    }

    fn run(&self, sql: &str) {
        self.connection.execute_batch(sql).unwrap();
    }

    fn checkpoint(&self) {
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The bytes of the database and of its log.
    fn close(self) -> (Vec<u8>, Vec<u8>) {
        let (database, log) = (self.path("db"), self.path("db-wal"));
        self.connection.close().map_err(|(_, error)| error).unwrap();
        (fs::read(database).unwrap(), fs::read(log).unwrap_or_default())
    }

    /// A checkpointed database with the rows `1..=rows`.
    fn checkpointed(page_size: u32, rows: i64) -> Vec<u8> {
        let mut fixture = Self::new(page_size);
        fixture.fill(1..=rows);
        fixture.checkpoint();
        fixture.close().0
    }
}

fn insert(connection: &Connection, id: i64, version: &str) {
    let mut statement = connection.prepare_cached("INSERT OR REPLACE INTO item VALUES (?, ?, ?, ?, ?, ?)").unwrap();
    statement.execute(params![id, id * 1_000_003, real(id), text(id, version), blob(id), null_or_flag(id)]).unwrap();
}

fn real(id: i64) -> f64 {
    f64::from(i32::try_from(id).unwrap()) + 0.25
}

fn text(id: i64, version: &str) -> String {
    format!("https://example.org/{id}/{version}?ünïcode")
}

/// Every 500th row is long enough for a chain of overflow pages, up to 200 KB.
fn blob(id: i64) -> Vec<u8> {
    let len = if id % 500 == 0 { id * 10 } else { id % 90 };
    (0..len).map(|at| u8::try_from((at * 7 + id * 31) % 251).unwrap()).collect()
}

fn null_or_flag(id: i64) -> Option<i64> {
    (id % 3 > 0).then_some(id % 3 - 1)
}

/// The values that row `id` must come back with.
fn expected(id: i64, version: &str) -> Vec<Value> {
    let flag = null_or_flag(id).map_or(Value::Null, Value::Integer);
    let number = Value::Integer(id * 1_000_003);
    vec![Value::Null, number, Value::Real(real(id)), Value::Text(text(id, version).into()), Value::Blob(blob(id)), flag]
}

fn is_right(row: &CarvedRow, version: &str) -> bool {
    (1..1_000_000).contains(&row.rowid) && row.values == expected(row.rowid, version)
}

/// The candidates for rows of `item`, after a look at the promised order.
fn carved(database: &[u8], log: &[u8]) -> (Vec<CarvedRow>, CarveSummary) {
    let (mut database, mut log) = (Cursor::new(database), Cursor::new(log));
    let mut rows = Vec::new();
    let mut keep = |row: CarvedRow| {
        rows.push(row);
        ControlFlow::Continue(())
    };
    let log: &mut dyn Source = &mut log;
    let summary = carve(&mut database, Some(log), CarveOptions::default(), &mut keep).unwrap();
    assert!(rows.is_sorted_by_key(|row| row.generation), "the better candidates come first");
    assert_eq!(summary.rows, u64::try_from(rows.len()).unwrap());
    rows.retain(|row| row.values.len() == COLUMNS);
    (rows, summary)
}

/// The row ids, in ascending order: on a page, cells lie in the order of writing.
fn ids(rows: &[CarvedRow]) -> Vec<i64> {
    let mut ids: Vec<_> = rows.iter().map(|row| row.rowid).collect();
    ids.sort_unstable();
    ids
}

/// What a caller that goes by the order keeps: for each row id, the first candidate that `check` accepts.
fn kept(rows: Vec<CarvedRow>, check: impl Fn(&CarvedRow) -> bool) -> HashMap<i64, CarvedRow> {
    let mut kept = HashMap::new();
    for row in rows.into_iter().filter(check) {
        kept.entry(row.rowid).or_insert(row);
    }
    kept
}

/// How many of the rows come back right, from whatever candidates.
fn right(database: &[u8], log: &[u8]) -> usize {
    kept(carved(database, log).0, |row| is_right(row, "first")).len()
}

/// Numbers that look random and are the same in every run.
struct Noise(u64);

impl Noise {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).unwrap()
    }
}
