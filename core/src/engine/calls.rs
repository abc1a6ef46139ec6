//! How a call from another language is made: on the core's own runtime, and never with a panic as its answer.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError, atomic::Ordering::SeqCst},
};

use futures_util::future::BoxFuture;

use super::Core;
use crate::error::{Error, Result, SafeScanError};

impl Core {
    /// Runs `work` as a task of the core's own, to its end, whether or not the caller goes on waiting.
    ///
    /// Boxed, and in two parts: what is compiled once per kind of result is then as little as can be.
    pub(crate) async fn detached<T: Send + 'static>(&self, work: BoxFuture<'static, Result<T>>) -> Result<T> {
        let result = Arc::new(Mutex::new(None));
        let place = Arc::clone(&result);
        self.to_its_end(Box::pin(async move {
            let outcome = work.await;
            *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
        }))
        .await;
        let outcome = result.lock().unwrap_or_else(PoisonError::into_inner).take();
        outcome.unwrap_or_else(|| {
            let stopped = self.stopped.load(SeqCst);
            Err(if stopped { Error::Stopped } else { Error::Panicked { during: "a call" } })
        })
    }

    /// Returns when the task is gone, however it ended. Dropped, it leaves the task running.
    async fn to_its_end(&self, task: BoxFuture<'static, ()>) {
        drop(self.home.handle().spawn(task).await);
    }

    /// Runs work that does not wait, unless the core was shut down.
    pub(crate) fn guarded<T>(&self, work: impl FnOnce(&Self) -> Result<T>) -> Result<T> {
        if self.stopped.load(SeqCst) {
            return Err(Error::Stopped);
        }
        catch_unwind(AssertUnwindSafe(|| work(self))).unwrap_or(Err(Error::Panicked { during: "a call" }))
    }

    /// What the app is told of an error; the log is told as well.
    pub(crate) fn tell(&self, error: &Error) -> SafeScanError {
        let (level, told) = error.report();
        self.hub.log.say(level, "engine", "a call failed", &[]);
        told
    }
}
