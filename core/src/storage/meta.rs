//! What the installation itself needs: the key that hides voters, and a name for the person who uses the app alone.

use rusqlite::{Connection, OptionalExtension, params};

use super::{
    columns::{Checksum, Columns, Record},
    fault::{Sql, during},
    transaction::Transaction,
};
use crate::{error::Result, voting::IdentityKey};

/// Names of the rows.
const IDENTITY_KEY: &str = "identity_key";
const INSTALLATION: &str = "installation";
const DEVICE: &str = "device";

/// An installation's identity.
#[derive(Clone)]
pub(crate) struct Installation {
    /// The key made here. One given by the app takes its place.
    pub(crate) key: IdentityKey,
    /// The user id of whoever votes without one.
    pub(crate) own_user_id: String,
    /// The installation's name to the server.
    pub(crate) device: String,
}

/// A stored value.
pub(crate) struct Entry {
    id: i64,
    pub(crate) name: String,
    pub(crate) value: Vec<u8>,
}

impl Record for Entry {
    const TABLE: &'static str = "meta";
    const COLUMNS: &'static str = "id, name, value, checksum";

    fn read(row: &impl Columns) -> Option<Self> {
        let entry = Self { id: row.int(0)?, name: row.text(1)?.to_owned(), value: row.blob(2)?.to_vec() };
        (row.int(3)? == checksum(&entry.name, &entry.value)).then_some(entry)
    }

    fn row_id(&self) -> i64 {
        self.id
    }
}

impl Transaction<'_> {
    /// The installation's identity, made if it is missing.
    pub(crate) fn installation(&mut self) -> Result<Installation> {
        let key = match noted(self.connection, IDENTITY_KEY)?.and_then(|value| IdentityKey::from_slice(&value)) {
            Some(key) => key,
            None => {
                let fresh: [u8; IdentityKey::BYTES] = self.random();
                self.set_meta(IDENTITY_KEY, &fresh)?;
                IdentityKey::from_slice(&fresh).expect("it has as many bytes as a key has")
            }
        };
        let own = match noted(self.connection, INSTALLATION)? {
            Some(own) => own,
            None => {
                let fresh: [u8; 16] = self.random();
                self.set_meta(INSTALLATION, &fresh)?;
                fresh.to_vec()
            }
        };
        // With a NUL in front it can never be the user id of anybody: those are refused.
        let own_user_id = format!("\0{}", hex(&own));
        let device = match noted(self.connection, DEVICE)? {
            Some(device) => hex(&device),
            None => self.new_device()?,
        };
        Ok(Installation { key, own_user_id, device })
    }

    /// Gives the installation another name to the server.
    pub(crate) fn new_device(&mut self) -> Result<String> {
        let fresh: [u8; 16] = self.random();
        self.set_meta(DEVICE, &fresh)?;
        Ok(hex(&fresh))
    }

    /// Notes that something was done.
    pub(crate) fn note(&mut self, name: &str) -> Result<()> {
        self.set_meta(name, &[1])
    }

    /// Stores a value.
    pub(crate) fn set_meta(&mut self, name: &str, value: &[u8]) -> Result<()> {
        self.connection
            .prepare_cached(
                "INSERT INTO meta (name, value, checksum) VALUES (?1, ?2, ?3) \
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value, checksum = excluded.checksum",
            )
            .and_then(|mut statement| statement.execute(params![name, value, checksum(name, value)]))
            .doing(during::WRITING)?;
        Ok(())
    }
}

/// Whether something was done before.
pub(crate) fn is_noted(connection: &Connection, name: &str) -> Result<bool> {
    Ok(noted(connection, name)?.is_some())
}

/// What was noted under this name.
pub(crate) fn noted(connection: &Connection, name: &str) -> Result<Option<Vec<u8>>> {
    let found = connection
        .prepare_cached("SELECT id, name, value, checksum FROM meta WHERE name = ?1")
        .and_then(|mut statement| statement.query_row([name], |row| Ok(Entry::read(row))).optional())
        .doing(during::READING)?;
    Ok(found.flatten().map(|entry| entry.value))
}

/// Lowercase hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a text takes whatever is written to it");
        text
    })
}

fn checksum(name: &str, value: &[u8]) -> i64 {
    Checksum::of(Entry::TABLE).text(name).blob(value).finish()
}
