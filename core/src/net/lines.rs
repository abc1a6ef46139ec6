//! Where connections live: on a runtime of their own, with a thread, that begins with the first request and ends when the
//! core goes to sleep.
//!
//! A connection is driven by a task of the HTTP library, and ends some time after everybody has let go of it; timers of
//! its pool as well. Nobody can wait for that. A runtime that ends takes all of them with it, and whoever ends it knows
//! when. A look-up of a name that hangs in the system's library is not waited for: it cannot be called off.

use std::{
    convert::Infallible,
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
};

use reqwest::Client;
use tokio::{
    runtime::{Builder, Handle},
    sync::{mpsc, oneshot},
    task::JoinSet,
};

use super::Failure;

/// All connections to the server.
#[derive(Default)]
pub(super) struct Lines(Mutex<Option<Open>>);

struct Open {
    handle: Handle,
    client: Option<Client>,
    wanted: Wanted,
    /// Dropped by the thread when nothing is left.
    gone: oneshot::Receiver<Infallible>,
}

/// What a request is made with.
pub(super) struct Line {
    pub(super) client: Client,
    /// To be kept as long as what came of the request is in use.
    pub(super) wanted: Wanted,
    handle: Handle,
}

/// Keeps the runtime, unless it is ended on purpose: by a word on this channel.
#[derive(Clone)]
pub(super) struct Wanted(mpsc::Sender<()>);

impl Lines {
    /// The client, made by `make` when there is none.
    pub(super) fn line(&self, make: impl FnOnce() -> Result<Client, Failure>) -> Result<Line, Failure> {
        let mut place = self.place();
        let open = match &mut *place {
            Some(open) => open,
            None => place.insert(Open::begin()?),
        };
        let client = match &open.client {
            Some(client) => client.clone(),
            None => open.client.insert(make()?).clone(),
        };
        Ok(Line { client, wanted: open.wanted.clone(), handle: open.handle.clone() })
    }

    /// Closes connections that nobody uses. Those in use go on to their end.
    pub(super) fn forget_client(&self) {
        if let Some(open) = &mut *self.place() {
            open.client = None;
        }
    }

    /// Closes every connection, and waits until none is left. What is under way fails.
    pub(super) async fn close(&self) {
        let open = self.place().take();
        if let Some(open) = open {
            // There is room for it, unless it was said before.
            _ = open.wanted.0.try_send(());
            // Nothing is ever sent.
            drop(open.gone.await);
        }
    }

    fn place(&self) -> MutexGuard<'_, Option<Open>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn begin() -> Result<Self, Failure> {
        let runtime = Builder::new_current_thread()
            .thread_name("safescan-net")
            .enable_all()
            .build()
            .map_err(|_| Failure::Offline)?;
        let handle = runtime.handle().clone();
        let (wanted, mut unwanted) = mpsc::channel(1);
        let (left, gone) = oneshot::channel();
        thread::Builder::new()
            .name("safescan-net".into())
            .spawn(move || {
                // A word, or nobody left who could say it.
                runtime.block_on(unwanted.recv());
                runtime.shutdown_background();
                drop(left);
            })
            .map_err(|_| Failure::Offline)?;
        Ok(Self { handle, client: None, wanted: Wanted(wanted), gone })
    }
}

impl Line {
    /// Does some work where connections live. Dropping the future gives it up.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Failure> {
        let mut tasks = JoinSet::new();
        tasks.spawn_on(work, &self.handle);
        match tasks.join_next().await {
            Some(Ok(done)) => Ok(done),
            // The lines were closed meanwhile.
            _ => Err(Failure::Interrupted),
        }
    }
}
