//! The lock that keeps other processes away from a core's directory.
//!
//! The writer and every reader need it, each for as long as it has a file open. The system knows one lock for all of them:
//! the first takes it, the last gives it back.

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
};

use crate::error::{Error, Result};

/// The lock of one core.
pub(crate) struct Lock {
    path: PathBuf,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    by: usize,
    file: Option<File>,
}

/// Part of the lock: while there is one, no other process has the directory. Ends when the process dies, too.
pub(crate) struct Share(Arc<Lock>);

impl Lock {
    pub(crate) fn of(directory: &Path) -> Arc<Self> {
        Arc::new(Self { path: directory.join("lock"), held: Mutex::default() })
    }

    /// Keeps other processes away, or says that one is there.
    pub(crate) fn share(self: &Arc<Self>) -> Result<Share> {
        let mut held = self.held();
        if held.by == 0 {
            held.file = Some(self.take()?);
        }
        held.by += 1;
        Ok(Share(Arc::clone(self)))
    }

    fn take(&self) -> Result<File> {
        const WHILE: &str = "locking the directory";
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&self.path)
            .map_err(|error| Error::io(&error, WHILE))?;
        // The standard library has no locks on Android.
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(file),
            Err(Errno::WOULDBLOCK) => Err(Error::HeldElsewhere),
            Err(error) => Err(Error::io(&error.into(), WHILE)),
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut held = self.0.held();
        held.by -= 1;
        if held.by == 0 {
            // Before the next one asks for it.
            held.file = None;
        }
    }
}
