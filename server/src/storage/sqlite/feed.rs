//! A page of changes, from the account's registers and the ratings that it follows.

use std::collections::HashSet;

use rusqlite::{Row, params};
use safescan_core::{
    model::{QrHash, UnixMillis, VoterId},
    protocol::{Change, Rating, RegisterChange, VoteChange},
};

use super::{
    fault::{Sql, during},
    ledger::{choice_of, read_subject},
    lookup::{Lookup, meta},
};
use crate::{
    error::{Error, Result},
    rules::Subject,
    storage::{
        ChangesAsk, ChangesPage, Cursor, Epoch,
        feed::{Found, Page, size_of},
    },
};

/// Ratings are found by going through what changed, as long as that is not more than this; else by going through what
/// the account follows.
const SHORT_GAP: i64 = 4_096;
/// Own registers told with each rating, and where those would fill the page.
const MOST_OWN: u32 = 64;
const FEW_OWN: usize = 4;

const BY_CHANGE: &str = "SELECT s.id, s.hash, s.tally, s.rev FROM subjects s INDEXED BY subjects_by_rev WHERE s.rev > ?2 \
     AND EXISTS (SELECT 1 FROM votes v INDEXED BY votes_of_account_by_subject WHERE v.subject = s.id AND v.account = ?1) \
     ORDER BY s.rev LIMIT ?3";
const BY_FOLLOWED: &str = "SELECT s.id, s.hash, s.tally, s.rev FROM subjects s \
     WHERE s.id IN (SELECT subject FROM votes WHERE account = ?1) AND +s.rev > ?2 ORDER BY +s.rev LIMIT ?3";
const BY_TOPIC: &str = "SELECT id, hash, tally, rev FROM subjects \
     WHERE hash >= ?1 AND hash <= ?2 AND +rev > ?3 ORDER BY +rev LIMIT ?4";

/// Reads a page.
pub(super) fn page(lookup: &mut Lookup<'_>, ask: &ChangesAsk) -> Result<ChangesPage> {
    let latest = lookup.latest()?;
    let epoch = Epoch(meta(lookup.connection, "epoch")?.cast_unsigned());
    let account = lookup.account(&ask.account)?;
    let (mut changes, named_bytes) = named(lookup, ask, account)?;

    let cursor = match &ask.cursor {
        None => Some(Cursor { position: 0, base: latest }),
        Some(text) => Cursor::read(text, epoch, latest),
    };
    let Some(cursor) = cursor else { return Ok(ChangesPage { changes, cursor: None, has_more: false }) };

    let source = Source { ask, account, limit: i64::try_from(ask.limit.max(1)).unwrap_or(i64::MAX) };
    let mut page = Page::new(latest);
    if let Some(account) = account {
        let (found, full) = source.votes(lookup, account, cursor.position)?;
        page.add(found, full);
        let (found, full) = source.items(lookup, account, cursor.position)?;
        page.add(found, full);
        let sql = if latest - cursor.position <= SHORT_GAP { BY_CHANGE } else { BY_FOLLOWED };
        let (found, full) = source.ratings(lookup, sql, params![account, cursor.position, source.limit])?;
        page.add(found, full);
    }
    for topic in &ask.topics {
        let (first, last) = topic.range();
        let after = cursor.position.max(cursor.base);
        let (found, full) = source.ratings(lookup, BY_TOPIC, params![first.0, last.0, after, source.limit])?;
        page.add(found, full);
    }
    let room = ask.max_bytes.saturating_sub(named_bytes);
    let (found, position, has_more) = page.cut(ask.limit.max(1), room, latest);
    let known: HashSet<QrHash> = ask.named.iter().copied().collect();
    changes.extend(found.into_iter().filter(|change| match change {
        Change::Rating(rating) => !known.contains(&rating.qr_hash),
        _ => true,
    }));
    let cursor = Cursor { position, ..cursor }.write(epoch);
    Ok(ChangesPage { changes, cursor: Some(cursor), has_more })
}

/// The ratings that are wanted whatever the cursor says. Where they would not fit, fewer own registers are told: those
/// of the operations just sent are the latest, hence among them.
fn named(lookup: &mut Lookup<'_>, ask: &ChangesAsk, account: Option<i64>) -> Result<(Vec<Change>, usize)> {
    let ratings: Vec<Rating> = lookup.ratings(Some(&ask.account), &ask.named, ask.now)?;
    let mut changes: Vec<Change> = ratings.into_iter().map(Change::Rating).collect();
    let bytes = |changes: &[Change]| changes.iter().map(size_of).sum::<usize>();
    if account.is_some() && bytes(&changes) > ask.max_bytes / 2 {
        for change in &mut changes {
            if let Change::Rating(rating) = change {
                rating.own.truncate(FEW_OWN);
            }
        }
    }
    let size = bytes(&changes);
    Ok((changes, size))
}

