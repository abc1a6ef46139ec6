//! What the writer's thread works at: the open files, and one commit.

use std::sync::{
    Arc,
    atomic::{AtomicI32, Ordering::Relaxed},
};

use rusqlite::{Connection, TransactionBehavior};

use super::{
    Observer, Surroundings,
    connection::{Promise, checkpoint, open_for_writing},
    counters::Counters,
    fault::{Sql, during},
    files::Files,
    lock::Share,
    probe::Probe,
    quota::Quota,
    snapshots::{self, Snapshot},
    step::Step,
    transaction::{State, Transaction},
};
use crate::{
    error::{Error, Result},
    log::Level,
    model::{Event, StoreName},
};

/// Pages in the log at which it is folded into the database when there is a quiet moment: 4 MiB.
const CHECKPOINT_PAGES: i32 = 1024;
/// Pages in the log at which it is folded in even in a flood of writes: 64 MiB, before readers feel its length.
const LONG_LOG_PAGES: i32 = 16 * CHECKPOINT_PAGES;
/// Ratings that wait to be remembered.
const UNSAVED: usize = 1024;

pub(crate) struct Desk {
    pub(crate) files: Files,
    pub(crate) surroundings: Surroundings,
    quota: Quota,
    probe: Probe,
    observer: Arc<dyn Observer>,
    open: Option<Open>,
    cache: Option<Connection>,
    /// Ratings that the cache is to remember when there is a quiet moment.
    unsaved: Vec<Snapshot>,
    /// Held as long as the files may be open, and while they are worked on.
    lock: Option<Share>,
    suspended: bool,
    /// Is called when the cache is another file than before.
    cache_made_anew: Box<dyn Fn() + Send>,
}

/// The files while they are open.
struct Open {
    connection: Connection,
    state: State,
    /// Pages in the log.
    log_pages: Arc<AtomicI32>,
}

impl Desk {
    pub(crate) fn new(
        files: Files,
        surroundings: Surroundings,
        quota: Quota,
        probe: Probe,
        observer: Arc<dyn Observer>,
        cache_made_anew: Box<dyn Fn() + Send>,
    ) -> Self {
        Self {
            files,
            surroundings,
            quota,
            probe,
            observer,
            open: None,
            cache: None,
            unsaved: Vec::new(),
            lock: None,
            suspended: false,
            cache_made_anew,
        }
    }

    /// Opens the files if they are not open, and hands out the writing connection.
    pub(crate) fn connection(&mut self) -> Result<&Connection> {
        self.open_files().map(|open| &open.connection)
    }

    /// Runs the steps in one transaction. An error means that none of them was stored.
    pub(crate) fn commit(&mut self, group: &mut [Box<dyn Step>]) -> Result<()> {
        let surroundings = self.surroundings.clone();
        let observer = Arc::clone(&self.observer);
        let committed = self.open_files().and_then(|open| open.commit(group, &surroundings, &*observer));
        let outcome = match committed {
            Ok(anything) => {
                if anything {
                    self.after_commit();
                }
                Ok(())
            }
            Err(error) => {
                self.observer.failed(&error);
                Err(error)
            }
        };
        self.rest();
        outcome
    }

    /// After each use: closes the files if the core sleeps.
    pub(crate) fn rest(&mut self) {
        if self.suspended {
            self.release();
        }
    }

    /// Work for a quiet moment.
    pub(crate) fn tidy(&mut self) {
        self.save_snapshots();
        let Some(open) = &self.open else { return };
        if open.log_pages.load(Relaxed) >= CHECKPOINT_PAGES {
            // Not being able to is no failure: a reader may be in the way. The next quiet moment comes.
            if checkpoint(&open.connection, "PASSIVE").is_ok() {
                open.log_pages.store(0, Relaxed);
            }
        }
    }

