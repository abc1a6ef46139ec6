//! The tables, as an array of steps whose index is the version they lead from. A step is never edited once it was
//! released: a change is a new step, with its back-fill in it.

use rusqlite::{Connection, TransactionBehavior};

use super::fault::Sql;
use crate::error::{Error, Result};

const STEPS: &[&str] = &[r"
-- What the database needs to know of itself: `epoch`, drawn when it was made, and `revision`, the last one given.
CREATE TABLE meta (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    value INTEGER NOT NULL
);

CREATE TABLE accounts (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    day INTEGER NOT NULL,               -- the day (since 1970) on which
    votes INTEGER NOT NULL              -- so many votes were received
);

CREATE TABLE devices (
    id INTEGER PRIMARY KEY,
    account INTEGER NOT NULL,
    name TEXT NOT NULL,
    floor INTEGER NOT NULL,             -- operations below it are not remembered
    highest INTEGER NOT NULL,           -- the highest place seen
    remembered INTEGER NOT NULL         -- rows in `operations`
);
CREATE UNIQUE INDEX devices_by_name ON devices (account, name);

-- What became of the operations that a device may send again.
CREATE TABLE operations (
    id INTEGER PRIMARY KEY,
    device INTEGER NOT NULL,
    name BLOB NOT NULL,
    seq INTEGER NOT NULL,
    outcome INTEGER NOT NULL,           -- 0 applied, 1 superseded, 2 deferred
    at INTEGER NOT NULL,
    rev INTEGER NOT NULL
);
CREATE UNIQUE INDEX operations_by_name ON operations (device, name);
CREATE INDEX operations_by_place ON operations (device, seq);

-- Each belongs to the account that used it first.
CREATE TABLE voters (
    id INTEGER PRIMARY KEY,
    voter BLOB NOT NULL UNIQUE,
    account INTEGER NOT NULL,
    day INTEGER NOT NULL,
    votes INTEGER NOT NULL
);

-- Codes and hosts that were voted on. Derived from `votes`.
CREATE TABLE subjects (
    id INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    tally BLOB NOT NULL,                -- voting::Tally, encoded by tally.rs
    rev INTEGER NOT NULL
);
CREATE INDEX subjects_by_rev ON subjects (rev);

-- Registers: one that was cast and one that is derived per voter and subject.
CREATE TABLE votes (
    id INTEGER PRIMARY KEY,
    subject INTEGER NOT NULL,
    voter INTEGER NOT NULL,
    derived INTEGER NOT NULL,           -- 1: the voter's latest vote on any code of a host, written for the host
    account INTEGER NOT NULL,
    choice INTEGER NOT NULL,            -- 1 safe, 0 unsafe, 2 taken back (kept: it must win over what is older)
    at INTEGER NOT NULL,
    device TEXT NOT NULL,               -- with `at` and `seq`: which change stands
    seq INTEGER NOT NULL,
    rev INTEGER NOT NULL,
    host INTEGER,                       -- subjects.id
    host_voter INTEGER,                 -- voters.id
    counts INTEGER NOT NULL             -- 1: in the sums of its subject
);
CREATE UNIQUE INDEX votes_one_each ON votes (subject, voter, derived);
CREATE INDEX votes_by_time ON votes (subject, at) WHERE counts = 1;
CREATE INDEX votes_on_host ON votes (host, host_voter, at) WHERE host IS NOT NULL AND choice < 2;
CREATE INDEX votes_of_account ON votes (account, derived, rev);
CREATE INDEX votes_of_account_by_subject ON votes (subject, account, at);

-- Scans and settings: registers that only their account knows.
CREATE TABLE items (
    id INTEGER PRIMARY KEY,
    account INTEGER NOT NULL,
    kind INTEGER NOT NULL,              -- 0 scan, 1 setting
    key TEXT NOT NULL,
    body TEXT,                          -- JSON; null: deleted
    at INTEGER NOT NULL,
    device TEXT NOT NULL,
    seq INTEGER NOT NULL,
    rev INTEGER NOT NULL
);
CREATE UNIQUE INDEX items_by_key ON items (account, kind, key);
CREATE INDEX items_by_rev ON items (account, rev);

-- Vote operations of the last day that took effect, in the order of their receipt, for the limits by the minute.
CREATE TABLE casts (
    id INTEGER PRIMARY KEY,
    account INTEGER NOT NULL,
    voter INTEGER NOT NULL,
    subject INTEGER NOT NULL,
    at INTEGER NOT NULL,                -- the moment it is rated by
    sets INTEGER NOT NULL,              -- 0: a retraction
    received INTEGER NOT NULL
);
CREATE INDEX casts_of_voter ON casts (voter, at);
CREATE INDEX casts_of_account ON casts (account, at);
"];

/// Brings a database to the newest version in one transaction, or refuses one that is newer, untouched.
pub(super) fn migrate(connection: &mut Connection) -> Result<()> {
    const DURING: &str = "bringing the database to its newest version";
    let known = u32::try_from(STEPS.len()).expect("there are a handful of steps");
    let version = version(connection)?;
    if version == known {
        return Ok(());
    }
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate).doing(DURING)?;
    for step in STEPS.iter().skip(usize::try_from(version).expect("a version is small")) {
        tx.execute_batch(step).doing(DURING)?;
    }
    let epoch = getrandom::u64().map_err(|_| Error::Io { doing: DURING, reason: "no random numbers".into() })?;
    tx.execute(
        "INSERT INTO meta (name, value) VALUES ('epoch', ?1), ('revision', 0) ON CONFLICT (name) DO NOTHING",
        [epoch.cast_signed()],
    )
    .doing(DURING)?;
    tx.pragma_update(None, "user_version", known).doing(DURING)?;
    tx.commit().doing(DURING)
}

/// Before anything is written, switching to WAL mode included.
pub(super) fn refuse_newer(connection: &Connection) -> Result<()> {
    let known = u32::try_from(STEPS.len()).expect("there are a handful of steps");
    let found = version(connection)?;
    if found > known { Err(Error::NewerSchema { found, known }) } else { Ok(()) }
}

fn version(connection: &Connection) -> Result<u32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0)).doing("reading the database's version")
}
