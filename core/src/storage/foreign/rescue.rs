//! What can still be read of a broken database, in a database of our own.
//!
//! Foreign rows carry no checksum, and pages that their database has given up still hold what was deleted from it. So
//! SQLite is asked first, which follows the tree and finds what is in the table and nothing else: from the first row on
//! as far as it goes, from the last one back, and each row between by its number. Only where it does not find the table
//! at all are rows taken from the raw pages, and then only what a page names as its own.

use std::{
    fs::{self, File},
    io,
    ops::ControlFlow,
    path::Path,
};

use rusqlite::{Connection, OpenFlags, params, types::ValueRef};

use super::{
    MAX_DOCUMENT_BYTES, WHILE,
    origin::beside,
    table::{bytes, first_table, open, open_original},
};
use crate::{
    error::{Error, Result},
    storage::{
        carve::{CarveOptions, CarvedRow, Generation, Source, Value, carve},
        fault::Sql,
    },
};

/// Rows between two broken places that are asked for one by one: some seconds at the most.
const PROBES: i64 = 1_000_000;

/// Fills a database of our own; it, and how many rows are known to be lost.
pub(super) fn rescue(broken: &Path, tables: &[&'static str], scratch: &Path) -> Result<(Connection, u32)> {
    let failed = |error| Error::io(&error, WHILE);
    fs::create_dir_all(scratch).map_err(failed)?;
    let path = scratch.join("rescued");
    for suffix in ["", "-journal"] {
        match fs::remove_file(beside(&path, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
    }
    let target = open(&path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
    // Worthless after a kill: it is made anew.
    target
        .execute_batch(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; \
             CREATE TABLE entries (key TEXT UNIQUE, value TEXT); BEGIN",
        )
        .doing(WHILE)?;
    let lost = match asked(broken, tables, scratch, &target) {
        Ok(Some(lost)) => lost,
        Ok(None) | Err(Error::Damaged { .. }) => {
            carved(broken, &target)?;
            // Nobody can tell any more how many there were.
            1
        }
        Err(other) => return Err(other),
    };
    target.execute_batch("COMMIT").doing(WHILE)?;
    Ok((target, lost))
}

/// Asks SQLite; none if it does not know the table.
fn asked(broken: &Path, tables: &[&'static str], scratch: &Path, target: &Connection) -> Result<Option<u32>> {
    let source = open_original(broken, scratch)?;
    let Some(table) = first_table(&source, tables)? else { return Ok(None) };
    let select = |condition: &str| {
        format!(
            "SELECT rowid, key, CASE WHEN octet_length(value) <= {MAX_DOCUMENT_BYTES} THEN value END \
             FROM {table} NOT INDEXED WHERE {condition}"
        )
    };
    let Rows { last: first_gap, end, mut count } = Rows::read(&source, &select("1 ORDER BY rowid"), target)?;
    if end == End::Reached {
        return Ok(Some(0));
    }
    let mut gap = first_gap.map_or(i64::MIN, |last| last.saturating_add(1))..i64::MAX;
    let down = Rows::read(&source, &select(&format!("rowid >= {} ORDER BY rowid DESC", gap.start)), target)?;
    count += down.count;
    gap.end = down.last.unwrap_or(i64::MAX);
    if count == 0 {
        // The tree is broken at its root.
        return Ok(None);
    }
    // Without rows above there is no telling how far the broken part goes.
    let end = if down.last.is_some() { gap.end } else { gap.start.saturating_add(PROBES) };
    let mut one = source.prepare(&select("rowid = ?1")).doing(WHILE)?;
    for rowid in (gap.start.max(0)..end).take(usize::try_from(PROBES).unwrap_or(usize::MAX)) {
        let found = one.query_row([rowid], |row| keep(target, row));
        count += i64::from(found.is_ok());
    }
    // Counted in the index, which may be whole.
    let expected = source.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, i64>(0));
    let lost = expected.map_or(0, |expected| expected - count);
    Ok(Some(u32::try_from(lost.max(1)).unwrap_or(u32::MAX)))
}

/// How far a query came.
struct Rows {
    last: Option<i64>,
    end: End,
    count: i64,
}

#[derive(PartialEq)]
enum End {
    Reached,
    Broken,
}

impl Rows {
    fn read(source: &Connection, sql: &str, target: &Connection) -> Result<Self> {
        let mut statement = source.prepare(sql).doing(WHILE)?;
        let mut rows = statement.query([]).doing(WHILE)?;
        let mut read = Self { last: None, end: End::Broken, count: 0 };
        loop {
            match rows.next().doing(WHILE) {
                Ok(Some(row)) => {
                    keep(target, row).doing(WHILE)?;
                    read.last = Some(row.get(0).doing(WHILE)?);
                    read.count += 1;
                }
                Ok(None) => return Ok(Self { end: End::Reached, ..read }),
                Err(Error::Damaged { .. }) => return Ok(read),
                Err(other) => return Err(other),
            }
        }
    }
}

/// Puts a row into the database of our own. The first one of a key stays: two of one key are damage.
fn keep(target: &Connection, row: &rusqlite::Row<'_>) -> rusqlite::Result<()> {
    insert(target, row.get_ref(1)?, row.get_ref(2)?)
}

fn insert(target: &Connection, key: ValueRef<'_>, value: ValueRef<'_>) -> rusqlite::Result<()> {
    // As text, whatever it is: what is no UTF-8 is found when it is read.
    let mut statement = target
        .prepare_cached("INSERT OR IGNORE INTO entries (key, value) VALUES (CAST(?1 AS TEXT), CAST(?2 AS TEXT))")?;
    statement.execute(params![bytes(key), bytes(value)]).map(drop)
}

/// Takes rows of a key and a value from the raw pages.
fn carved(broken: &Path, target: &Connection) -> Result<()> {
    let failed = |error| Error::io(&error, WHILE);
    let mut database = File::open(broken).map_err(failed)?;
    let mut log = match File::open(beside(broken, "-wal")) {
        Ok(log) => Some(log),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(failed(error)),
    };
    let mut stopped = None;
    let mut on_row = |row: CarvedRow| {
        let (Generation::Current, [Value::Text(key), Value::Text(value)]) = (row.generation, row.values.as_slice())
        else {
            return ControlFlow::Continue(());
        };
        match insert(target, ValueRef::Text(key), ValueRef::Text(value)).doing(WHILE) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                stopped = Some(error);
                ControlFlow::Break(())
            }
        }
    };
    let log = log.as_mut().map(|file| -> &mut dyn Source { file });
    let options = CarveOptions { max_record_bytes: MAX_DOCUMENT_BYTES, ..CarveOptions::default() };
    carve(&mut database, log, options, &mut on_row).map_err(failed)?;
    stopped.map_or(Ok(()), Err)
}