    /// Whether the log must not wait for a quiet moment any longer.
    pub(crate) fn log_is_long(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.log_pages.load(Relaxed) >= LONG_LOG_PAGES)
    }

    /// Folds the log into the database and closes every file. Work that comes later opens them for its duration.
    pub(crate) fn suspend(&mut self) -> Result<()> {
        self.suspended = true;
        self.save_snapshots();
        let folded = self.open.as_ref().map_or(Ok(()), |open| checkpoint(&open.connection, "TRUNCATE"));
        self.release();
        folded
    }

    /// Files stay open again after use.
    pub(crate) fn resume(&mut self) {
        self.suspended = false;
    }

    /// Closes every file, and lets other processes have them.
    pub(crate) fn release(&mut self) {
        self.save_snapshots();
        self.close();
        self.lock = None;
    }

    /// Closes the databases, and keeps them.
    pub(crate) fn close(&mut self) {
        // Not being able to fold a log in is no failure: the next opening goes on with it.
        if let Some(cache) = self.cache.take() {
            checkpoint(&cache, "TRUNCATE").ok();
        }
        if let Some(open) = self.open.take() {
            checkpoint(&open.connection, "TRUNCATE").ok();
            drop(open);
            self.surroundings.log.say(Level::Debug, "storage", "files closed", &[]);
        }
    }

    /// The cache's connection, made anew if the file is broken: what it holds can be had again.
    pub(crate) fn cache(&mut self) -> Result<&mut Connection> {
        if self.cache.is_none() {
            let path = self.files.cache();
            let opened = open_for_writing(&path, Promise::Consistent).or_else(|_| {
                self.surroundings.log.say(Level::Info, "storage", "cache made anew", &[]);
                Files::remove(&path).map_err(|error| Error::io(&error, during::OPENING))?;
                (self.cache_made_anew)();
                open_for_writing(&path, Promise::Consistent)
            })?;
            self.cache = Some(opened);
        }
        Ok(self.cache.as_mut().expect("opened above"))
    }

    /// Runs `work` in a transaction of the cache. If the file is broken it is made anew for the next one.
    pub(crate) fn write_cache<T>(&mut self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        self.hold()?;
        let tx = self.cache()?.transaction_with_behavior(TransactionBehavior::Immediate).doing(during::BEGINNING)?;
        let result = work(&tx).and_then(|value| tx.commit().doing(during::COMMITTING).map(|()| value));
        if result.is_err() {
            self.cache = None;
        }
        result
    }

    /// Keeps other processes away from the files.
    pub(crate) fn hold(&mut self) -> Result<()> {
        if self.lock.is_none() {
            self.lock = Some(self.files.lock().share()?);
        }
        Ok(())
    }

    fn after_commit(&mut self) {
        let Some(open) = &mut self.open else { return };
        let mut events = std::mem::take(&mut open.state.events);
        if std::mem::take(&mut open.state.operations_changed) {
            let pending = u32::try_from(open.state.counters.rows(StoreName::Operations)).unwrap_or(0);
            events.push(Event::OperationsChanged { pending });
        }
        let ratings = std::mem::take(&mut open.state.snapshots);
        let queued = std::mem::take(&mut open.state.queued);
        self.observer.committed(events, &ratings, queued);
        self.unsaved.extend(ratings);
        // In a flood without a quiet moment the newest matter most.
        let surplus = self.unsaved.len().saturating_sub(UNSAVED);
        self.unsaved.drain(..surplus);
    }

    /// Ratings that were not written to the cache yet are not to be.
    pub(crate) fn forget_unsaved(&mut self) {
        self.unsaved.clear();
    }

    fn save_snapshots(&mut self) {
        let snapshots = std::mem::take(&mut self.unsaved);
        if snapshots.is_empty() {
            return;
        }
        if self.cache().and_then(|connection| snapshots::keep(connection, &snapshots)).is_err() {
            // The cache may lose what it likes; a broken one is made anew when it is next opened.
            self.cache = None;
            super::say(&self.surroundings.log, Level::Warn, "cache not written", &[]);
        }
    }

    fn open_files(&mut self) -> Result<&mut Open> {
        self.probe.admit()?;
        if self.open.is_none() {
            self.hold()?;
            let mut connection = open_for_writing(&self.files.main(), Promise::Durable)?;
            self.probe.watch(&mut connection)?;
            let log_pages = Arc::new(AtomicI32::new(0));
            let pages = Arc::clone(&log_pages);
            connection
                .wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, count| {
                    pages.store(count, Relaxed);
                    Ok(())
                }))
                .doing(during::OPENING)?;
            let state = State::new(Counters::load(&connection)?, self.quota);
            self.open = Some(Open { connection, state, log_pages });
        }
        Ok(self.open.as_mut().expect("opened above"))
    }
}

impl Open {
    /// Whether anything was committed.
    fn commit(
        &mut self,
        group: &mut [Box<dyn Step>],
        surroundings: &Surroundings,
        observer: &dyn Observer,
    ) -> Result<bool> {
        self.execute("BEGIN IMMEDIATE", during::BEGINNING)?;
        let before = self.state.mark();
        let counters = self.state.counters;
        let committed = self.run(group, surroundings, observer, &counters);
        if committed.is_err() {
            self.state.undo(&before);
            if !self.connection.is_autocommit() {
                // Nothing more can be done if this fails: the next "begin" will say so.
                self.execute("ROLLBACK", during::COMMITTING).ok();
            }
        }
        committed
    }

    fn run(
        &mut self,
        group: &mut [Box<dyn Step>],
        surroundings: &Surroundings,
        observer: &dyn Observer,
        before: &Counters,
    ) -> Result<bool> {
        // A step that is alone needs no savepoint: the whole transaction is undone with it.
        let savepoints = group.len() > 1;
        let mut anything = false;
        for step in group {
            let mark = self.state.mark();
            if savepoints {
                self.execute("SAVEPOINT step", during::BEGINNING)?;
            }
            let mut tx = Transaction { connection: &self.connection, state: &mut self.state, surroundings };
            let outcome = step.run(&mut tx);
            if self.connection.is_autocommit() {
                // A full disk, for example, ends the transaction from within, and the earlier steps with it.
                return Err(outcome.err().unwrap_or(Error::DiskFull));
            }
            match outcome {
                Ok(()) => anything = true,
                Err(error) => {
                    observer.failed(&error);
                    self.state.undo(&mark);
                    if savepoints {
                        self.execute("ROLLBACK TO step", during::COMMITTING)?;
                    }
                }
            }
            if savepoints {
                self.execute("RELEASE step", during::COMMITTING)?;
            }
        }
        if anything {
            self.state.counters.save(before, &self.connection)?;
            self.execute("COMMIT", during::COMMITTING)?;
        } else {
            self.execute("ROLLBACK", during::COMMITTING)?;
        }
        Ok(anything)
    }

    fn execute(&self, sql: &str, while_doing: &'static str) -> Result<()> {
        self.connection.prepare_cached(sql).and_then(|mut statement| statement.execute([])).doing(while_doing)?;
        Ok(())
    }
}
