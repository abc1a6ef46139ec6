//! A unit of work for the writer, and its answer.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::sync::oneshot;

use super::transaction::Transaction;
use crate::error::{Error, Result};

/// A unit of work whose kind of result only its caller knows.
pub(crate) trait Step: Send {
    /// Does the work. If it fails it must be undone.
    fn run(&mut self, tx: &mut Transaction<'_>) -> Result<()>;

    /// Tells the caller, after the commit or its failure.
    fn answer(self: Box<Self>, failed: Option<&Error>);
}

pub(crate) struct Work<F, T> {
    work: Option<F>,
    result: Option<Result<T>>,
    reply: oneshot::Sender<Result<T>>,
}

impl<F, T> Work<F, T> {
    pub(crate) fn new(work: F, reply: oneshot::Sender<Result<T>>) -> Self {
        Self { work: Some(work), result: None, reply }
    }
}

impl<F, T> Step for Work<F, T>
where
    F: FnOnce(&mut Transaction<'_>) -> Result<T> + Send,
    T: Send,
{
    fn run(&mut self, tx: &mut Transaction<'_>) -> Result<()> {
        const WHILE: &str = "a writing step";
        let Some(work) = self.work.take() else { return Err(Error::Unexpected { what: "a step was run twice" }) };
        let result = catch_unwind(AssertUnwindSafe(|| work(tx))).unwrap_or(Err(Error::Panicked { during: WHILE }));
        let outcome = result.as_ref().map(drop).map_err(Clone::clone);
        self.result = Some(result);
        outcome
    }

    fn answer(self: Box<Self>, failed: Option<&Error>) {
        let result = match (self.result, failed) {
            // The step's own refusal tells more than what it led to.
            (Some(Err(own)), _) => Err(own),
            (_, Some(error)) => Err(error.clone()),
            (Some(Ok(value)), None) => Ok(value),
            (None, None) => Err(Error::Unexpected { what: "a step was committed without having run" }),
        };
        drop(self.reply.send(result));
    }
}
