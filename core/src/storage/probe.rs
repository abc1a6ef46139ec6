//! What tests may do to the storage, and read off it. Empty in a shipped library.

#[cfg(feature = "test-hooks")]
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
};

use rusqlite::Connection;

use crate::error::Result;

/// A handle shared by every connection of a store.
#[derive(Clone, Default)]
pub(crate) struct Probe {
    #[cfg(feature = "test-hooks")]
    refuse: Arc<AtomicBool>,
    #[cfg(feature = "test-hooks")]
    steps: Arc<AtomicU64>,
}

#[cfg(not(feature = "test-hooks"))]
#[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "the shape that the tests' version has")]
impl Probe {
    pub(crate) fn admit(&self) -> Result<()> {
        Ok(())
    }

    pub(crate) fn watch(&self, _: &mut Connection) -> Result<()> {
        Ok(())
    }
}

#[cfg(feature = "test-hooks")]
impl Probe {
    /// Refuses, as the system does while a device is locked, if so told.
    pub(crate) fn admit(&self) -> Result<()> {
        if self.refuse.load(SeqCst) {
            return Err(crate::error::Error::Io {
                kind: std::io::ErrorKind::PermissionDenied,
                during: super::fault::during::OPENING,
            });
        }
        Ok(())
    }

    /// Counts the steps of SQLite's virtual machine.
    pub(crate) fn watch(&self, connection: &mut Connection) -> Result<()> {
        use super::fault::Sql;
        let steps = Arc::clone(&self.steps);
        let count = move || {
            steps.fetch_add(1, SeqCst);
            false
        };
        connection.progress_handler(1, Some(count)).doing(super::fault::during::OPENING)
    }

    pub(crate) fn refuse(&self, refuse: bool) {
        self.refuse.store(refuse, SeqCst);
    }

    pub(crate) fn steps(&self) -> u64 {
        self.steps.load(SeqCst)
    }
}
