//! What a core does without being asked: tasks that belong to it, and end with it.

use std::{
    panic::AssertUnwindSafe,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use futures_util::FutureExt as _;
use tokio::{
    runtime::{Builder, Handle, Runtime},
    sync::watch,
    task::JoinHandle,
};

use crate::error::{Error, Result};

/// Threads of the runtime: the work is waiting and hashing, the disk has threads of its own.
const WORKERS: usize = 2;
/// How long a task that panicked rests before it is begun anew: a bug must not become a busy loop.
const AFTER_PANIC: Duration = Duration::from_secs(30);
/// How long the runtime keeps a thread that has nothing to do. It wakes up to end: soon after the core went to sleep, and
/// not when the system has forgotten about the app.
const KEPT_THREAD: Duration = Duration::from_secs(1);
/// The shortest time that a timer can be set to.
const TICK: Duration = Duration::from_millis(1);

/// Where a core's tasks run.
pub(super) struct Home {
    /// The core's own; none in a simulation, and none any more when the core is gone.
    own: Option<Runtime>,
    handle: Handle,
    tasks: Mutex<Vec<JoinHandle<()>>>,
    /// Whether the core sleeps.
    asleep: watch::Sender<bool>,
}

impl Home {
    /// A runtime of the core's own, or the one that is given.
    pub(super) fn new(given: Option<Handle>) -> Result<Self> {
        let (own, handle) = match given {
            Some(handle) => (None, handle),
            None => {
                let runtime = Builder::new_multi_thread()
                    .worker_threads(WORKERS)
                    .thread_name("safescan")
                    .thread_keep_alive(KEPT_THREAD)
                    .enable_all()
                    .build()
                    .map_err(|error| Error::io(&error, "starting the runtime"))?;
                let handle = runtime.handle().clone();
                (Some(runtime), handle)
            }
        };
        Ok(Self { own, handle, tasks: Mutex::default(), asleep: watch::Sender::new(false) })
    }

    /// Whether everything happens on the caller's only thread.
    pub(super) fn is_simulated(&self) -> bool {
        self.own.is_none()
    }

    pub(super) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Keeps a task at work until it ends by itself. After a panic it is begun anew: a bug in one answer's handling must
    /// not end synchronisation for good. `panicked` is told.
    pub(super) fn keep<F, P>(&self, begin: impl Fn() -> F + Send + 'static, panicked: P)
    where
        F: Future<Output = ()> + Send + 'static,
        P: Fn() + Send + 'static,
    {
        let mut asleep = self.asleep.subscribe();
        let task = async move {
            while AssertUnwindSafe(begin()).catch_unwind().await.is_err() {
                panicked();
                // While the core sleeps no timer runs; what is begun then finds nothing to do.
                tokio::select! {
                    biased;
                    _ = asleep.wait_for(|asleep| *asleep) => {}
                    () = tokio::time::sleep(AFTER_PANIC) => {}
                }
            }
        };
        self.tasks().push(self.handle.spawn(task));
    }

    /// Whether the core sleeps.
    pub(super) fn set_asleep(&self, asleep: bool) {
        self.asleep.send_replace(asleep);
    }

    /// Takes timers that were called off out of the system's hands: a thread that waits for the next of them goes on
    /// waiting for it until it is woken, here by a last short one.
    pub(super) async fn forget_timers(&self) {
        if self.own.is_some() {
            drop(self.handle.spawn(tokio::time::sleep(TICK)).await);
        }
    }

    /// Waits for all tasks to end; they must have been told.
    pub(super) async fn join(&self) {
        let tasks = std::mem::take(&mut *self.tasks());
        for task in tasks {
            // One that was aborted has ended as well.
            drop(task.await);
        }
    }

    /// Ends all tasks where they stand.
    pub(super) fn abort(&self) {
        self.tasks().drain(..).for_each(|task| task.abort());
    }

    fn tasks(&self) -> std::sync::MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        self.abort();
        if let Some(runtime) = self.own.take() {
            // The last handle may be dropped by a task of this very runtime, which must not wait for itself.
            runtime.shutdown_background();
        }
    }
}
