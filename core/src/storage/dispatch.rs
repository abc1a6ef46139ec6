//! The outbox as whoever sends it sees it: what is due, what is under way, what became of it.

use rusqlite::{Connection, OptionalExtension, params};

use super::{
    columns::Record,
    fault::{Sql, during},
    outbox::{Entry, VoteNames, Wait},
    transaction::Transaction,
};
use crate::{
    error::Result,
    model::{OperationState, ParkedReason, QrHash, UnixMillis},
};

/// What is noted with a change that the server will take later.
pub(crate) const PUT_OFF: &str = "the server takes it later";
/// Changes of one code that are looked at to tell what is not in the server's sums: one for every voter on the device.
const OVERLAID: u32 = 100;

/// A change that a voter made to a code or host, and that the server may not count yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) names: VoteNames,
    /// The voter's name on this very subject.
    pub(crate) voter: crate::model::VoterId,
}

/// Whether a change goes into a request.
pub(crate) enum Fit {
    Yes,
    /// There is no more room.
    NotNow,
    /// It would not fit into an empty one.
    Never,
}

/// What was taken.
#[derive(Default)]
pub(crate) struct Taken {
    /// To be sent.
    pub(crate) batch: Vec<Entry>,
    /// Parked, because it can never be sent.
    pub(crate) poison: Vec<Entry>,
}

impl Transaction<'_> {
    /// Takes what is due, in order, and notes that it is under way. Of one register only the oldest change is taken, so
    /// that its changes arrive in their order. `fits` is asked for each.
    pub(crate) fn take_due(&mut self, limit: u32, mut fits: impl FnMut(&Entry) -> Fit) -> Result<Taken> {
        let now = self.now();
        let due = due(self.connection, now, limit)?;
        let mut taken = Taken::default();
        for mut entry in due {
            match fits(&entry) {
                Fit::Yes => {}
                Fit::NotNow => break,
                Fit::Never => {
                    self.park(&mut entry, ParkedReason::Poison, "it is too large to be sent")?;
                    taken.poison.push(entry);
                    continue;
                }
            }
            entry.operation.state = OperationState::InFlight;
            entry.operation.attempts = entry.operation.attempts.saturating_add(1);
            entry.wait(None);
            self.update_entry(&entry)?;
            taken.batch.push(entry);
        }
        Ok(taken)
    }

    /// What is under way is not any more: it was given up, or the process that sent it was killed.
    pub(crate) fn release_all(&mut self, error: Option<&'static str>) -> Result<u32> {
        let under_way = entries(self.connection, "state = 1", u32::MAX)?;
        for mut entry in under_way.clone() {
            self.release(&mut entry, None, error)?;
        }
        Ok(u32::try_from(under_way.len()).unwrap_or(u32::MAX))
    }

    /// Puts a change back, to be sent again after so many milliseconds.
    pub(crate) fn release(
        &mut self,
        entry: &mut Entry,
        wait_ms: Option<u32>,
        error: Option<&'static str>,
    ) -> Result<()> {
        self.state.operations_changed |= entry.operation.state == OperationState::Parked;
        entry.operation.state = OperationState::Pending;
        entry.operation.parked_reason = None;
        let from = self.now();
        entry.wait(wait_ms.map(|wait_ms| Wait { from, until: from.plus(i64::from(wait_ms)) }));
        if let Some(error) = error {
            entry.operation.last_error = Some(error.to_owned());
        }
        self.update_entry(entry)
    }

    /// Makes due what waits because it failed: it may work now. What the server put off stays put off.
    pub(crate) fn hurry(&mut self) -> Result<()> {
        for mut entry in entries(self.connection, "state = 0 AND next_attempt_at IS NOT NULL", u32::MAX)? {
            if entry.operation.last_error.as_deref() != Some(PUT_OFF) {
                self.release(&mut entry, None, None)?;
            }
        }
        Ok(())
    }

    /// Keeps a change for the app to decide about.
    pub(crate) fn park(&mut self, entry: &mut Entry, reason: ParkedReason, error: &str) -> Result<()> {
        self.state.operations_changed = true;
        entry.operation.state = OperationState::Parked;
        entry.operation.parked_reason = Some(reason);
        entry.wait(None);
        entry.operation.last_error = Some(error.to_owned());
        self.update_entry(entry)
    }

    /// Drops what is parked of a register of which the server took a later change: sent now, it would undo that one.
    pub(crate) fn drop_overtaken(&mut self, by: &Entry) -> Result<()> {
        let sql =
            format!("SELECT {} FROM outbox WHERE key = ?1 AND person IS ?2 AND seq < ?3 AND state = 2", Entry::COLUMNS);
        let person = by.vote.map(|vote| vote.person.0);
        let overtaken: Vec<Entry> = {
            let mut statement = self.connection.prepare_cached(&sql).doing(during::READING)?;
            let rows = statement
                .query_map(params![by.key, person, by.seq], |row| Ok(Entry::read(row)))
                .doing(during::READING)?;
            rows.filter_map(|row| row.doing(during::READING).transpose()).collect::<Result<_>>()?
        };
        overtaken.iter().try_for_each(|entry| self.remove_entry(entry))
    }

    /// Parks up to `limit` changes that wait or are under way; how many there were.
    pub(crate) fn park_some(&mut self, reason: ParkedReason, error: &str, limit: u32) -> Result<Vec<Entry>> {
        let mut waiting = entries(self.connection, "state < 2", limit)?;
        for entry in &mut waiting {
            self.park(entry, reason, error)?;
        }
        Ok(waiting)
    }

    /// Makes up to `limit` changes due that are parked for this reason; how many there were.
    pub(crate) fn unpark_some(&mut self, reason: ParkedReason, limit: u32) -> Result<u32> {
        let parked = entries(self.connection, "state = 2", u32::MAX)?;
        let mut count = 0;
        for mut entry in parked {
            if count < limit && entry.operation.parked_reason == Some(reason) {
                self.release(&mut entry, None, None)?;
                count += 1;
            }
        }
        self.state.queued |= count > 0;
        Ok(count)
    }
}

