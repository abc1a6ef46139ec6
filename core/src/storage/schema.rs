//! The tables, as an array of steps whose index is the version they lead from. A step is never edited once it was
//! released: a change is a new step, with its back-fill in it.

use rusqlite::{Connection, TransactionBehavior};

use super::fault::{Sql, during};
use crate::error::{Error, Result};

/// Steps of `safescan.db`.
pub(crate) const MAIN: &[&str] = &[
    r"
-- What the installation itself needs: its identity, its name as a device.
CREATE TABLE meta (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    value BLOB NOT NULL,
    checksum INTEGER NOT NULL
);

-- Rows and bytes of each store, and lifetime totals; written in the transaction that changes them, never counted.
CREATE TABLE counters (
    id INTEGER PRIMARY KEY,
    value INTEGER NOT NULL,
    checksum INTEGER NOT NULL
);

CREATE TABLE scans (
    id INTEGER PRIMARY KEY,             -- millisecond of the scan << 20 | sequence: the row order is the time order
    text TEXT NOT NULL,
    kind INTEGER NOT NULL,
    verdict INTEGER NOT NULL,
    hash BLOB NOT NULL,                 -- of the canonical form
    metadata TEXT,
    pending INTEGER NOT NULL,           -- 1 while an operation of it waits: such a row is never evicted
    checksum INTEGER NOT NULL
);
CREATE INDEX scans_by_verdict ON scans (verdict);
CREATE INDEX scans_by_kind ON scans (kind);

-- Codes and hosts that were voted on, each with the sums that its rating is computed from. Derived from `votes`.
CREATE TABLE subjects (
    id INTEGER PRIMARY KEY,
    prefix INTEGER NOT NULL,            -- first eight bytes of the hash: a small index that still finds at once
    hash BLOB NOT NULL,
    host_hash BLOB,                     -- the host's subject, where the text was known
    tally BLOB NOT NULL,                -- voting::Tally, encoded by storage/tally.rs
    own INTEGER NOT NULL,               -- standing votes that were cast on it and not on a code of it
    checksum INTEGER NOT NULL
);
CREATE INDEX subjects_by_prefix ON subjects (prefix);

-- One register per person and subject.
CREATE TABLE votes (
    id INTEGER PRIMARY KEY,
    subject INTEGER NOT NULL,           -- subjects.id
    person BLOB NOT NULL,               -- who, as known on this device only
    choice INTEGER NOT NULL,            -- 1 safe, 0 unsafe, 2 retracted (kept until the server knows)
    at INTEGER NOT NULL,
    reputation INTEGER NOT NULL,        -- 1000 is 1.0
    derived INTEGER NOT NULL,           -- 1: the person's latest vote on any code of a host, written for the host
    hash BLOB NOT NULL,                 -- of the subject: a row can be salvaged without its subject
    host_hash BLOB,
    acknowledged INTEGER NOT NULL,      -- 1 once the server has seen a vote of this person here
    checksum INTEGER NOT NULL
);
CREATE UNIQUE INDEX votes_one_each ON votes (subject, person);
CREATE INDEX votes_by_time ON votes (subject, at) WHERE choice < 2;
CREATE INDEX votes_of_person ON votes (person, at) WHERE choice < 2 AND derived = 0;
CREATE INDEX votes_on_host ON votes (host_hash, person, at) WHERE host_hash IS NOT NULL AND choice < 2;

-- Voters that do not weigh 1.0.
CREATE TABLE voters (
    id INTEGER PRIMARY KEY,
    person BLOB NOT NULL UNIQUE,
    reputation INTEGER NOT NULL,
    checksum INTEGER NOT NULL
);

CREATE TABLE settings (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    value TEXT NOT NULL,                -- JSON
    at INTEGER NOT NULL,
    checksum INTEGER NOT NULL
);

CREATE TABLE key_value (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    value TEXT NOT NULL,
    checksum INTEGER NOT NULL
);

-- Changes that the server does not know of yet, each written in the transaction of its record.
CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, -- never reused: the server's memory of what it has seen depends on it
    id BLOB NOT NULL UNIQUE,            -- the operation's name, fixed before it is first sent
    kind INTEGER NOT NULL,
    key TEXT NOT NULL,                  -- of the register it changes
    person BLOB,                        -- for votes: whose, as known on this device only
    voter BLOB,                         -- and as known outside
    host BLOB,                          -- the host's subject, where it is known
    host_voter BLOB,                    -- and the voter's name there
    body TEXT NOT NULL,                 -- JSON, as it is sent
    at INTEGER NOT NULL,
    state INTEGER NOT NULL,             -- 0 pending, 1 in flight, 2 parked
    parked_reason INTEGER,
    attempts INTEGER NOT NULL,
    last_error TEXT,
    next_attempt_at INTEGER,
    put_off_at INTEGER,                 -- when the wait for it began: a clock that shows less was turned back
    checksum INTEGER NOT NULL
);
CREATE INDEX outbox_by_key ON outbox (key);
CREATE INDEX outbox_by_host ON outbox (host) WHERE host IS NOT NULL;
CREATE INDEX outbox_waiting ON outbox (seq) WHERE state < 2;
",
    r"
-- Records that an import from AsyncStorage has come across, so that none is taken twice, however often it is begun anew
-- and whatever became of the record since. Emptied once the originals are gone.
CREATE TABLE imports (
    id INTEGER PRIMARY KEY,             -- beginning of a hash over the record
    taken INTEGER NOT NULL              -- 0: passed over, because something newer was here
);
",
];

/// Steps of `cache.db`.
pub(crate) const CACHE: &[&str] = &[r"
-- The last known sums of codes and hosts, for the times when they cannot be had from their source. Newer rows have
-- greater ids, so that the oldest can be dropped without looking.
CREATE TABLE ratings (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    hash BLOB NOT NULL UNIQUE,
    host_hash BLOB,
    tally BLOB NOT NULL,
    own_choice INTEGER,
    checksum INTEGER NOT NULL
);

-- What the server last said of codes and hosts.
CREATE TABLE community (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    hash BLOB NOT NULL UNIQUE,
    rev INTEGER NOT NULL,               -- the server's: an older one never takes the place of a newer one
    tally BLOB NOT NULL,
    own TEXT NOT NULL,                  -- JSON: which votes of this account are in the sums
    known_at INTEGER NOT NULL,          -- by the server's clock
    checksum INTEGER NOT NULL
);

-- How far the server is known: cursor, clock, name as a device.
CREATE TABLE sync_state (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    checksum INTEGER NOT NULL
);
"];

/// Brings a database to the newest version in one transaction, or refuses one that is newer, untouched.
pub(crate) fn migrate(connection: &mut Connection, steps: &[&str], application_id: i32) -> Result<()> {
    const WHILE: &str = "reading the schema's version";
    let known = u32::try_from(steps.len()).expect("there are a handful of steps");
    let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).doing(WHILE)?;
    if version > known {
        return Err(Error::NewerSchema { found: version, known });
    }
    if version == known {
        return Ok(());
    }
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate).doing(during::MIGRATING)?;
    for step in steps.iter().skip(usize::try_from(version).expect("a version is small")) {
        tx.execute_batch(step).doing(during::MIGRATING)?;
    }
    tx.pragma_update(None, "user_version", known).doing(during::MIGRATING)?;
    tx.pragma_update(None, "application_id", application_id).doing(during::MIGRATING)?;
    tx.commit().doing(during::MIGRATING)
}
