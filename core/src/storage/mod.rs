//! Where everything lies: the only place that knows SQL.
//!
//! Two files with two promises. `safescan.db` holds what exists nowhere else, and an acknowledged write to it survives a
//! killed process and a power cut. `cache.db` holds what can be had again; it is never corrupt, but may lose the last
//! moments, and is made anew when it is broken.
//!
//! One thread writes ([`writer`]); it owns the connection ([`desk`]) and commits whatever waits in one transaction. A few
//! connections read ([`readers`]). A use-case is a closure over a [`Transaction`] or a reading connection: it happens
//! whole or not at all, and its events are published only after its commit.
//!
//! Every row carries a checksum ([`columns`]). A row that does not match is withheld, never returned; [`integrity`] finds
//! such rows, [`repair`] takes them out, and rebuilds the file from whatever can still be read where its structure is
//! broken.

mod carve;
mod columns;
pub(crate) mod community;
mod connection;
mod counters;
mod desk;
pub(crate) mod dispatch;
mod erase;
pub(crate) mod export;
mod fault;
pub(crate) mod files;
pub(crate) mod foreign;
pub(crate) mod imports;
pub(crate) mod integrity;
pub(crate) mod key_value;
mod lock;
mod meta;
pub(crate) mod outbox;
mod probe;
mod quota;
mod readers;
mod rebuild;
mod repair;
pub(crate) mod scans;
mod schema;
pub(crate) mod settings;
pub(crate) mod snapshots;
mod step;
pub(crate) mod subjects;
pub(crate) mod sync_state;
mod tally;
mod transaction;
pub(crate) mod voters;
pub(crate) mod votes;
mod writer;

use std::sync::{Arc, PoisonError, RwLock};

/// A connection to the main database, as a reading use-case gets it.
pub(crate) use rusqlite::Connection;

pub(crate) use self::{
    counters::{Counters, STORES},
    meta::{Installation, hex, is_noted, noted},
    probe::Probe,
    readers::Place,
    transaction::Transaction,
};
use self::{desk::Desk, quota::Quota, readers::Readers, writer::Writer};
use crate::{
    clock::Clock,
    config::Config,
    entropy::Entropy,
    error::{Error, Result},
    log::{Level, Log},
    model::{Event, QrHash, RepairReport},
};
use files::Files;

/// What the storage needs of the world.
#[derive(Clone)]
pub(crate) struct Surroundings {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) log: Log,
}

/// Is told how the storage fares, on the writer's thread.
pub(crate) trait Observer: Send + Sync {
    /// A commit succeeded: these events happened with it, these ratings are what they are now, and something may have
    /// been `queued` for the server.
    fn committed(&self, events: Vec<Event>, ratings: &[snapshots::Snapshot], queued: bool);
    /// Something was read.
    fn succeeded(&self);
    /// A commit or a reading failed.
    fn failed(&self, error: &Error);
    /// Something happened that needs no commit.
    fn happened(&self, event: Event);
    /// Something was done that a developer may want to know.
    fn log(&self, level: Level, text: &'static str, fields: &[(&'static str, i64)]);
}

/// Both databases of a core.
pub(crate) struct Store {
    writer: Writer,
    readers: Arc<Readers>,
    cache_readers: Arc<Readers>,
    files: Files,
    installation: RwLock<Arc<Installation>>,
    #[cfg(feature = "test-hooks")]
    probe: Probe,
}

impl Store {
    /// Opens the databases, finishing whatever a kill interrupted. A broken main database is repaired on the way; the
    /// report then says what was lost.
    pub(crate) async fn open(
        files: Files,
        config: &Config,
        surroundings: Surroundings,
        observer: Arc<dyn Observer>,
        place: Place,
    ) -> Result<(Self, Option<RepairReport>)> {
        let probe = Probe::default();
        let readers = Arc::new(Readers::new(files.main(), Arc::clone(files.lock()), place, probe.clone()));
        // What tests do to the main database is not done to the cache.
        let cache_readers = Arc::new(Readers::new(files.cache(), Arc::clone(files.lock()), place, Probe::default()));
        let cache_made_anew = {
            let readers = Arc::clone(&cache_readers);
            Box::new(move || readers.forget_idle())
        };
        let desk = Desk::new(files.clone(), surroundings, Quota::of(config), probe.clone(), observer, cache_made_anew);
        let writer = match place {
            Place::OffThread => Writer::start(desk)?,
            Place::Here => Writer::without_thread(desk),
        };
        let opening = async {
            let repaired = writer.alone(Desk::open_or_repair).await?;
            let installation = writer.write(|tx| tx.installation()).await?;
            Ok((repaired, installation))
        };
        match opening.await {
            Ok((repaired, installation)) => {
                let installation = RwLock::new(Arc::new(installation));
                let store = Self {
                    writer,
                    readers,
                    cache_readers,
                    files,
                    installation,
                    #[cfg(feature = "test-hooks")]
                    probe,
                };
                Ok((store, repaired))
            }
            Err(error) => {
                writer.stop().await;
                Err(error)
            }
        }
    }

