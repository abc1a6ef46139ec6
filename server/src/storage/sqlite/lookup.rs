//! Reading, one moment's view at a time.

use rusqlite::{Connection, OptionalExtension, params};
use safescan_core::{
    model::{QrHash, UnixMillis, VoterId},
    protocol::{OwnVote, Rating},
};

use super::{
    fault::{Sql, during},
    ledger::{SqliteLedger, choice_of, read_subject},
};
use crate::{
    error::{Error, Result},
    rules::{self, Account, Device, Ledger, Subject},
    storage::{Figures, PrefixAsk, PrefixPage, feed::size_of_rating},
};

/// Own registers told with a rating at most: a family, not a crowd that pays for every reading.
const MOST_OWN: u32 = 64;

/// An open view.
pub(super) struct Lookup<'a> {
    pub(super) connection: &'a Connection,
    /// Subjects whose sums the line has passed over since they were stored.
    crossed: Vec<i64>,
    crossed_at: UnixMillis,
    revision: i64,
}

/// Subjects to be settled, as of a moment.
type Crossed = Option<(Vec<i64>, UnixMillis)>;

/// Runs `work` in one view; tells besides which subjects should be stored anew.
pub(super) fn in_one_view<T>(
    connection: &Connection,
    work: impl FnOnce(&mut Lookup<'_>) -> Result<T>,
) -> Result<(T, Crossed)> {
    let tx = connection.unchecked_transaction().doing(during::READING)?;
    let mut lookup = Lookup { connection, crossed: Vec::new(), crossed_at: UnixMillis(0), revision: 0 };
    let result = work(&mut lookup)?;
    let crossed = (!lookup.crossed.is_empty()).then_some((lookup.crossed, lookup.crossed_at));
    tx.finish().doing(during::READING)?;
    Ok((result, crossed))
}

/// A number that the database knows of itself.
pub(super) fn meta(connection: &Connection, name: &str) -> Result<i64> {
    connection
        .prepare_cached("SELECT value FROM meta WHERE name = ?1")
        .and_then(|mut statement| statement.query_row([name], |row| row.get(0)))
        .doing(during::READING)
}

impl Lookup<'_> {
    /// The last revision in this view.
    pub(super) fn latest(&self) -> Result<i64> {
        meta(self.connection, "revision")
    }

    /// The account's number, if it was ever seen.
    pub(super) fn account(&self, account: &Account) -> Result<Option<i64>> {
        self.connection
            .prepare_cached("SELECT id FROM accounts WHERE name = ?1")
            .and_then(|mut statement| statement.query_row([account.name()], |row| row.get(0)).optional())
            .doing(during::READING)
    }

    /// Whether a request without operations says anything new of what is settled.
    pub(super) fn raises_floor(&self, account: &Account, device: &str, oldest_pending: Option<i64>) -> Result<bool> {
        let Some(account) = self.account(account)? else { return Ok(false) };
        let found = self
            .connection
            .prepare_cached("SELECT id, floor, highest, remembered FROM devices WHERE account = ?1 AND name = ?2")
            .and_then(|mut statement| {
                let read = |row: &rusqlite::Row<'_>| {
                    Ok(Device { id: row.get(0)?, floor: row.get(1)?, highest: row.get(2)?, remembered: row.get(3)? })
                };
                statement.query_row(params![account, device], read).optional()
            })
            .doing(during::READING)?;
        Ok(found.is_some_and(|device| rules::floor_after(&device, oldest_pending) > device.floor))
    }

    /// The ratings of these, as far as they were ever voted on.
    pub(super) fn ratings(
        &mut self,
        account: Option<&Account>,
        hashes: &[QrHash],
        now: UnixMillis,
    ) -> Result<Vec<Rating>> {
        let account = account.map(|account| self.account(account)).transpose()?.flatten();
        let mut ratings = Vec::with_capacity(hashes.len());
        for hash in hashes {
            let subject = self.ledger().find_subject(hash)?;
            ratings.extend(subject.map(|subject| self.rating(subject, account, MOST_OWN, now)).transpose()?);
        }
        Ok(ratings)
    }

    /// A page of ratings in the order of their hashes.
    pub(super) fn ratings_by_prefix(&mut self, ask: &PrefixAsk) -> Result<PrefixPage> {
        let account = ask.account.as_ref().map(|account| self.account(account)).transpose()?.flatten();
        let (first, last) = ask.prefix.range();
        let from = ask.after.filter(|after| *after >= first);
        let sql = "SELECT id, hash, tally, rev FROM subjects WHERE hash >= ?1 AND hash <= ?2 ORDER BY hash";
        let mut statement = self.connection.prepare_cached(sql).doing(during::READING)?;
        let mut rows = statement.query([from.unwrap_or(first).0, last.0]).doing(during::READING)?;
        let (mut page, mut bytes) = (PrefixPage { ratings: Vec::new(), next: None }, 0);
        while let Some(row) = rows.next().doing(during::READING)? {
            let subject = read_subject(row).doing(during::READING)?.ok_or(Error::Damaged { what: "a subject" })?;
            if Some(subject.hash) == from {
                continue;
            }
            let rating = self.rating(subject, account, MOST_OWN, ask.now)?;
            bytes += size_of_rating(&rating);
            if bytes > ask.max_bytes && !page.ratings.is_empty() {
                page.next = page.ratings.last().map(|last: &Rating| last.qr_hash);
                break;
            }
            page.ratings.push(rating);
        }
        Ok(page)
    }

    /// A rating as of `now`.
    pub(super) fn rating(
        &mut self,
        mut subject: Subject,
        account: Option<i64>,
        most_own: u32,
        now: UnixMillis,
    ) -> Result<Rating> {
        if rules::settle(&mut self.ledger(), &mut subject, now)? {
            self.crossed.push(subject.id);
            self.crossed_at = now;
        }
        let own = account.map(|account| self.own(subject.id, account, most_own)).transpose()?;
        Ok(Rating::of(subject.hash, subject.rev, &subject.tally, own.unwrap_or_default()))
    }

    /// An account's registers on a subject, the latest first: of each voter the one that counts, else the latest.
    fn own(&self, subject: i64, account: i64, most: u32) -> Result<Vec<OwnVote>> {
        let sql = "SELECT voters.voter, votes.choice, votes.at, votes.counts \
                   FROM votes INDEXED BY votes_of_account_by_subject JOIN voters ON voters.id = votes.voter \
                   WHERE votes.subject = ?1 AND votes.account = ?2 ORDER BY votes.at DESC, votes.id DESC LIMIT ?3";
        let mut statement = self.connection.prepare_cached(sql).doing(during::READING)?;
        // A voter has two registers on a subject at the most.
        let mut rows = statement.query(params![subject, account, 2 * most]).doing(during::READING)?;
        let mut own: Vec<(OwnVote, bool)> = Vec::new();
        while let Some(row) = rows.next().doing(during::READING)? {
            let read = || -> rusqlite::Result<(OwnVote, bool)> {
                let vote =
                    OwnVote { voter: VoterId(row.get(0)?), vote: choice_of(row.get(1)?), at: UnixMillis(row.get(2)?) };
                Ok((vote, row.get(3)?))
            };
            let (vote, counts) = read().doing(during::READING)?;
            match own.iter_mut().find(|(known, _)| known.voter == vote.voter) {
                Some(known) if counts && !known.1 => *known = (vote, counts),
                Some(_) => {}
                None => own.push((vote, counts)),
            }
        }
        own.truncate(most as usize);
        Ok(own.into_iter().map(|(vote, _)| vote).collect())
    }

    /// How much there is.
    pub(super) fn figures(&self) -> Result<Figures> {
        let number =
            |sql: &str| -> Result<i64> { self.connection.query_row(sql, [], |row| row.get(0)).doing(during::READING) };
        let pages = number("PRAGMA page_count")?;
        Ok(Figures {
            revision: self.latest()?,
            remembered: number("SELECT coalesce(sum(remembered), 0) FROM devices")?,
            bytes: pages.saturating_mul(number("PRAGMA page_size")?),
            ..Figures::default()
        })
    }

    /// For the rules that only read.
    fn ledger(&mut self) -> SqliteLedger<'_> {
        SqliteLedger { connection: self.connection, revision: &mut self.revision }
    }
}
