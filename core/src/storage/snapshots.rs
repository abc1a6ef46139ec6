//! The last known ratings, in `cache.db`: what a rating falls back to when the votes cannot be read.

use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, params};

use super::{
    columns::{Checksum, Columns},
    fault::{Sql, during},
    tally,
};
use crate::{
    error::Result,
    model::{QrHash, VoteChoice, VoterId},
    voting::{Ballot, Tally},
};

/// Codes remembered: at some 250 bytes each, a few megabytes at the most.
const KEPT: i64 = 10_000;

/// What is known of a code or host at one moment.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Snapshot {
    pub(crate) hash: QrHash,
    pub(crate) host_hash: Option<QrHash>,
    pub(crate) tally: Tally,
    pub(crate) own_choice: Option<VoteChoice>,
    /// What voters of this device changed and the server may not count yet: the voter, and what stands now. Not stored.
    pub(crate) waiting: Vec<(VoterId, Option<Ballot>)>,
}

impl Snapshot {
    /// Of a code that nobody has voted on.
    pub(crate) fn empty(hash: QrHash, host_hash: Option<QrHash>) -> Self {
        Self { hash, host_hash, tally: Tally::default(), own_choice: None, waiting: Vec::new() }
    }
}

/// Remembers snapshots, each in the place of an older one of the same code; forgets the oldest beyond [`KEPT`].
pub(crate) fn keep(connection: &mut Connection, snapshots: &[Snapshot]) -> Result<()> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate).doing(during::BEGINNING)?;
    for snapshot in snapshots {
        let host = snapshot.host_hash.map(|host| host.0);
        let sums = tally::encode(&snapshot.tally);
        let own = snapshot.own_choice.map(choice_code);
        tx.prepare_cached(
            "INSERT OR REPLACE INTO ratings (hash, host_hash, tally, own_choice, checksum) VALUES (?1, ?2, ?3, ?4, ?5)",
        )
        .and_then(|mut statement| {
            statement.execute(params![snapshot.hash.0, host, sums, own, checksum(snapshot, &sums)])
        })
        .doing(during::WRITING)?;
    }
    let newest = tx.last_insert_rowid();
    tx.prepare_cached("DELETE FROM ratings WHERE id <= ?1")
        .and_then(|mut statement| statement.execute([newest - KEPT]))
        .doing(during::WRITING)?;
    tx.commit().doing(during::COMMITTING)
}

/// Looks codes up; `None` for those that are not remembered.
pub(crate) fn find(connection: &Connection, hashes: &[QrHash]) -> Result<Vec<Option<Snapshot>>> {
    let mut statement = connection
        .prepare_cached("SELECT hash, host_hash, tally, own_choice, checksum FROM ratings WHERE hash = ?1")
        .doing(during::READING)?;
    hashes
        .iter()
        .map(|hash| {
            let found = statement.query_row([hash.0], |row| Ok(read(row))).optional().doing(during::READING)?;
            Ok(found.flatten())
        })
        .collect()
}

fn read(row: &Row<'_>) -> Option<Snapshot> {
    let snapshot = Snapshot {
        hash: QrHash(row.bytes(0)?),
        host_hash: row.optional(1, Columns::bytes)?.map(QrHash),
        tally: tally::decode(row.blob(2)?)?,
        own_choice: row.optional(3, |row, index| choice_of(row.int(index)?))?,
        waiting: Vec::new(),
    };
    (row.int(4)? == checksum(&snapshot, row.blob(2)?)).then_some(snapshot)
}

fn checksum(snapshot: &Snapshot, sums: &[u8]) -> i64 {
    Checksum::of("ratings")
        .blob(&snapshot.hash.0)
        .optional(snapshot.host_hash, |sum, host| sum.blob(&host.0))
        .blob(sums)
        .optional(snapshot.own_choice, |sum, choice| sum.int(choice_code(choice)))
        .finish()
}

/// How a choice is stored.
pub(crate) fn choice_code(choice: VoteChoice) -> i64 {
    match choice {
        VoteChoice::Unsafe => 0,
        VoteChoice::Safe => 1,
    }
}

/// The choice stored as `code`.
pub(crate) fn choice_of(code: i64) -> Option<VoteChoice> {
    match code {
        0 => Some(VoteChoice::Unsafe),
        1 => Some(VoteChoice::Safe),
        _ => None,
    }
}
