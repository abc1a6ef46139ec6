//! The one writer: a thread that owns the writing connection, and commits everything that waits in one transaction.
//!
//! A commit costs one wait for the disk however much it holds. While one is under way further batches queue up; the next
//! commit takes them all. Each batch runs in a savepoint of its own, so that one that fails does not take its neighbours
//! along. A batch is answered only after the commit that holds it.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
};

use rusqlite::Connection;
use safescan_core::model::UnixMillis;
use tokio::sync::{mpsc, oneshot};

use super::{
    connection::open_for_writing,
    fault::{Sql, during},
    ledger::SqliteLedger,
};
use crate::{
    error::{Error, Result},
    rules::{self, Applied, Batch, Ledger},
};

/// Batches that may wait. Callers beyond wait for a place, which slows a flood down instead of storing it in memory.
const QUEUE: usize = 1024;
/// Batches in one commit: bounds the time that the first of them waits for the last.
const GROUP: usize = 256;

pub(super) struct Writer {
    queue: mpsc::Sender<Order>,
    thread: Mutex<Option<thread::JoinHandle<()>>>,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    commits: AtomicU64,
    batches: AtomicU64,
}

enum Order {
    Apply(Box<Batch>, oneshot::Sender<Result<Applied>>),
    /// Store what a reader found the line to have passed over.
    Settle(Vec<i64>, UnixMillis),
    Stop(oneshot::Sender<()>),
}

impl Writer {
    /// Opens the file and starts the thread.
    pub(super) fn start(path: &Path) -> Result<Self> {
        let connection = open_for_writing(path)?;
        let revision = super::lookup::meta(&connection, "revision")?;
        let (queue, orders) = mpsc::channel(QUEUE);
        let counts = Arc::new(Counts::default());
        let desk = Desk { connection, revision, counts: Arc::clone(&counts) };
        let thread = thread::Builder::new()
            .name("safescan-writer".into())
            .spawn(move || desk.serve(orders))
            .map_err(|error| Error::io("starting the writer's thread", &error))?;
        Ok(Self { queue, thread: Mutex::new(Some(thread)), counts })
    }

    /// Applies a batch and answers once it is on the disk.
    pub(super) async fn apply(&self, batch: Batch) -> Result<Applied> {
        let (reply, answer) = oneshot::channel();
        self.queue.send(Order::Apply(Box::new(batch), reply)).await.map_err(|_| Error::Stopped)?;
        answer.await.unwrap_or(Err(Error::Stopped))
    }

    /// Stores sums as of `now`, if the writer has time for it: whoever reads next would otherwise do it again.
    pub(super) fn settle(&self, subjects: Vec<i64>, now: UnixMillis) {
        drop(self.queue.try_send(Order::Settle(subjects, now)));
    }

    /// Transactions since the start, and batches in them.
    pub(super) fn counts(&self) -> (u64, u64) {
        (self.counts.commits.load(Relaxed), self.counts.batches.load(Relaxed))
    }

    /// Does what was accepted, closes the file and ends the thread.
    pub(super) async fn stop(&self) {
        let (reply, answer) = oneshot::channel();
        if self.queue.send(Order::Stop(reply)).await.is_ok() {
            drop(answer.await);
        }
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // It has answered: nothing is left for it but to return.
            drop(thread.join());
        }
    }
}

struct Desk {
    connection: Connection,
    revision: i64,
    counts: Arc<Counts>,
}

impl Desk {
    fn serve(mut self, mut orders: mpsc::Receiver<Order>) {
        let mut stopping = None;
        while stopping.is_none() {
            let Some(first) = orders.blocking_recv() else { break };
            let mut group = vec![first];
            while group.len() < GROUP {
                match orders.try_recv() {
                    Ok(order) => group.push(order),
                    Err(_) => break,
                }
            }
            stopping = self.work(group);
        }
        orders.close();
        // What was accepted before the door closed is still done; the answer says that all of it is.
        while let Some(order) = orders.blocking_recv() {
            self.work(vec![order]);
        }
        drop(self.connection);
        if let Some(reply) = stopping {
            let _ = reply.send(());
        }
    }

    /// Commits a group and answers it. Returns who asked to stop, if somebody did.
    fn work(&mut self, group: Vec<Order>) -> Option<oneshot::Sender<()>> {
        let (mut stopping, mut answers) = (None, Vec::new());
        let before = self.revision;
        let begun = self.run("BEGIN IMMEDIATE");
        for order in group {
            match order {
                Order::Apply(batch, reply) => {
                    let result = begun.clone().and_then(|()| self.step(|ledger| rules::apply(ledger, &batch)));
                    answers.push((reply, result));
                }
                Order::Settle(subjects, now) => {
                    // Whoever reads next tries again.
                    drop(begun.clone().and_then(|()| self.step(|ledger| settle(ledger, &subjects, now))));
                }
                Order::Stop(reply) => stopping = Some(reply),
            }
        }
        let committed = begun.and_then(|()| self.commit(before));
        if committed.is_ok() {
            self.counts.commits.fetch_add(1, Relaxed);
            self.counts.batches.fetch_add(answers.len() as u64, Relaxed);
        } else {
            self.revision = before;
            // Fails where nothing is open, which is what is wanted.
            drop(self.run("ROLLBACK"));
        }
        for (reply, result) in answers {
            let _ = reply.send(committed.clone().and(result));
        }
        stopping
    }

    /// Runs `work` in a savepoint; if it fails, it is undone.
    fn step<T>(&mut self, work: impl FnOnce(&mut SqliteLedger<'_>) -> Result<T>) -> Result<T> {
        self.run("SAVEPOINT step")?;
        let before = self.revision;
        let mut ledger = SqliteLedger { connection: &self.connection, revision: &mut self.revision };
        let result = catch_unwind(AssertUnwindSafe(|| work(&mut ledger))).unwrap_or(Err(Error::Panicked));
        if result.is_err() {
            self.revision = before;
            self.run("ROLLBACK TO step")?;
        }
        self.run("RELEASE step")?;
        result
    }

    fn commit(&self, before: i64) -> Result<()> {
        if self.revision != before {
            self.connection
                .prepare_cached("UPDATE meta SET value = ?1 WHERE name = 'revision'")
                .and_then(|mut statement| statement.execute([self.revision]))
                .doing(during::WRITING)?;
        }
        self.run("COMMIT")
    }

    fn run(&self, sql: &'static str) -> Result<()> {
        let run = self.connection.prepare_cached(sql).and_then(|mut statement| statement.execute([]));
        run.map(drop).doing(during::COMMITTING)
    }
}

fn settle(ledger: &mut SqliteLedger<'_>, subjects: &[i64], now: UnixMillis) -> Result<()> {
    for id in subjects {
        let mut subject = ledger.subject(*id)?;
        if rules::settle(ledger, &mut subject, now)? {
            ledger.save_subject(&subject)?;
        }
    }
    Ok(())
}
