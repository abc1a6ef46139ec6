//! Making the main database whole again.
//!
//! If its structure stands, damaged rows are taken out where they lie. If it does not, a new file is made from every row
//! that can still be read ([`rebuild`](super::rebuild)) and takes the place of the broken one, which is kept aside. The
//! exchange survives a kill at any moment:
//!
//! | found at opening | what happened | what is done |
//! |---|---|---|
//! | `safescan.db.rebuilding` | killed while the new file was written | it is removed; the broken one is still there |
//! | `safescan.db.rebuilt` | killed between "complete" and "in its place" | the exchange is finished |

use std::fs;

use rusqlite::Connection;

use super::{
    columns::Record,
    connection::{Promise, checkpoint, open_for_writing},
    counters::{Counters, STORES},
    desk::Desk,
    fault::{Sql, during},
    files::Files,
    integrity, key_value, meta, outbox, rebuild, settings, voters, votes,
};
use crate::{
    error::{Error, Result},
    log::Level,
    model::{RepairReport, Scan, StoreName, StoreReport},
};

const WHILE: &str = "repairing the database";

impl Desk {
    /// Opens the files as they should be: finishes what a kill interrupted, and rebuilds a database that is broken.
    pub(crate) fn open_or_repair(&mut self) -> Result<Option<RepairReport>> {
        self.hold()?;
        self.finish_erasing()?;
        Files::remove(&self.files.rebuilding()).map_err(|error| Error::io(&error, WHILE))?;
        if self.files.rebuilt().exists() {
            self.exchange()?;
        }
        match self.connection() {
            Ok(_) => Ok(None),
            Err(Error::Damaged { .. }) => self.rebuild().map(Some),
            Err(other) => Err(other),
        }
    }

    /// Takes damage out where it lies, or rebuilds.
    pub(crate) fn repair(&mut self) -> Result<RepairReport> {
        self.hold()?;
        let sound = match self.connection() {
            Ok(connection) => integrity::structure_is_intact(connection),
            Err(Error::Damaged { .. }) => false,
            Err(other) => return Err(other),
        };
        if !sound {
            return self.rebuild();
        }
        let report = repair_in_place(self.connection()?)?;
        // Counters were made anew in the file: what the writer remembers of them is out of date.
        self.close();
        Ok(report)
    }

    fn rebuild(&mut self) -> Result<RepairReport> {
        self.close();
        let log = self.surroundings.log.clone();
        super::say(&log, Level::Warn, "rebuilding the database", &[]);
        let target = self.files.rebuilding();
        Files::remove(&target).map_err(|error| Error::io(&error, WHILE))?;
        let mut connection = open_for_writing(&target, Promise::Durable)?;
        let stores = rebuild::from_pages(&self.files.main(), &mut connection, &self.surroundings)?;
        // Nothing may be left in a log that would not be moved along.
        checkpoint(&connection, "TRUNCATE")?;
        connection.close().map_err(|(_, error)| error).doing(WHILE)?;
        fs::rename(&target, self.files.rebuilt()).map_err(|error| Error::io(&error, WHILE))?;
        self.files.sync_directory().map_err(|error| Error::io(&error, WHILE))?;
        let quarantine = self.exchange()?;
        self.connection()?;
        let kept = stores.iter().map(|store| i64::from(store.intact)).sum();
        super::say(&log, Level::Warn, "database rebuilt", &[("rows kept", kept)]);
        Ok(RepairReport { rebuilt: true, stores, quarantine: Some(quarantine) })
    }

    /// Puts the broken database aside and the rebuilt one in its place. May be repeated from any point.
    fn exchange(&mut self) -> Result<String> {
        let moment = self.surroundings.clock.wall().0;
        let folder = self.files.quarantine().join(moment.to_string());
        let done = Files::move_into(&self.files.main(), &folder)
            .and_then(|()| fs::rename(self.files.rebuilt(), self.files.main()))
            .and_then(|()| self.files.sync_directory());
        done.map_err(|error| Error::io(&error, WHILE))?;
        Ok(folder.to_string_lossy().into_owned())
    }
}

fn repair_in_place(connection: &Connection) -> Result<RepairReport> {
    let tx = connection.unchecked_transaction().doing(during::BEGINNING)?;
    let mut stores = Vec::with_capacity(STORES.len());
    for store in STORES {
        let damaged = match store {
            StoreName::Scans => remove_damaged::<Scan>(&tx)?,
            StoreName::Votes => remove_damaged::<votes::Register>(&tx)? + remove_damaged::<voters::Voter>(&tx)?,
            StoreName::Settings => remove_damaged::<settings::Setting>(&tx)? + remove_damaged::<meta::Entry>(&tx)?,
            StoreName::KeyValue => remove_damaged::<key_value::Entry>(&tx)?,
            StoreName::Operations => remove_damaged::<outbox::Entry>(&tx)?,
        };
        stores.push(StoreReport { store, intact: 0, damaged });
    }
    let before = Counters::load(&tx)?;
    let after = rebuild::derive(&tx, &before)?;
    for report in &mut stores {
        report.intact = u32::try_from(after.rows(report.store)).unwrap_or(u32::MAX);
    }
    tx.commit().doing(during::COMMITTING)?;
    Ok(RepairReport { rebuilt: false, stores, quarantine: None })
}

fn remove_damaged<R: Record>(connection: &Connection) -> Result<u32> {
    let damaged = integrity::damaged_rows::<R>(connection)?;
    let id = R::COLUMNS.split(',').next().unwrap_or("id");
    let mut statement = connection.prepare(&format!("DELETE FROM {} WHERE {id} = ?1", R::TABLE)).doing(WHILE)?;
    for row in &damaged {
        statement.execute([row]).doing(WHILE)?;
    }
    Ok(u32::try_from(damaged.len()).unwrap_or(u32::MAX))
}
