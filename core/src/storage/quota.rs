//! Room: how much the content of all stores may take, and what gives way when it runs out.
//!
//! Eviction is paid in small coins. Once the threshold is passed, every write removes a chunk of the oldest scans until
//! the goal is reached, so that no write ever waits for a large clean-up and a phone that is always full stays quick.

use rusqlite::params;

use super::{
    fault::{Sql, during},
    scans,
    transaction::Transaction,
};
use crate::{
    config::{Config, EVICTION_GOAL},
    error::{Error, Result},
    model::{Event, StoreName},
};

/// Scans evicted at a time: some hundred microseconds of work.
const CHUNK: u32 = 100;

/// The quota in bytes, and whether eviction is under way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quota {
    pub(crate) limit: i64,
    threshold: i64,
    goal: i64,
    evicting: bool,
    /// Scans up to this id wait to be sent, and are not looked at again and again.
    floor: i64,
}

impl Quota {
    /// No limit: for rows that are moved and not made.
    pub(crate) const NONE: Self =
        Self { limit: i64::MAX, threshold: i64::MAX, goal: i64::MAX, evicting: false, floor: i64::MIN };

    pub(crate) fn of(config: &Config) -> Self {
        let limit = config.max_storage().0;
        Self {
            limit,
            threshold: share(limit, config.cleanup_threshold()),
            goal: share(limit, EVICTION_GOAL),
            evicting: false,
            floor: i64::MIN,
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "a share of a limit of at most 2^62")]
fn share(limit: i64, part: f64) -> i64 {
    (limit as f64 * part) as i64
}

impl Transaction<'_> {
    /// Books `bytes` for a row of `store` that is about to be written; makes room, or refuses.
    pub(crate) fn book(&mut self, store: StoreName, rows: i64, bytes: i64) -> Result<()> {
        if bytes > 0 {
            let room = self.state.quota.limit - bytes;
            while self.state.counters.all_bytes() > room {
                if self.evict_chunk(room.min(self.state.quota.goal))? == 0 {
                    return Err(Error::QuotaExceeded);
                }
            }
        }
        self.state.counters.grow(store, rows, bytes);
        if bytes > 0 && self.state.counters.all_bytes() > self.state.quota.threshold {
            self.state.quota.evicting = true;
        }
        Ok(())
    }

    /// Does a write's share of an eviction that is under way. To be called once per step, after its rows are written.
    pub(crate) fn evict_some(&mut self) -> Result<()> {
        if self.state.quota.evicting {
            self.state.quota.evicting = self.evict_chunk(self.state.quota.goal)? > 0;
        }
        Ok(())
    }

    /// Evicts a chunk if the threshold is passed or an eviction is under way; 0 when there is nothing to do.
    pub(crate) fn evict_more(&mut self) -> Result<u32> {
        let bytes = self.state.counters.all_bytes();
        let quota = &mut self.state.quota;
        quota.evicting = bytes > if quota.evicting { quota.goal } else { quota.threshold };
        let (evicting, goal) = (quota.evicting, quota.goal);
        if evicting { self.evict_chunk(goal) } else { Ok(0) }
    }

    /// Removes some of the oldest scans that nobody waits for, until only `goal` bytes are taken; 0 when none gave way.
    fn evict_chunk(&mut self, goal: i64) -> Result<u32> {
        if self.state.counters.all_bytes() <= goal {
            return Ok(0);
        }
        let mut victims = self.oldest_evictable()?;
        if victims.is_empty() && self.state.quota.floor > i64::MIN {
            // Those below the floor may have been sent by now.
            self.state.quota.floor = i64::MIN;
            victims = self.oldest_evictable()?;
        }
        let Some((first, _)) = victims.first() else { return Ok(0) };
        self.state.quota.floor = first.saturating_sub(1);
        let mut statement = self.connection.prepare_cached("DELETE FROM scans WHERE id = ?1").doing(during::WRITING)?;
        let mut count = 0;
        for (id, bytes) in &victims {
            if self.state.counters.all_bytes() <= goal {
                break;
            }
            statement.execute([id]).doing(during::WRITING)?;
            self.state.counters.grow(StoreName::Scans, -1, -bytes);
            count += 1;
        }
        drop(statement);
        self.emit(Event::ScansEvicted { count });
        Ok(count)
    }

    fn oldest_evictable(&self) -> Result<Vec<(i64, i64)>> {
        let mut statement = self
            .connection
            .prepare_cached(
                "SELECT id, octet_length(text) + ifnull(octet_length(metadata), 0) FROM scans \
                 WHERE id > ?1 AND pending = 0 ORDER BY id LIMIT ?2",
            )
            .doing(during::READING)?;
        let rows = statement
            .query_map(params![self.state.quota.floor, CHUNK], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?)))
            .doing(during::READING)?;
        rows.map(|row| row.map(|(id, content)| (id, content + scans::ROW_OVERHEAD)).doing(during::READING)).collect()
    }
}
