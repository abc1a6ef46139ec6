use std::{path::PathBuf, sync::Arc};

use super::{Context, Ratings, ratings::Announcer};
use crate::{
    error::{Error, Problem, Result},
    limits::check_name,
    model::{
        ByteCount, CleanUpReport, DAY_MS, Event, ExportReport, IntegrityReport, RepairReport, ScanId, StorageUsage,
        StoreName, UnixMillis,
    },
    storage::{Transaction, export, integrity, scans, votes},
};

/// Rows removed in one transaction: some milliseconds of work, so that other writes are not held up.
const CHUNK: u32 = 100;

/// Keeping the storage small, whole and, at the end, empty.
pub struct Upkeep {
    pub(crate) context: Arc<Context>,
    pub(crate) ratings: Ratings,
    pub(crate) settings: super::SettingsStore,
}

impl Upkeep {
    /// How much room is taken.
    ///
    /// # Errors
    /// The storage cannot be read.
    pub async fn usage(&self) -> Result<StorageUsage> {
        let counters = self.context.store.counters().await?;
        Ok(StorageUsage {
            used: ByteCount(counters.all_bytes()),
            limit: self.context.config.max_storage(),
            scans: counters.bytes(StoreName::Scans),
            votes: counters.bytes(StoreName::Votes),
            key_value: counters.bytes(StoreName::KeyValue),
            operations: counters.bytes(StoreName::Operations),
            on_disk: ByteCount(i64::try_from(self.context.store.size_on_disk()).unwrap_or(i64::MAX)),
        })
    }

    /// Reads and checks every row.
    ///
    /// # Errors
    /// The storage cannot be read.
    pub async fn check_integrity(&self) -> Result<IntegrityReport> {
        let report = self.context.read(integrity::check).await?;
        for store in &report.stores {
            self.context.note_damage(store.store, store.damaged);
        }
        Ok(report)
    }

    /// Takes damage out, or rebuilds the database.
    ///
    /// # Errors
    /// The files cannot be written. Nothing is lost by trying again.
    pub async fn repair(&self) -> Result<RepairReport> {
        let report = self.context.store.repair().await?;
        self.ratings.forget_all();
        self.context.forget_damage();
        self.context.observer.happened(Event::Repaired { report: report.clone() });
        Ok(report)
    }

    /// Removes what the settings no longer keep, and makes room if the quota is near.
    ///
    /// # Errors
    /// The storage cannot be written. What was removed by then stays removed.
    pub async fn clean_up(&self) -> Result<CleanUpReport> {
        let settings = self.settings.read().await?;
        let now = self.context.now();
        let mut report = CleanUpReport::default();
        if settings.scan_retention_days > 0 {
            let end = ScanId(scans::first_id(now.minus(i64::from(settings.scan_retention_days) * DAY_MS)));
            report.expired_scans = self.in_chunks(&mut report.freed, move |tx| remove_scans(tx, end)).await?;
        }
        if settings.vote_retention_days > 0 {
            let before = now.minus(i64::from(settings.vote_retention_days) * DAY_MS);
            report.expired_votes = self.remove_votes_before(before, &mut report.freed).await?;
        }
        report.evicted_scans = self.in_chunks(&mut report.freed, |tx| tx.evict_more()).await?;
        Ok(report)
    }

    /// Writes everything to a new file.
    ///
    /// # Errors
    /// Invalid input, or the file cannot be written.
    pub async fn export(&self, path: String) -> Result<ExportReport> {
        check_name("path", &path, 4096)?;
        let path = PathBuf::from(path);
        if !path.is_absolute() {
            return Err(Error::invalid("path", Problem::Is("is not an absolute path")));
        }
        let now = self.context.now();
        self.context.read(move |connection| export::write(connection, &path, now)).await
    }

    /// Erases everything.
    ///
    /// # Errors
    /// The files cannot be removed. What is left is removed when the core is opened the next time.
    pub async fn erase_all(&self) -> Result<()> {
        if let Some(cloud) = &self.context.cloud {
            // What is under way is given up: it would bring back what is erased.
            cloud.client.rest().await;
        }
        let erased = self.context.store.erase_all().await;
        self.ratings.forget_all();
        if let Some(cloud) = &self.context.cloud {
            cloud.start_over();
            cloud.client.set_awake(!cloud.is_asleep());
        }
        erased?;
        self.context.forget_damage();
        self.context.observer.happened(Event::Erased);
        Ok(())
    }

    /// Repeats a step until it has nothing left to remove; how many rows it removed, and how many bytes.
    async fn in_chunks(
        &self,
        freed: &mut ByteCount,
        step: impl Fn(&mut Transaction<'_>) -> Result<u32> + Clone + Send + 'static,
    ) -> Result<u32> {
        let mut removed = 0;
        loop {
            let step = step.clone();
            let (count, bytes) = self.context.store.write(move |tx| measured(tx, step)).await?;
            if count == 0 {
                return Ok(removed);
            }
            removed += count;
            freed.0 += bytes;
        }
    }

    async fn remove_votes_before(&self, before: UnixMillis, freed: &mut ByteCount) -> Result<u32> {
        let mut removed = 0;
        let mut after = 0;
        loop {
            let found =
                self.context.read(move |connection| votes::cast_before(connection, before, after, CHUNK)).await?;
            let Some(last) = found.last() else { return Ok(removed) };
            after = last.id;
            let announcer = self.ratings.announcer()?;
            let step = move |tx: &mut Transaction<'_>| remove_votes(tx, &announcer, &found, before);
            let (count, bytes) = self.context.store.write(move |tx| measured(tx, step)).await?;
            // Codes and hosts alike: what was seen of any of them may be out of date.
            self.ratings.forget_all();
            removed += count;
            freed.0 += bytes;
        }
    }
}

fn measured(tx: &mut Transaction<'_>, step: impl FnOnce(&mut Transaction<'_>) -> Result<u32>) -> Result<(u32, i64)> {
    let before = tx.state.counters.all_bytes();
    let count = step(tx)?;
    Ok((count, before - tx.state.counters.all_bytes()))
}

fn remove_scans(tx: &mut Transaction<'_>, end: ScanId) -> Result<u32> {
    let mut removed = 0;
    for id in tx.settled_scans_below(end, CHUNK)? {
        removed += u32::from(tx.delete_scan(id)?);
    }
    if removed > 0 {
        tx.emit(Event::ScansRemoved { count: removed });
    }
    Ok(removed)
}

/// Removes votes as they were found, unless they changed since or wait to be sent.
fn remove_votes(
    tx: &mut Transaction<'_>,
    announcer: &Announcer,
    found: &[votes::Register],
    before: UnixMillis,
) -> Result<u32> {
    let mut removed = 0;
    for register in found {
        let mut subject = tx.subject(register.hash, register.host_hash)?;
        let Some(current) = tx.register(&mut subject, &register.person)? else { continue };
        if current.at >= before || votes::is_pending(tx.connection, &current)? {
            continue;
        }
        tx.remove_register(&mut subject, &current)?;
        if let Some(host) = current.host_hash {
            let host = tx.follow_host(host, current.person)?;
            announcer.announce(tx, &host)?;
        }
        tx.emit(Event::VoteChanged { qr_hash: current.hash });
        announcer.announce(tx, &subject)?;
        removed += 1;
    }
    Ok(removed)
}