struct Source<'a> {
    ask: &'a ChangesAsk,
    account: Option<i64>,
    limit: i64,
}

impl Source<'_> {
    fn votes(&self, lookup: &Lookup<'_>, account: i64, after: i64) -> Result<(Vec<Found>, bool)> {
        let sql = "SELECT subjects.hash, voters.voter, votes.choice, votes.at, votes.rev \
                   FROM votes INDEXED BY votes_of_account \
                   JOIN subjects ON subjects.id = votes.subject JOIN voters ON voters.id = votes.voter \
                   WHERE votes.account = ?1 AND votes.derived = 0 AND votes.rev > ?2 ORDER BY votes.rev LIMIT ?3";
        let mut statement = lookup.connection.prepare_cached(sql).doing(during::READING)?;
        let read = |row: &Row<'_>| -> rusqlite::Result<Found> {
            let change = VoteChange {
                qr_hash: QrHash(row.get(0)?),
                voter: VoterId(row.get(1)?),
                vote: choice_of(row.get(2)?),
                at: UnixMillis(row.get(3)?),
                rev: row.get(4)?,
            };
            Ok((change.rev, Change::Vote(change)))
        };
        let rows = statement.query_map([account, after, self.limit], read).doing(during::READING)?;
        let found = rows.collect::<rusqlite::Result<Vec<Found>>>().doing(during::READING)?;
        let full = found.len() >= self.ask.limit.max(1);
        Ok((found, full))
    }

    /// Bodies are large: no more are read than fit the page.
    fn items(&self, lookup: &Lookup<'_>, account: i64, after: i64) -> Result<(Vec<Found>, bool)> {
        let sql = "SELECT kind, key, body, at, rev FROM items INDEXED BY items_by_rev \
                   WHERE account = ?1 AND rev > ?2 ORDER BY rev LIMIT ?3";
        let mut statement = lookup.connection.prepare_cached(sql).doing(during::READING)?;
        let mut rows = statement.query([account, after, self.limit]).doing(during::READING)?;
        let (mut found, mut bytes) = (Vec::new(), 0);
        while let Some(row) = rows.next().doing(during::READING)? {
            let change = read_item(row)?;
            bytes += size_of(&change.1);
            found.push(change);
            if bytes > self.ask.max_bytes {
                return Ok((found, true));
            }
        }
        let full = found.len() >= self.ask.limit.max(1);
        Ok((found, full))
    }

    fn ratings(&self, lookup: &mut Lookup<'_>, sql: &str, values: impl rusqlite::Params) -> Result<(Vec<Found>, bool)> {
        let mut statement = lookup.connection.prepare_cached(sql).doing(during::READING)?;
        let rows = statement.query_map(values, read_subject).doing(during::READING)?;
        let subjects = rows.collect::<rusqlite::Result<Vec<Option<Subject>>>>().doing(during::READING)?;
        let (mut found, mut bytes) = (Vec::with_capacity(subjects.len()), 0);
        let full = subjects.len() >= self.ask.limit.max(1);
        for subject in subjects {
            let subject = subject.ok_or(Error::Damaged { what: "a subject" })?;
            let change = Change::Rating(lookup.rating(subject.clone(), self.account, MOST_OWN, self.ask.now)?);
            bytes += size_of(&change);
            found.push((subject.rev, change));
            if bytes > self.ask.max_bytes {
                return Ok((found, true));
            }
        }
        Ok((found, full))
    }
}

fn read_item(row: &Row<'_>) -> Result<Found> {
    let read = || -> rusqlite::Result<(i64, Option<String>, RegisterChange)> {
        let change = RegisterChange { key: row.get(1)?, rev: row.get(4)?, at: UnixMillis(row.get(3)?), body: None };
        Ok((row.get(0)?, row.get(2)?, change))
    };
    let (kind, body, mut change) = read().doing(during::READING)?;
    let deleted = body.is_none();
    change.body =
        body.map(|body| serde_json::from_str(&body).map_err(|_| Error::Damaged { what: "a body" })).transpose()?;
    let rev = change.rev;
    Ok((
        rev,
        match (kind, deleted) {
            (0, true) => Change::ScanDeleted(change),
            (0, false) => Change::Scan(change),
            _ => Change::Setting(change),
        },
    ))
}
