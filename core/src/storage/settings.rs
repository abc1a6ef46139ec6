//! Settings as rows: one register per name, so that two devices' changes of different settings do not collide.

use rusqlite::{Connection, params};

use super::{
    columns::{Checksum, Columns, Record},
    fault::{Sql, during},
    transaction::Transaction,
};
use crate::{
    error::Result,
    model::{StoreName, UnixMillis},
};

/// What a row is booked with beside name and value.
const ROW_OVERHEAD: i64 = 64;

/// A stored setting.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Setting {
    pub(crate) id: i64,
    pub(crate) name: String,
    /// JSON.
    pub(crate) value: String,
    pub(crate) at: UnixMillis,
}

impl Record for Setting {
    const TABLE: &'static str = "settings";
    const COLUMNS: &'static str = "id, name, value, at, checksum";

    fn read(row: &impl Columns) -> Option<Self> {
        let setting = Self {
            id: row.int(0)?,
            name: row.text(1)?.to_owned(),
            value: row.text(2)?.to_owned(),
            at: UnixMillis(row.int(3)?),
        };
        (row.int(4)? == checksum(&setting)).then_some(setting)
    }

    fn row_id(&self) -> i64 {
        self.id
    }
}

impl Transaction<'_> {
    /// Stores a setting, in place of the one with the same name.
    pub(crate) fn set_setting(&mut self, name: &str, value: String, at: UnixMillis) -> Result<()> {
        let setting = Setting { id: 0, name: name.to_owned(), value, at };
        let before: Option<i64> = self
            .connection
            .prepare_cached("SELECT sum(octet_length(name) + octet_length(value)) FROM settings WHERE name = ?1")
            .and_then(|mut statement| statement.query_row([name], |row| row.get(0)))
            .doing(during::READING)?;
        match before {
            Some(before) => self.book(StoreName::Settings, 0, size(&setting) - before - ROW_OVERHEAD)?,
            None => self.book(StoreName::Settings, 1, size(&setting))?,
        }
        self.connection
            .prepare_cached(
                "INSERT INTO settings (name, value, at, checksum) VALUES (?1, ?2, ?3, ?4) \
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value, at = excluded.at, checksum = excluded.checksum",
            )
            .and_then(|mut statement| statement.execute(params![name, setting.value, at.0, checksum(&setting)]))
            .doing(during::WRITING)?;
        Ok(())
    }
}

/// All settings that are whole.
pub(crate) fn all(connection: &Connection) -> Result<Vec<Setting>> {
    let mut statement =
        connection.prepare_cached("SELECT id, name, value, at, checksum FROM settings").doing(during::READING)?;
    let rows = statement.query_map([], |row| Ok(Setting::read(row))).doing(during::READING)?;
    rows.filter_map(|row| row.doing(during::READING).transpose()).collect()
}

/// What a row is booked with.
pub(crate) fn size(setting: &Setting) -> i64 {
    i64::try_from(setting.name.len() + setting.value.len()).unwrap_or(i64::MAX / 2) + ROW_OVERHEAD
}

fn checksum(setting: &Setting) -> i64 {
    Checksum::of(Setting::TABLE).text(&setting.name).text(&setting.value).int(setting.at.0).finish()
}
