//! The one writer: a thread that owns the writing connection, and commits everything that waits in one transaction.
//!
//! A commit costs one wait for the disk, ten to twenty-five milliseconds on a phone, however much it holds. While one is
//! under way, further steps queue up; the next commit takes them all. Each step runs in a savepoint of its own, so that
//! one that fails does not take its neighbours along. A step is answered only after the commit that holds it.
//!
//! In a simulation there is no thread: every step is committed at once, by its caller, so that a run can be repeated.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
};

use tokio::sync::{mpsc, oneshot};

use super::{
    desk::Desk,
    step::{Step, Work},
    transaction::Transaction,
};
use crate::error::{Error, Result};

/// Steps that may wait. Callers beyond wait for a place, which slows a flood down instead of storing it in memory.
const QUEUE: usize = 1024;
/// Steps in one commit: bounds the time that the first of them waits for the last.
const GROUP: usize = 256;

pub(crate) enum Writer {
    /// By a thread of its own.
    Thread { queue: mpsc::Sender<Order>, thread: Mutex<Option<thread::JoinHandle<()>>> },
    /// By whoever asks; none once it has stopped.
    Caller(Mutex<Option<Box<Desk>>>),
}

pub(crate) enum Order {
    Write(Box<dyn Step>),
    /// Something done to the files themselves, between two commits.
    Alone(Box<dyn FnOnce(&mut Desk) + Send>),
    Stop(oneshot::Sender<()>),
}

impl Writer {
    /// Starts the thread.
    pub(crate) fn start(desk: Desk) -> Result<Self> {
        let (queue, orders) = mpsc::channel(QUEUE);
        let thread = thread::Builder::new()
            .name("safescan-writer".into())
            .spawn(move || serve(desk, orders))
            .map_err(|error| Error::io(&error, "starting the writer's thread"))?;
        Ok(Self::Thread { queue, thread: Mutex::new(Some(thread)) })
    }

    /// Starts nothing.
    pub(crate) fn without_thread(desk: Desk) -> Self {
        Self::Caller(Mutex::new(Some(Box::new(desk))))
    }

    /// Runs `work` in a transaction and answers once it is committed.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        let step = Box::new(Work::new(work, reply));
        self.give(Order::Write(step)).await?;
        answer.await.unwrap_or(Err(Error::Stopped))
    }

    /// The same for work that may as well be dropped when the writer is busy.
    pub(crate) fn write_if_idle(&self, work: impl FnOnce(&mut Transaction<'_>) -> Result<()> + Send + 'static) {
        let (reply, _) = oneshot::channel();
        let step = Box::new(Work::new(work, reply));
        match self {
            Self::Thread { queue, .. } => drop(queue.try_send(Order::Write(step))),
            Self::Caller(desk) => drop(carry_out(&mut lock(desk), Order::Write(step))),
        }
    }

    /// Runs `work` between two commits.
    pub(crate) async fn alone<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Desk) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        const WHILE: &str = "work on the files";
        let (reply, answer) = oneshot::channel();
        let order = Order::Alone(Box::new(move |desk| {
            let result = catch_unwind(AssertUnwindSafe(|| work(desk)));
            // Before the answer: whoever has it while the core sleeps may rely on closed files.
            desk.rest();
            drop(reply.send(result.unwrap_or(Err(Error::Panicked { during: WHILE }))));
        }));
        self.give(order).await?;
        answer.await.unwrap_or(Err(Error::Stopped))
    }

    /// Does what was accepted, closes the files and ends the thread. Later writes are told that the core has stopped.
    pub(crate) async fn stop(&self) {
        let (reply, answer) = oneshot::channel();
        if self.give(Order::Stop(reply)).await.is_ok() {
            drop(answer.await);
        }
        let Self::Thread { thread, .. } = self else { return };
        let thread = thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // It has answered: nothing is left for it but to return.
            drop(thread.join());
        }
    }

    /// Drops the files as a kill does: nothing is folded in, nobody is told.
    #[cfg(feature = "test-hooks")]
    pub(crate) fn kill(&self) {
        if let Self::Caller(desk) = self {
            drop(lock(desk).take());
        }
    }

    async fn give(&self, order: Order) -> Result<()> {
        match self {
            Self::Thread { queue, .. } => queue.send(order).await.map_err(|_| Error::Stopped),
            Self::Caller(desk) => carry_out(&mut lock(desk), order),
        }
    }
}

fn lock(desk: &Mutex<Option<Box<Desk>>>) -> MutexGuard<'_, Option<Box<Desk>>> {
    desk.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the thread does, done by the caller.
fn carry_out(place: &mut Option<Box<Desk>>, order: Order) -> Result<()> {
    let Some(desk) = place.as_mut() else { return Err(Error::Stopped) };
    match order {
        Order::Write(step) => {
            let mut group = vec![step];
            answer(desk.commit(&mut group), group);
            desk.tidy();
        }
        Order::Alone(work) => work(desk),
        Order::Stop(reply) => {
            desk.release();
            *place = None;
            _ = reply.send(());
        }
    }
    Ok(())
}

fn serve(mut desk: Desk, mut orders: mpsc::Receiver<Order>) {
    let mut next = None;
    while let Some(order) = next.take().or_else(|| orders.blocking_recv()) {
        match order {
            Order::Write(step) => {
                let mut group = vec![step];
                while group.len() < GROUP {
                    match orders.try_recv() {
                        Ok(Order::Write(step)) => group.push(step),
                        Ok(other) => {
                            next = Some(other);
                            break;
                        }
                        Err(_) => break,
                    }
                }
                answer(desk.commit(&mut group), group);
                let quiet = next.is_none() && orders.is_empty();
                if quiet || desk.log_is_long() {
                    desk.tidy();
                }
            }
            Order::Alone(work) => work(&mut desk),
            Order::Stop(reply) => {
                orders.close();
                // What was accepted before the door closed is still done; the answer says that all of it is.
                while let Some(order) = orders.blocking_recv() {
                    match order {
                        Order::Write(step) => {
                            let mut group = vec![step];
                            answer(desk.commit(&mut group), group);
                        }
                        Order::Alone(work) => work(&mut desk),
                        Order::Stop(also) => _ = also.send(()),
                    }
                }
                desk.release();
                let _ = reply.send(());
                return;
            }
        }
    }
    desk.release();
}

fn answer(committed: Result<()>, group: Vec<Box<dyn Step>>) {
    for step in group {
        step.answer(committed.as_ref().err());
    }
}
