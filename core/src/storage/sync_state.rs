//! How far the server is known, in `cache.db`: what is lost with the ratings it goes with.

use rusqlite::{Connection, OptionalExtension, params};

use super::{
    columns::{Checksum, Columns},
    fault::{Sql, during},
};
use crate::error::Result;

// Names of the rows.
const CURSOR: &str = "cursor";
const CLOCK_OFFSET: &str = "clock_offset";
const SERVER_TIME: &str = "server_time";
const DEVICE: &str = "device";
const SYNCED_AT: &str = "synced_at";

/// How far the server is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SyncState {
    /// Up to where changes were fetched.
    pub(crate) cursor: Option<String>,
    /// What is added to this device's clock to get the server's; `None` before the first answer.
    pub(crate) clock_offset: Option<i64>,
    /// What the server's clock showed when it was last heard of.
    pub(crate) server_time: Option<i64>,
    /// The device's name as it was when this was written.
    pub(crate) device: Option<String>,
    /// When a run last came to its end, by this device's clock.
    pub(crate) synced_at: Option<i64>,
}

/// What is known.
pub(crate) fn load(connection: &Connection) -> Result<SyncState> {
    Ok(SyncState {
        cursor: find(connection, CURSOR)?,
        clock_offset: find(connection, CLOCK_OFFSET)?.and_then(|text| text.parse().ok()),
        server_time: find(connection, SERVER_TIME)?.and_then(|text| text.parse().ok()),
        device: find(connection, DEVICE)?,
        synced_at: find(connection, SYNCED_AT)?.and_then(|text| text.parse().ok()),
    })
}

/// Writes down what is known now.
pub(crate) fn save(connection: &Connection, state: &SyncState) -> Result<()> {
    set(connection, CURSOR, state.cursor.as_deref())?;
    set(connection, CLOCK_OFFSET, state.clock_offset.map(|offset| offset.to_string()).as_deref())?;
    set(connection, SERVER_TIME, state.server_time.map(|time| time.to_string()).as_deref())?;
    set(connection, DEVICE, state.device.as_deref())?;
    set(connection, SYNCED_AT, state.synced_at.map(|at| at.to_string()).as_deref())
}

fn find(connection: &Connection, name: &str) -> Result<Option<String>> {
    let found = connection
        .prepare_cached("SELECT value, checksum FROM sync_state WHERE name = ?1")
        .and_then(|mut statement| {
            statement
                .query_row([name], |row| {
                    let value = row.text(0).filter(|value| row.int(1) == Some(checksum(name, value)));
                    Ok(value.map(str::to_owned))
                })
                .optional()
        })
        .doing(during::READING)?;
    Ok(found.flatten())
}

fn set(connection: &Connection, name: &str, value: Option<&str>) -> Result<()> {
    let written = match value {
        Some(value) => connection
            .prepare_cached(
                "INSERT INTO sync_state (name, value, checksum) VALUES (?1, ?2, ?3) \
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value, checksum = excluded.checksum",
            )
            .and_then(|mut statement| statement.execute(params![name, value, checksum(name, value)])),
        None => connection
            .prepare_cached("DELETE FROM sync_state WHERE name = ?1")
            .and_then(|mut statement| statement.execute([name])),
    };
    written.doing(during::WRITING)?;
    Ok(())
}

fn checksum(name: &str, value: &str) -> i64 {
    Checksum::of("sync_state").text(name).text(value).finish()
}
