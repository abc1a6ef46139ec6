//! What is about to be said.
//!
//! Short by construction: a greeting, at most a few pings until their silence ends the connection, and what
//! [`Dialogue::speak`](super::Dialogue::speak) answers, which is only asked while nothing waits here.

use std::{
    collections::VecDeque,
    future::{pending, poll_fn},
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_util::Sink;

use crate::{net::Failure, protocol::ClientFrame};

type Wire = Pin<Box<dyn Sink<String, Error = Failure> + Send>>;

/// Frames on their way to the wire.
pub(super) struct Outbox {
    wire: Wire,
    waiting: VecDeque<String>,
    unflushed: bool,
}

impl Outbox {
    pub(super) fn new(wire: Wire) -> Self {
        Self { wire, waiting: VecDeque::new(), unflushed: false }
    }

    pub(super) fn push(&mut self, frame: &ClientFrame) {
        let text = serde_json::to_string(frame).expect("numbers and texts can always be written as JSON");
        self.waiting.push_back(text);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && !self.unflushed
    }

    /// Sends until nothing waits. With nothing to send it never ends: there is nothing to tell. May be dropped and called
    /// again at any time.
    pub(super) async fn drain(&mut self) -> Result<(), Failure> {
        if self.is_empty() {
            return pending().await;
        }
        poll_fn(|cx| self.poll_drain(cx)).await
    }

    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        while !self.waiting.is_empty() {
            ready!(self.wire.as_mut().poll_ready(cx))?;
            if let Some(text) = self.waiting.pop_front() {
                self.unflushed = true;
                self.wire.as_mut().start_send(text)?;
            }
        }
        ready!(self.wire.as_mut().poll_flush(cx))?;
        self.unflushed = false;
        Poll::Ready(Ok(()))
    }
}
