//! Reading connections to one database: a few, opened when first needed, each used by one reader at a time.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
};

use rusqlite::Connection;
use tokio::{
    runtime::{Handle, RuntimeFlavor},
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
};

use super::{
    connection::open_for_reading,
    lock::{Lock, Share},
    probe::Probe,
};
use crate::error::{Error, Result};

/// Readers at a time: enough that a long search does not hold up a page, few enough for a phone's memory.
const READERS: u32 = 3;

pub(crate) struct Readers {
    path: PathBuf,
    lock: Arc<Lock>,
    place: Place,
    gate: Arc<Semaphore>,
    idle: Mutex<Vec<Open>>,
    suspended: AtomicBool,
    probe: Probe,
}

/// A connection, and what keeps other processes away from its file; in this order, in which they are dropped.
struct Open {
    connection: Connection,
    _share: Share,
}

/// Where blocking work is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Where it holds nobody up.
    OffThread,
    /// Where it is asked for: in a simulation, which has one thread.
    Here,
}

/// Proof that nobody reads, and that no reader has the file open, until it is dropped.
pub(crate) struct NoReaders {
    _permits: OwnedSemaphorePermit,
}

impl Readers {
    pub(crate) fn new(path: PathBuf, lock: Arc<Lock>, place: Place, probe: Probe) -> Self {
        Self {
            path,
            lock,
            place,
            gate: Arc::new(Semaphore::new(READERS as usize)),
            idle: Mutex::default(),
            suspended: false.into(),
            probe,
        }
    }

    /// Runs `work` on a connection, off the caller's thread.
    pub(crate) async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let permit = Arc::clone(&self.gate).acquire_owned().await.map_err(|_| Error::Stopped)?;
        let this = Arc::clone(self);
        // Boxed, so that the work is compiled once, and not once for each place where it may be done.
        let read: Box<dyn FnOnce() -> Result<T> + Send> = Box::new(move || {
            let result = this.read(work);
            drop(permit);
            result
        });
        match self.place {
            Place::Here => read(),
            Place::OffThread => off_thread(read).await,
        }
    }

    /// Runs blocking work that needs no connection, off the caller's thread.
    pub(crate) async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        const WHILE: &str = "work on foreign files";
        let guarded = move || catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(Error::Panicked { during: WHILE }));
        match self.place {
            Place::Here => guarded(),
            Place::OffThread => off_thread(Box::new(guarded)).await,
        }
    }

    /// Waits for readers to end, closes their connections, and lets none in until the answer is dropped.
    pub(crate) async fn exclude(&self) -> Result<NoReaders> {
        let permits = Arc::clone(&self.gate).acquire_many_owned(READERS).await.map_err(|_| Error::Stopped)?;
        self.idle().clear();
        Ok(NoReaders { _permits: permits })
    }

    /// Closes connections that nobody uses just now: the file was made anew.
    pub(crate) fn forget_idle(&self) {
        self.idle().clear();
    }

    /// Whether connections are closed after each use.
    pub(crate) fn set_suspended(&self, suspended: bool) {
        self.suspended.store(suspended, SeqCst);
    }

    /// Ends reading for good.
    pub(crate) fn stop(&self) {
        self.gate.close();
        self.idle().clear();
    }

    fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        const WHILE: &str = "a reading step";
        self.probe.admit()?;
        let idle = self.idle().pop();
        let open = match idle {
            Some(open) => open,
            None => {
                let share = self.lock.share()?;
                let mut connection = open_for_reading(&self.path)?;
                self.probe.watch(&mut connection)?;
                Open { connection, _share: share }
            }
        };
        let result =
            catch_unwind(AssertUnwindSafe(|| work(&open.connection))).unwrap_or(Err(Error::Panicked { during: WHILE }));
        // A connection that just failed is not trusted with the next reader.
        if result.is_ok() && !self.suspended.load(SeqCst) && !self.gate.is_closed() {
            self.idle().push(open);
        }
        result
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Open>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs blocking work where it holds nobody up.
async fn off_thread<T: Send + 'static>(work: Box<dyn FnOnce() -> Result<T> + Send>) -> Result<T> {
    if Handle::try_current().is_ok_and(|runtime| runtime.runtime_flavor() == RuntimeFlavor::MultiThread) {
        // The runtime's other threads take over what else this one has to do: cheaper than sending the work away.
        return tokio::task::block_in_place(work);
    }
    let (answer, result) = oneshot::channel();
    // One kind of task for all work: a kind for each would take up a good part of the library.
    let task: Box<dyn FnOnce() + Send> = Box::new(move || _ = answer.send(work()));
    drop(tokio::task::spawn_blocking(task));
    result.await.unwrap_or(Err(Error::Stopped))
}