/// The place of the oldest change that is not settled, parked ones included.
pub(crate) fn oldest(connection: &Connection) -> Result<Option<i64>> {
    connection
        .prepare_cached("SELECT min(seq) FROM outbox")
        .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
        .doing(during::READING)
}

/// When the next change is due, if any waits.
pub(crate) fn next_due(connection: &Connection, now: UnixMillis) -> Result<Option<UnixMillis>> {
    if !due(connection, now, 1)?.is_empty() {
        return Ok(Some(now));
    }
    let next: Option<i64> = connection
        .prepare_cached("SELECT min(next_attempt_at) FROM outbox WHERE state = 0 AND next_attempt_at > ?1")
        .and_then(|mut statement| statement.query_row([now.0], |row| row.get(0)).optional())
        .map(Option::flatten)
        .doing(during::READING)?;
    Ok(next.map(UnixMillis))
}

/// Changes that wait or are under way.
pub(crate) fn unsettled(connection: &Connection) -> Result<u32> {
    connection
        .prepare_cached("SELECT count(*) FROM outbox WHERE state < 2")
        .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
        .doing(during::READING)
}

/// Who changed a vote on this code, or on a code of this host, without the server's word on it yet.
pub(crate) fn waiting_on(connection: &Connection, hash: &QrHash) -> Result<Vec<Waiting>> {
    let mut waiting: Vec<Waiting> = Vec::new();
    let mut take = |sql: &str, value: &dyn rusqlite::ToSql, on_host: bool| -> Result<()> {
        let mut statement = connection.prepare_cached(sql).doing(during::READING)?;
        let mut rows = statement.query(params![value, OVERLAID]).doing(during::READING)?;
        while let Some(row) = rows.next().doing(during::READING)? {
            let Some(names) = Entry::read(row).and_then(|entry| entry.vote) else { continue };
            let voter = if on_host { names.host.map(|(_, voter)| voter) } else { Some(names.voter) };
            if let Some(voter) = voter
                && !waiting.iter().any(|known| known.voter == voter)
            {
                waiting.push(Waiting { names, voter });
            }
        }
        Ok(())
    };
    let select = |condition: &str| format!("SELECT {} FROM outbox WHERE {condition} LIMIT ?2", Entry::COLUMNS);
    take(&select("key = ?1 AND person IS NOT NULL"), &hash.to_string(), false)?;
    take(&select("host = ?1"), &hash.0, true)?;
    Ok(waiting)
}

/// What is due: whatever waits for no time, and is not behind an older change of its register. Where the clock shows less
/// than when a wait began, it was turned back, and nobody can say how much of the wait is left: it is over.
fn due(connection: &Connection, now: UnixMillis, limit: u32) -> Result<Vec<Entry>> {
    let sql = format!(
        "SELECT {} FROM outbox AS entry WHERE state = 0 \
         AND (next_attempt_at IS NULL OR next_attempt_at <= ?1 OR put_off_at > ?1) \
         AND NOT EXISTS (SELECT 1 FROM outbox AS older WHERE older.key = entry.key AND older.person IS entry.person \
                         AND older.seq < entry.seq AND older.state < 2) \
         ORDER BY seq LIMIT ?2",
        Entry::COLUMNS
    );
    let mut statement = connection.prepare_cached(&sql).doing(during::READING)?;
    let rows = statement.query_map(params![now.0, limit], |row| Ok(Entry::read(row))).doing(during::READING)?;
    rows.filter_map(|row| row.doing(during::READING).transpose()).collect()
}

fn entries(connection: &Connection, condition: &str, limit: u32) -> Result<Vec<Entry>> {
    let sql = format!("SELECT {} FROM outbox WHERE {condition} ORDER BY seq LIMIT ?1", Entry::COLUMNS);
    let mut statement = connection.prepare_cached(&sql).doing(during::READING)?;
    let rows = statement.query_map([limit], |row| Ok(Entry::read(row))).doing(during::READING)?;
    rows.filter_map(|row| row.doing(during::READING).transpose()).collect()
}
