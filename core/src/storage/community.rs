//! What the server last said of codes and hosts, in `cache.db`.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    columns::{Checksum, Columns},
    fault::{Sql, during},
    tally,
};
use crate::{
    error::Result,
    model::{QrHash, UnixMillis},
    protocol::OwnVote,
    voting::Tally,
};

/// Codes kept: at some 300 bytes each, a few megabytes at the most. The oldest give way.
const KEPT: i64 = 20_000;

/// What the server last said of a code or host.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Community {
    pub(crate) hash: QrHash,
    /// Of two answers the one with the greater revision holds, whichever came last.
    pub(crate) rev: i64,
    pub(crate) tally: Tally,
    /// Which votes of this account are in the sums.
    pub(crate) own: Vec<OwnVote>,
    /// By the server's clock.
    pub(crate) known_at: UnixMillis,
}

/// Keeps what the server said, each in the place of an older word on the same code; returns what was news.
pub(crate) fn keep(connection: &Connection, said: &[Community]) -> Result<Vec<Community>> {
    let mut news = Vec::new();
    for community in said {
        let before = find_one(connection, &community.hash)?;
        if before.as_ref().is_some_and(|before| before.rev > community.rev) {
            continue;
        }
        let own = own_as_text(&community.own);
        // Deleted and inserted, so that it counts as the newest.
        connection
            .prepare_cached("DELETE FROM community WHERE hash = ?1")
            .and_then(|mut statement| statement.execute([community.hash.0]))
            .doing(during::WRITING)?;
        connection
            .prepare_cached(
                "INSERT INTO community (hash, rev, tally, own, known_at, checksum) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )
            .and_then(|mut statement| {
                statement.execute(params![
                    community.hash.0,
                    community.rev,
                    tally::encode(&community.tally),
                    own,
                    community.known_at.0,
                    checksum(community, &own)
                ])
            })
            .doing(during::WRITING)?;
        news.push(community.clone());
    }
    let newest = connection.last_insert_rowid();
    connection
        .prepare_cached("DELETE FROM community WHERE id <= ?1")
        .and_then(|mut statement| statement.execute([newest - KEPT]))
        .doing(during::WRITING)?;
    Ok(news)
}

/// Looks codes up; `None` for those of which nothing is known.
pub(crate) fn find(connection: &Connection, hashes: &[QrHash]) -> Result<Vec<Option<Community>>> {
    hashes.iter().map(|hash| find_one(connection, hash)).collect()
}

/// Forgets everything that was said: it is to be fetched anew.
pub(crate) fn forget_all(connection: &Connection) -> Result<()> {
    connection.execute("DELETE FROM community", []).doing(during::WRITING)?;
    Ok(())
}

fn find_one(connection: &Connection, hash: &QrHash) -> Result<Option<Community>> {
    connection
        .prepare_cached("SELECT hash, rev, tally, own, known_at, checksum FROM community WHERE hash = ?1")
        .and_then(|mut statement| statement.query_row([hash.0], |row| Ok(read(row))).optional())
        .map(Option::flatten)
        .doing(during::READING)
}

fn read(row: &Row<'_>) -> Option<Community> {
    let own = row.text(3)?;
    let community = Community {
        hash: QrHash(row.bytes(0)?),
        rev: row.int(1)?,
        tally: tally::decode(row.blob(2)?)?,
        own: serde_json::from_str(own).ok()?,
        known_at: UnixMillis(row.int(4)?),
    };
    (row.int(5)? == checksum(&community, own)).then_some(community)
}

fn own_as_text(own: &[OwnVote]) -> String {
    serde_json::to_string(own).expect("votes are written as texts and numbers")
}

fn checksum(community: &Community, own: &str) -> i64 {
    Checksum::of("community")
        .blob(&community.hash.0)
        .int(community.rev)
        .blob(&tally::encode(&community.tally))
        .text(own)
        .int(community.known_at.0)
        .finish()
}
