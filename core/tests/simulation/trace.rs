//! What happened, in order: as one number, and on request as text.

use std::{fmt, sync::Mutex};

use crate::{
    dice::{FNV_START, fnv},
    time::Timeline,
};

/// Lines kept to be shown with a failure.
const KEPT: usize = 60;
/// Characters shown of a line. All of them count.
const SHOWN: usize = 60_000;

/// The run's diary. Two runs of one seed write the same one.
pub(crate) struct Trace {
    timeline: Timeline,
    aloud: bool,
    pages: Mutex<Pages>,
}

struct Pages {
    hash: u64,
    lines: u64,
    last: std::collections::VecDeque<String>,
}

impl Trace {
    pub(crate) fn new(timeline: Timeline, aloud: bool) -> Self {
        let pages = Pages { hash: FNV_START, lines: 0, last: std::collections::VecDeque::new() };
        Self { timeline, aloud, pages: Mutex::new(pages) }
    }

    /// Writes a line down.
    pub(crate) fn note(&self, who: impl fmt::Display, what: impl fmt::Display) {
        let line = format!("{:>9} {who}: {what}", self.timeline.ms());
        let mut pages = self.pages.lock().unwrap();
        pages.hash = fnv(line.as_bytes(), pages.hash);
        pages.lines += 1;
        let shown: String = line.chars().take(SHOWN).collect();
        if self.aloud {
            eprintln!("{shown}");
        }
        if pages.last.len() == KEPT {
            pages.last.pop_front();
        }
        pages.last.push_back(shown);
    }

    /// The run as one number.
    pub(crate) fn hash(&self) -> u64 {
        self.pages.lock().unwrap().hash
    }

    pub(crate) fn lines(&self) -> u64 {
        self.pages.lock().unwrap().lines
    }

    /// The last lines.
    pub(crate) fn tail(&self) -> Vec<String> {
        self.pages.lock().unwrap().last.iter().cloned().collect()
    }
}
