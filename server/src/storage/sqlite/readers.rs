//! Reading connections: a few, opened when first needed, each used by one reader at a time.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::connection::open_for_reading;
use crate::error::{Error, Result};

/// Readers at a time: reading is short and from memory; more of them than this only wait for each other's processor.
const READERS: u32 = 8;

pub(super) struct Readers {
    path: PathBuf,
    gate: Arc<Semaphore>,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, gate: Arc::new(Semaphore::new(READERS as usize)), idle: Mutex::default() }
    }

    /// Runs `work` on a connection, on a thread that may block.
    pub(super) async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let permit = Arc::clone(&self.gate).acquire_owned().await.map_err(|_| Error::Stopped)?;
        let this = Arc::clone(self);
        let task = tokio::task::spawn_blocking(move || {
            let result = this.read(work);
            drop(permit);
            result
        });
        task.await.unwrap_or(Err(Error::Stopped))
    }

    /// Waits for readers to end and closes their connections.
    pub(super) async fn stop(&self) {
        drop(self.gate.acquire_many(READERS).await);
        self.gate.close();
        self.idle().clear();
    }

    fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let idle = self.idle().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => open_for_reading(&self.path)?,
        };
        let result = catch_unwind(AssertUnwindSafe(|| work(&connection))).unwrap_or(Err(Error::Panicked));
        // A connection that just failed is not trusted with the next reader.
        if result.is_ok() {
            self.idle().push(connection);
        }
        result
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