    /// Runs `work` in a transaction and answers once it is committed.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.writer.write(work).await
    }

    /// The same for bookkeeping that may as well wait for the next occasion.
    pub(crate) fn write_if_idle(&self, work: impl FnOnce(&mut Transaction<'_>) -> Result<()> + Send + 'static) {
        self.writer.write_if_idle(work);
    }

    /// Runs `work` on a reading connection.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.readers.run(work).await
    }

    /// Runs `work` on a connection that reads the cache.
    pub(crate) async fn read_cache<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.cache_readers.run(work).await
    }

    /// Runs `work` in a transaction of the cache. What it writes may be lost; it is never half written.
    pub(crate) async fn write_cache<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.writer.alone(move |desk| desk.write_cache(work)).await
    }

    /// Runs blocking work on files that are not the store's own.
    pub(crate) async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.readers.aside(work).await
    }

    /// A folder for what an import must put right before it can be read.
    pub(crate) fn scratch(&self) -> std::path::PathBuf {
        self.files.scratch()
    }

    /// What the cache remembers of codes.
    pub(crate) async fn remembered(&self, hashes: Vec<QrHash>) -> Result<Vec<Option<snapshots::Snapshot>>> {
        self.read_cache(move |connection| snapshots::find(connection, &hashes)).await
    }

    /// Counters as of the last commit.
    pub(crate) async fn counters(&self) -> Result<Counters> {
        self.read(Counters::load).await
    }

    /// The identity in use.
    pub(crate) fn installation(&self) -> Arc<Installation> {
        Arc::clone(&self.installation.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Size of both databases on the disk.
    pub(crate) fn size_on_disk(&self) -> u64 {
        Files::size_of(&self.files.main()) + Files::size_of(&self.files.cache())
    }

    /// Folds the log in and closes every file; what comes later opens them for its duration.
    pub(crate) async fn suspend(&self) -> Result<()> {
        self.readers.set_suspended(true);
        self.cache_readers.set_suspended(true);
        let _nobody = (self.readers.exclude().await?, self.cache_readers.exclude().await?);
        self.writer.alone(Desk::suspend).await
    }

    /// Keeps files open again.
    pub(crate) async fn resume(&self) -> Result<()> {
        self.readers.set_suspended(false);
        self.cache_readers.set_suspended(false);
        self.writer
            .alone(|desk| {
                desk.resume();
                Ok(())
            })
            .await
    }

    /// Does what was accepted, and closes everything for good.
    pub(crate) async fn stop(&self) {
        self.readers.stop();
        self.cache_readers.stop();
        self.writer.stop().await;
    }

    /// Ends as a kill does.
    #[cfg(feature = "test-hooks")]
    pub(crate) fn kill(&self) {
        self.readers.stop();
        self.cache_readers.stop();
        self.writer.kill();
    }

    /// Takes damage out of the main database, or rebuilds it.
    pub(crate) async fn repair(&self) -> Result<RepairReport> {
        let _nobody = self.readers.exclude().await?;
        let report = self.writer.alone(Desk::repair).await?;
        self.renew_installation().await?;
        Ok(report)
    }

    /// Erases everything.
    pub(crate) async fn erase_all(&self) -> Result<()> {
        let _nobody = (self.readers.exclude().await?, self.cache_readers.exclude().await?);
        self.writer.alone(Desk::erase_all).await?;
        self.renew_installation().await
    }

    /// Gives the installation another name to the server.
    pub(crate) async fn rename_device(&self) -> Result<String> {
        let device = self.writer.write(|tx| tx.new_device()).await?;
        self.renew_installation().await?;
        Ok(device)
    }

    /// What tests may do to the storage.
    #[cfg(feature = "test-hooks")]
    pub(crate) fn probe(&self) -> &Probe {
        &self.probe
    }

    async fn renew_installation(&self) -> Result<()> {
        let installation = self.writer.write(|tx| tx.installation()).await?;
        *self.installation.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(installation);
        Ok(())
    }
}

/// Says something under this layer's name.
fn say(log: &Log, level: Level, text: &'static str, fields: &[(&'static str, i64)]) {
    log.say(level, "storage", text, fields);
}
