//! How a call from another language is made: on the core's own runtime, and never with a panic as its answer.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::atomic::Ordering::SeqCst,
};

use tokio::sync::oneshot;

use super::Core;
use crate::error::{Error, Result, SafeScanError};

impl Core {
    /// Runs `work` as a task of the core's own, to its end, whether or not the caller goes on waiting.
    pub(crate) async fn detached<T: Send + 'static>(
        &self,
        // Boxed here, so that what follows is compiled once per result and not once per call.
        work: Pin<Box<dyn Future<Output = Result<T>> + Send>>,
    ) -> Result<T> {
        let (answer, result) = oneshot::channel();
        let task: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(async move {
            // Nobody may be waiting any more; the work is done all the same.
            _ = answer.send(work.await);
        });
        drop(self.home.handle().spawn(task));
        result.await.unwrap_or_else(|_| {
            let stopped = self.stopped.load(SeqCst);
            Err(if stopped { Error::Stopped } else { Error::Panicked { during: "a call" } })
        })
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
