//! Moving in: what AsyncStorage left on the disk becomes scans, votes, settings and key-value data.
//!
//! # How it survives a kill
//!
//! A storage is read from its first entry to its last and taken in portions, each one transaction. With a record goes
//! the note, in the same transaction, that the record was come across; a record that has such a note is not looked at
//! again. So an import can end at any instant and be begun anew, as often as one likes, with the result of one that ran
//! through; and what the user changed or deleted here meanwhile is not brought back.
//!
//! When a storage was read to its end, that is noted with a fingerprint of its files: as long as they stay as they are,
//! the next import only looks at their sizes and times.
//!
//! # What counts more
//!
//! Whatever the app has under a key stays. Of two votes on a code the later one stands. A setting that was chosen here
//! stays. The originals are only read; [`confirm`](Import::confirm) alone removes them, and only those of which
//! everything was taken.

mod elements;
mod intake;
mod items;
mod legacy_hash;
mod records;

use std::{
    fs, io,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use self::{
    intake::{Intake, Portion},
    items::Taking,
};
use super::{Context, Ratings};
use crate::{
    error::{Error, Problem, Result},
    limits::{MAX_KEY_BYTES, check_bytes, check_name},
    model::{AsyncStorageSource, ByteCount, Event, ImportReport},
    storage::{
        foreign::{Fingerprint, Origin, Whereabouts, find},
        hex, imports, noted,
    },
};

/// Takes over what AsyncStorage left.
pub struct Import {
    context: Arc<Context>,
    ratings: Ratings,
    /// One import at a time.
    turn: Semaphore,
    /// What was read to its end since the core was opened; none before.
    finished: Mutex<Option<Vec<Finished>>>,
}

/// A storage that was read to its end.
#[derive(Clone)]
struct Finished {
    origin: Origin,
    fingerprint: Fingerprint,
    complete: bool,
}

/// What is noted of such a storage.
#[derive(Serialize, Deserialize)]
struct Note {
    digest: String,
    report: ImportReport,
}

/// How far an import is, for those who watch it.
struct Progress {
    /// Bytes of the storages that were read to their end.
    before: u64,
    total: u64,
    told: Option<u64>,
}

impl Import {
    pub(crate) fn new(context: Arc<Context>, ratings: Ratings) -> Self {
        Self { context, ratings, turn: Semaphore::new(1), finished: Mutex::default() }
    }

    /// Takes over everything that is not here yet, and tells what became of it.
    ///
    /// # Errors
    /// Invalid input; an original cannot be read just now; no room. What was taken by then stays taken, and the next
    /// import goes on.
    pub async fn run(&self, source: AsyncStorageSource) -> Result<ImportReport> {
        let whereabouts = whereabouts(&source)?;
        let _turn = self.turn.acquire().await.map_err(|_| Error::Stopped)?;
        let scratch = self.context.store.scratch();
        let found = self.aside(move || emptied(&scratch).and_then(|()| look(&whereabouts))).await?;
        let mut progress = Progress { before: 0, total: found.iter().map(|(_, print)| print.bytes).sum(), told: None };
        let mut report = ImportReport { complete: true, ..ImportReport::default() };
        let mut finished = Vec::with_capacity(found.len());
        let mut failed = None;
        for (origin, fingerprint) in found {
            match self.storage(&origin, fingerprint, &source, &mut progress).await {
                Ok(part) => {
                    // What another storage has under the same key has nowhere to go.
                    let complete = part.complete && (finished.is_empty() || part.kept == 0);
                    report.add(&part);
                    report.storages += 1;
                    report.complete &= complete;
                    finished.push(Finished { origin, fingerprint, complete });
                }
                // Whatever is the matter with one storage is no reason to leave the others.
                Err(error @ (Error::Io { .. } | Error::HeldElsewhere | Error::Damaged { .. })) => {
                    failed = failed.or(Some(error));
                }
                Err(error) => return Err(error),
            }
            progress.before += fingerprint.bytes;
        }
        let scratch = self.context.store.scratch();
        self.aside(move || emptied(&scratch)).await?;
        // What was seen of any code may be out of date.
        self.ratings.forget_all();
        if let Some(error) = failed {
            return Err(error);
        }
        self.tell(&mut progress, 1000, 0);
        let mut all = self.finished();
        let all = all.get_or_insert_default();
        all.retain(|before| finished.iter().all(|now| !now.origin.is_same(&before.origin)));
        all.extend(finished);
        Ok(report)
    }

    /// Removes the originals of which everything was taken; whether none is left.
    ///
    /// # Errors
    /// No import has ended since the core was opened, or the originals changed since; they cannot be removed.
    pub async fn confirm(&self) -> Result<bool> {
        let _turn = self.turn.acquire().await.map_err(|_| Error::Stopped)?;
        let Some(finished) = self.finished().clone() else {
            return Err(Error::invalid("confirm_import", Problem::Is("was called before an import has ended")));
        };
        let all = finished.iter().all(|finished| finished.complete);
        self.aside(move || remove(&finished)).await?;
        if all {
            self.context.store.write(|tx| tx.forget_imports()).await?;
        }
        self.finished().take();
        Ok(all)
    }

    /// Takes one storage, or knows that it was taken.
    async fn storage(
        &self,
        origin: &Origin,
        fingerprint: Fingerprint,
        source: &AsyncStorageSource,
        progress: &mut Progress,
    ) -> Result<ImportReport> {
        let label = label(origin, source);
        let digest = hex(&fingerprint.digest);
        let name = imports::mark(&label);
        let note = self.context.read(move |connection| noted(connection, &name)).await?;
        let note = note.and_then(|note| serde_json::from_slice::<Note>(&note).ok());
        if let Some(note) = note.filter(|note| note.digest == digest) {
            return Ok(note.report);
        }
        let mut report = self.read_through(origin, source, progress, fingerprint.bytes).await?;
        report.complete = report.lost == 0 && report.refused == 0;
        let note = serde_json::to_vec(&Note { digest, report }).expect("numbers and a digest");
        self.context.store.write(move |tx| tx.note_finished(&label, &note)).await?;
        Ok(report)
    }

    /// Reads a storage from its first entry to its last. While one portion is written, the next one is read.
    async fn read_through(
        &self,
        origin: &Origin,
        source: &AsyncStorageSource,
        progress: &mut Progress,
        bytes: u64,
    ) -> Result<ImportReport> {
        let opening = {
            let (context, origin) = (Arc::clone(&self.context), origin.clone());
            let scratch = self.context.store.scratch();
            let (prefix, owner) = (source.key_prefix.clone().unwrap_or_default(), source.owner.clone());
            move || {
                let mut intake = Intake::open(context, &origin, &scratch, prefix, owner)?;
                let first = intake.next()?;
                Ok((intake, first))
            }
        };
        let (mut intake, mut portion) = self.aside(opening).await?;
        let mut report = ImportReport { lost: intake.lost(), ..ImportReport::default() };
        while let Some(Portion { items, report: seen, thousandths }) = portion {
            report.add(&seen);
            let taking = Taking::new(&self.context, self.ratings.announcer()?);
            let hashes = items.iter().filter_map(|item| item.subject().map(|subject| subject.hash));
            self.context.recall(&hashes.collect::<Vec<_>>()).await;
            let writing = self.context.store.write(move |tx| taking.take(tx, items));
            let reading = self.aside(move || {
                let next = intake.next()?;
                Ok((intake, next))
            });
            let (taken, read) = tokio::join!(writing, reading);
            report.add(&taken?);
            self.tell(progress, thousandths, bytes);
            (intake, portion) = read?;
        }
        Ok(report)
    }

    /// Tells how far it is, in steps of a hundredth.
    fn tell(&self, progress: &mut Progress, thousandths: u64, of: u64) {
        if progress.total == 0 {
            return;
        }
        let done = (progress.before + of * thousandths / 1000).min(progress.total);
        let hundredths = done * 100 / progress.total;
        if progress.told != Some(hundredths) {
            progress.told = Some(hundredths);
            let bytes = |count: u64| ByteCount(i64::try_from(count).unwrap_or(i64::MAX));
            self.context.observer.happened(Event::ImportProgress { done: bytes(done), total: bytes(progress.total) });
        }
    }

    async fn aside<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        self.context.store.aside(work).await
    }

    fn finished(&self) -> std::sync::MutexGuard<'_, Option<Vec<Finished>>> {
        self.finished.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ImportReport {
    /// Adds what became of other records; whether it is complete, its maker knows.
    fn add(&mut self, other: &Self) {
        self.scans += other.scans;
        self.votes += other.votes;
        self.settings += other.settings;
        self.key_values += other.key_values;
        self.kept += other.kept;
        self.legacy_votes += other.legacy_votes;
        self.left_over += other.left_over;
        self.dropped += other.dropped;
        self.altered += other.altered;
        self.refused += other.refused;
        self.lost += other.lost;
    }
}

/// Checks what the app says.
fn whereabouts(source: &AsyncStorageSource) -> Result<Whereabouts> {
    check_name("directory", &source.directory, 4096)?;
    let app = PathBuf::from(&source.directory);
    if !app.is_absolute() {
        return Err(Error::invalid("directory", Problem::Is("is not an absolute path")));
    }
    for (field, name) in [("bundle_id", &source.bundle_id), ("instance", &source.instance)] {
        let Some(name) = name else { continue };
        check_name(field, name, MAX_KEY_BYTES)?;
        if name.contains(['/', '\\']) || name == "." || name == ".." {
            return Err(Error::invalid(field, Problem::Is("is not the name of a folder")));
        }
    }
    check_bytes("key_prefix", source.key_prefix.as_deref().unwrap_or_default(), MAX_KEY_BYTES / 2)?;
    Ok(Whereabouts { app, bundle_id: source.bundle_id.clone(), instance: source.instance.clone() })
}

/// What is there, and how its files look.
fn look(whereabouts: &Whereabouts) -> Result<Vec<(Origin, Fingerprint)>> {
    if !whereabouts.app.is_dir() {
        return Err(Error::invalid("directory", Problem::Is("is not there")));
    }
    find(whereabouts)?.into_iter().map(|origin| origin.fingerprint().map(|fingerprint| (origin, fingerprint))).collect()
}

/// Removes what was taken whole, unless it has changed since: then nothing is removed.
fn remove(finished: &[Finished]) -> Result<()> {
    let whole = || finished.iter().filter(|finished| finished.complete);
    for Finished { origin, fingerprint, .. } in whole() {
        if origin.is_there() && origin.fingerprint()? != *fingerprint {
            return Err(Error::invalid("confirm_import", Problem::Is("was called after the originals had changed")));
        }
    }
    whole().try_for_each(|finished| finished.origin.remove())
}

/// Tells a storage, and what is to be done with it, from all others.
fn label(origin: &Origin, source: &AsyncStorageSource) -> String {
    let part = |part: &Option<String>| part.clone().unwrap_or_default();
    [origin.label.clone(), part(&source.key_prefix), part(&source.owner)].join("\n")
}

/// Removes what an import that was killed left in our own folder.
fn emptied(scratch: &std::path::Path) -> Result<()> {
    match fs::remove_dir_all(scratch) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io(&error, "tidying up after an import")),
        _ => Ok(()),
    }
}
