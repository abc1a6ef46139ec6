//! Looking at every row.

use rusqlite::Connection;

use super::{STORES, columns::Record, fault::Sql, key_value, outbox, settings, votes};
use crate::{
    error::{Error, Result},
    model::{IntegrityReport, Scan, StoreName, StoreReport},
};

/// Checks every row's checksum, and the file's structure.
pub(crate) fn check(connection: &Connection) -> Result<IntegrityReport> {
    // One moment for all stores.
    let tx = connection.unchecked_transaction().doing(super::fault::during::BEGINNING)?;
    let mut structure_intact = structure_is_intact(&tx);
    let mut stores = Vec::with_capacity(STORES.len());
    for store in STORES {
        let mut report = StoreReport { store, intact: 0, damaged: 0 };
        let visited = match store {
            StoreName::Scans => count::<Scan>(&tx, &mut report),
            StoreName::Votes => count_if(&tx, &mut report, votes::Register::is_own_standing),
            StoreName::Settings => count::<settings::Setting>(&tx, &mut report),
            StoreName::KeyValue => count::<key_value::Entry>(&tx, &mut report),
            StoreName::Operations => count::<outbox::Entry>(&tx, &mut report),
        };
        match visited {
            Ok(()) => {}
            Err(Error::Damaged { .. }) => structure_intact = false,
            Err(other) => return Err(other),
        }
        stores.push(report);
    }
    let intact = structure_intact && stores.iter().all(|report| report.damaged == 0);
    Ok(IntegrityReport { intact, structure_intact, stores })
}

/// Whether SQLite finds its pages and indexes in order. Not being able to look counts as no.
pub(crate) fn structure_is_intact(connection: &Connection) -> bool {
    let verdict: rusqlite::Result<String> = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0));
    verdict.is_ok_and(|verdict| verdict == "ok")
}

/// Row ids of rows that are not as they were written.
pub(crate) fn damaged_rows<R: Record>(connection: &Connection) -> Result<Vec<i64>> {
    let mut damaged = Vec::new();
    each::<R>(connection, |id, record| {
        if record.is_none() {
            damaged.push(id);
        }
    })?;
    Ok(damaged)
}

/// Visits every row: its id, and the record if it is whole.
pub(crate) fn each<R: Record>(connection: &Connection, mut visit: impl FnMut(i64, Option<R>)) -> Result<()> {
    const WHILE: &str = "looking at every row";
    let sql = format!("SELECT {} FROM {} NOT INDEXED", R::COLUMNS, R::TABLE);
    let mut statement = connection.prepare(&sql).doing(WHILE)?;
    let mut rows = statement.query([]).doing(WHILE)?;
    while let Some(row) = rows.next().doing(WHILE)? {
        visit(row.get(0).doing(WHILE)?, R::read(row));
    }
    Ok(())
}

fn count<R: Record>(connection: &Connection, report: &mut StoreReport) -> Result<()> {
    count_if(connection, report, |_: &R| true)
}

/// Counts intact rows of a kind, and damaged ones of any kind.
fn count_if<R: Record>(connection: &Connection, report: &mut StoreReport, wanted: impl Fn(&R) -> bool) -> Result<()> {
    each::<R>(connection, |_, record| match record {
        Some(record) => report.intact += u32::from(wanted(&record)),
        None => report.damaged += 1,
    })
}
