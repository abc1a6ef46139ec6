//! Codes and hosts that were voted on, with their sums. Everything here can be computed anew from the votes.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    columns::{Checksum, Columns},
    fault::{Sql, during},
    tally,
    transaction::Transaction,
    votes,
};
use crate::{
    error::{Error, Result},
    model::{QrHash, UnixMillis},
    voting::{Crossing, Tally},
};

/// A code or host that was voted on.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    pub(crate) id: i64,
    pub(crate) hash: QrHash,
    pub(crate) host_hash: Option<QrHash>,
    pub(crate) tally: Tally,
    /// Standing votes that were cast on it, and not on a code of it.
    pub(crate) own: i64,
}

/// Looks a subject up. One whose sums are damaged is [`Error::Damaged`].
pub(crate) fn find(connection: &Connection, hash: &QrHash) -> Result<Option<Subject>> {
    match find_raw(connection, hash)? {
        Some((_, Some(subject))) => Ok(Some(subject)),
        Some((_, None)) => Err(Error::Damaged { during: during::READING }),
        None => Ok(None),
    }
}

/// Moves the votes that the line has passed over since the tally was stored. Returns whether there were any.
pub(crate) fn settle(connection: &Connection, subject: &mut Subject, now: UnixMillis) -> Result<bool> {
    let crossing = subject.tally.crossing(now);
    let (range, move_over): (_, fn(&mut Tally, &crate::voting::Ballot)) = match crossing {
        Crossing::None => return Ok(false),
        Crossing::Forward { after, up_to } => ((after, up_to), Tally::clamp),
        Crossing::Backward { after, up_to } => ((after, up_to), Tally::unclamp),
    };
    let mut moved = false;
    votes::for_each_between(connection, subject.id, range.0, range.1, |ballot| {
        move_over(&mut subject.tally, ballot);
        moved = true;
    })?;
    if let Some(watermark) = crossing.watermark() {
        subject.tally.set_watermark(watermark);
    }
    let (newest, oldest_linear) = votes::extremes(connection, subject.id, subject.tally.watermark)?;
    subject.tally.set_extremes(newest, oldest_linear);
    Ok(moved)
}

impl Transaction<'_> {
    /// The subject, made if it is missing, its sums made anew if they are damaged.
    pub(crate) fn subject(&mut self, hash: QrHash, host_hash: Option<QrHash>) -> Result<Subject> {
        let found = find_raw(self.connection, &hash)?;
        match found {
            Some((_, Some(mut subject))) => {
                if subject.host_hash.is_none() && host_hash.is_some() {
                    subject.host_hash = host_hash;
                    self.save_subject(&subject)?;
                }
                Ok(subject)
            }
            Some((id, None)) => {
                let (tally, own) = (votes::recount(self.connection, id)?, votes::count_own(self.connection, id)?);
                let subject = Subject { id, hash, host_hash, tally, own };
                self.save_subject(&subject)?;
                Ok(subject)
            }
            None => {
                let id = insert(self.connection, None, &hash, host_hash)?;
                Ok(Subject { id, hash, host_hash, tally: Tally::default(), own: 0 })
            }
        }
    }

    /// Stores the sums.
    pub(crate) fn save_subject(&mut self, subject: &Subject) -> Result<()> {
        save(self.connection, subject)
    }
}

fn save(connection: &Connection, subject: &Subject) -> Result<()> {
    connection
        .prepare_cached("UPDATE subjects SET host_hash = ?2, tally = ?3, own = ?4, checksum = ?5 WHERE id = ?1")
        .and_then(|mut statement| {
            statement.execute(params![
                subject.id,
                subject.host_hash.map(|host| host.0),
                tally::encode(&subject.tally),
                subject.own,
                checksum(subject)
            ])
        })
        .doing(during::WRITING)?;
    Ok(())
}

/// Inserts a subject without votes, and returns its number. One under the given number is left alone.
fn insert(connection: &Connection, id: Option<i64>, hash: &QrHash, host_hash: Option<QrHash>) -> Result<i64> {
    let subject = Subject { id: 0, hash: *hash, host_hash, tally: Tally::default(), own: 0 };
    connection
        .prepare_cached(
            "INSERT INTO subjects (id, prefix, hash, host_hash, tally, own, checksum) VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6) \
             ON CONFLICT (id) DO NOTHING",
        )
        .and_then(|mut statement| {
            statement.execute(params![
                id,
                hash.prefix(),
                hash.0,
                host_hash.map(|host| host.0),
                tally::encode(&subject.tally),
                checksum(&subject)
            ])
        })
        .doing(during::WRITING)?;
    Ok(connection.last_insert_rowid())
}

/// Inserts a subject under a given number, unless it is there, with sums yet to be made.
pub(crate) fn insert_as(connection: &Connection, id: i64, hash: &QrHash, host_hash: Option<QrHash>) -> Result<()> {
    insert(connection, Some(id), hash, host_hash).map(drop)
}

/// A subject's number, whatever the state of its sums.
pub(crate) fn number(connection: &Connection, hash: &QrHash) -> Result<Option<i64>> {
    Ok(find_raw(connection, hash)?.map(|(id, _)| id))
}

/// A subject's number, the subject inserted if it is missing.
pub(crate) fn number_of(connection: &Connection, hash: &QrHash) -> Result<i64> {
    number(connection, hash)?.map_or_else(|| insert(connection, None, hash, None), Ok)
}

/// Makes every subject's sums anew from its votes, and says how many codes have standing ones.
pub(crate) fn recount_all(connection: &Connection) -> Result<i64> {
    let mut statement = connection.prepare("SELECT id, hash, host_hash FROM subjects").doing(during::READING)?;
    let mut rows = statement.query([]).doing(during::READING)?;
    let mut rated = 0;
    while let Some(row) = rows.next().doing(during::READING)? {
        let (Some(id), Some(hash)) = (row.int(0), row.bytes(1)) else {
            return Err(Error::Unexpected { what: "a subject made anew cannot be read" });
        };
        let host_hash = row.optional(2, Columns::bytes).flatten().map(QrHash);
        let (tally, own) = (votes::recount(connection, id)?, votes::count_own(connection, id)?);
        save(connection, &Subject { id, hash: QrHash(hash), host_hash, tally, own })?;
        rated += i64::from(own > 0);
    }
    Ok(rated)
}

/// The row's id, and the subject if it is whole.
fn find_raw(connection: &Connection, hash: &QrHash) -> Result<Option<(i64, Option<Subject>)>> {
    connection
        .prepare_cached(
            "SELECT id, hash, host_hash, tally, own, checksum FROM subjects WHERE prefix = ?1 AND hash = ?2",
        )
        .and_then(|mut statement| {
            statement.query_row(params![hash.prefix(), hash.0], |row| Ok((row.get(0)?, read(row)))).optional()
        })
        .doing(during::READING)
}

fn read(row: &Row<'_>) -> Option<Subject> {
    let subject = Subject {
        id: row.int(0)?,
        hash: QrHash(row.bytes(1)?),
        host_hash: row.optional(2, Columns::bytes)?.map(QrHash),
        tally: tally::decode(row.blob(3)?)?,
        own: row.int(4)?,
    };
    (row.int(5)? == checksum(&subject)).then_some(subject)
}

/// Without the id: a subject is the same whatever its row.
fn checksum(subject: &Subject) -> i64 {
    Checksum::of("subjects")
        .blob(&subject.hash.0)
        .optional(subject.host_hash, |sum, host| sum.blob(&host.0))
        .blob(&tally::encode(&subject.tally))
        .int(subject.own)
        .finish()
}
