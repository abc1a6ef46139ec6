use std::{
    io::{self, Write},
    time::Duration,
};

use super::{Result, count};

/// How long requests took, in microseconds.
#[derive(Default)]
pub(crate) struct Latencies(Vec<u64>);

impl Latencies {
    pub(crate) fn note(&mut self, took: Duration) {
        self.0.push(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub(crate) fn requests(&self) -> usize {
        self.0.len()
    }

    /// Prints how many operations a second, and how long half and nearly all of the requests took.
    pub(crate) fn print(&self, what: &str, batch: usize, elapsed: Duration) -> Result<()> {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let at = |percent: usize| sorted.get(sorted.len() * percent / 100).copied().unwrap_or(0);
        let rate = count(sorted.len() * batch) / elapsed.as_secs_f64();
        row(what, &format!("{rate:.0} operations/s"))?;
        let millis = |micros: u64| format!("{}.{} ms", micros / 1000, micros % 1000 / 100);
        row("  p50, p99 of a request", &format!("{}, {}", millis(at(50)), millis(at(99))))
    }
}

/// Prints a figure.
pub(crate) fn row(what: &str, figure: &str) -> Result<()> {
    Ok(writeln!(io::stdout(), "{what:<48}{figure:>28}")?)
}
