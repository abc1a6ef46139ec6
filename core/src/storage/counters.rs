//! Numbers that would cost a scan of a table to find out, kept in the transaction that changes them.

use rusqlite::{Connection, params};

use super::{
    columns::{Checksum, Columns},
    fault::{Sql, during},
};
use crate::{
    error::Result,
    model::{ByteCount, StoreName},
};

/// All stores, in the order of their counters.
pub(crate) const STORES: [StoreName; 5] =
    [StoreName::Scans, StoreName::Votes, StoreName::Settings, StoreName::KeyValue, StoreName::Operations];

const ROWS: usize = 0;
const BYTES: usize = STORES.len();
const LIFETIME_SAFE: usize = 2 * STORES.len();
const LIFETIME_UNSAFE: usize = LIFETIME_SAFE + 1;
const RATED_CODES: usize = LIFETIME_SAFE + 2;
const COUNT: usize = LIFETIME_SAFE + 3;

/// The counters' values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counters([i64; COUNT]);

impl Counters {
    pub(crate) fn rows(&self, store: StoreName) -> i64 {
        self.0[ROWS + place(store)]
    }

    pub(crate) fn bytes(&self, store: StoreName) -> ByteCount {
        ByteCount(self.0[BYTES + place(store)])
    }

    pub(crate) fn all_bytes(&self) -> i64 {
        self.0[BYTES..BYTES + STORES.len()].iter().sum()
    }

    pub(crate) fn lifetime_safe(&self) -> i64 {
        self.0[LIFETIME_SAFE]
    }

    pub(crate) fn lifetime_unsafe(&self) -> i64 {
        self.0[LIFETIME_UNSAFE]
    }

    pub(crate) fn rated_codes(&self) -> i64 {
        self.0[RATED_CODES]
    }

    /// A store grew or, with negative numbers, shrank.
    pub(crate) fn grow(&mut self, store: StoreName, rows: i64, bytes: i64) {
        self.0[ROWS + place(store)] += rows;
        self.0[BYTES + place(store)] += bytes;
    }

    /// A vote was cast.
    pub(crate) fn vote_cast(&mut self, safe: bool) {
        self.0[if safe { LIFETIME_SAFE } else { LIFETIME_UNSAFE }] += 1;
    }

    /// A code got its first standing vote (1), or lost its last (-1).
    pub(crate) fn rated(&mut self, codes: i64) {
        self.0[RATED_CODES] += codes;
    }

    pub(crate) fn load(connection: &Connection) -> Result<Self> {
        let mut counters = Self::default();
        let mut statement =
            connection.prepare_cached("SELECT id, value, checksum FROM counters").doing(during::READING)?;
        let mut rows = statement.query([]).doing(during::READING)?;
        while let Some(row) = rows.next().doing(during::READING)? {
            counters.take(row);
        }
        Ok(counters)
    }

    /// Takes a row over, if it is one of these and whole.
    pub(crate) fn take(&mut self, row: &impl Columns) -> bool {
        let Some((id, value)) = row.int(0).zip(row.int(1)) else { return false };
        let place = usize::try_from(id).ok().and_then(|id| self.0.get_mut(id));
        match place {
            Some(counter) if row.int(2) == Some(checksum(id, value)) => {
                *counter = value;
                true
            }
            _ => false,
        }
    }

    /// Takes over what cannot be counted again from the rows.
    pub(crate) fn take_lifetime(&mut self, other: &Self) {
        self.0[LIFETIME_SAFE] = other.0[LIFETIME_SAFE];
        self.0[LIFETIME_UNSAFE] = other.0[LIFETIME_UNSAFE];
    }

    /// Writes what differs from `before`.
    pub(crate) fn save(&self, before: &Self, connection: &Connection) -> Result<()> {
        for (id, (now, then)) in (0_i64..).zip(self.0.iter().zip(before.0)) {
            if *now != then {
                connection
                    .prepare_cached(
                        "INSERT INTO counters (id, value, checksum) VALUES (?1, ?2, ?3) \
                         ON CONFLICT (id) DO UPDATE SET value = excluded.value, checksum = excluded.checksum",
                    )
                    .and_then(|mut statement| statement.execute(params![id, now, checksum(id, *now)]))
                    .doing(during::WRITING)?;
            }
        }
        Ok(())
    }
}

fn place(store: StoreName) -> usize {
    STORES.iter().position(|candidate| *candidate == store).expect("STORES names every store")
}

fn checksum(id: i64, value: i64) -> i64 {
    Checksum::of("counters").int(id).int(value).finish()
}
