//! Ratings that came and are not stored yet.

use std::collections::VecDeque;

use crate::protocol::Rating;

/// Frames that may wait: a burst of votes on all that a screen shows, while the disk takes its time.
const FRAMES: usize = 64;
/// Bytes that may wait, as they came: four of the largest messages. Read, they take up a few times that.
const BYTES: usize = 1024 * 1024;

/// A data frame.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Arrived {
    /// Which of the conversation's sessions numbered it.
    pub(super) session: u32,
    /// Its number.
    pub(super) seq: u64,
    /// What is to be stored; may be nothing.
    pub(super) ratings: Vec<Rating>,
    /// How long it was.
    pub(super) bytes: usize,
}

/// What waits to be stored, in order and within bounds.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    waiting: VecDeque<Arrived>,
    bytes: usize,
}

impl Inbox {
    /// Puts a frame at the end. If there is no room nothing is kept of anything that waits but the last number: a pull
    /// brings all of it at once, and the newest of each only.
    pub(super) fn push(&mut self, arrived: Arrived) -> Result<(), Overflowed> {
        self.bytes = self.bytes.saturating_add(arrived.bytes);
        let overflowed = self.waiting.len() >= FRAMES || self.bytes > BYTES;
        if !overflowed {
            self.waiting.push_back(arrived);
            return Ok(());
        }
        let frames = self.waiting.len() + 1;
        self.waiting.clear();
        self.bytes = 0;
        self.waiting.push_back(Arrived { ratings: Vec::new(), bytes: 0, ..arrived });
        Err(Overflowed { frames })
    }

    pub(super) fn pop(&mut self) -> Option<Arrived> {
        let arrived = self.waiting.pop_front()?;
        self.bytes = self.bytes.saturating_sub(arrived.bytes);
        Some(arrived)
    }
}

/// Frames were dropped: pull.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Overflowed {
    pub(super) frames: usize,
}
