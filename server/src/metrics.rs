//! Counters, in the text form that Prometheus reads. Names of routes and outcomes are the only labels: nothing that
//! belongs to anybody.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
    },
};

use safescan_core::protocol::{OperationResult, Outcome};

use crate::storage::Figures;

/// Upper ends of the buckets that durations are counted in, in milliseconds: from a look-up in memory to a long poll.
const BUCKETS_MS: [u64; 9] = [1, 3, 10, 30, 100, 300, 1_000, 5_000, 20_000];

/// Everything that is counted.
#[derive(Default)]
pub struct Metrics {
    requests: Mutex<BTreeMap<(&'static str, u16), u64>>,
    durations: Mutex<BTreeMap<&'static str, Durations>>,
    operations: Mutex<BTreeMap<&'static str, u64>>,
    /// Open connections.
    pub connections: AtomicI64,
    /// Open sockets.
    pub sockets: AtomicI64,
    /// Sessions, waiting ones as well.
    pub sessions: AtomicI64,
    /// Data frames sent on sockets.
    pub frames: AtomicU64,
    /// Ratings in them.
    pub frame_ratings: AtomicU64,
    /// Changed ratings that a newer change of the same code overtook before they were sent.
    pub conflated: AtomicU64,
    /// Requests refused by a limit.
    pub limited: AtomicU64,
}

#[derive(Default)]
struct Durations {
    buckets: [u64; BUCKETS_MS.len()],
    count: u64,
    sum_us: u64,
}

impl Metrics {
    /// A request was answered.
    pub fn answered(&self, route: &'static str, status: u16, micros: u64) {
        *locked(&self.requests).entry((route, status)).or_default() += 1;
        let mut durations = locked(&self.durations);
        let of_route = durations.entry(route).or_default();
        of_route.count += 1;
        of_route.sum_us = of_route.sum_us.saturating_add(micros);
        for (bucket, end) in of_route.buckets.iter_mut().zip(BUCKETS_MS) {
            *bucket += u64::from(micros <= end * 1000);
        }
    }

    /// Operations were judged.
    pub fn judged(&self, results: &[OperationResult]) {
        let mut operations = locked(&self.operations);
        for result in results {
            let outcome = match result.outcome {
                Outcome::Applied { .. } => "applied",
                Outcome::Duplicate { .. } => "duplicate",
                Outcome::Superseded { .. } => "superseded",
                Outcome::Rejected { .. } => "rejected",
                Outcome::Deferred { .. } => "deferred",
                Outcome::Unknown => "unknown",
            };
            *operations.entry(outcome).or_default() += 1;
        }
    }

    /// Everything as text.
    #[must_use]
    pub fn text(&self, figures: &Figures, in_flight: usize) -> String {
        let mut text = String::new();
        let mut family = |name: &str, kind: &str, help: &str, samples: Vec<(String, String)>| {
            let _ = writeln!(text, "# HELP safescan_{name} {help}\n# TYPE safescan_{name} {kind}");
            for (labels, value) in samples {
                let _ = writeln!(text, "safescan_{name}{labels} {value}");
            }
        };
        let requests = locked(&self.requests);
        let samples = requests
            .iter()
            .map(|((route, status), count)| (format!("{{route=\"{route}\",status=\"{status}\"}}"), count.to_string()));
        family("requests_total", "counter", "Requests answered.", samples.collect());
        drop(requests);
        let mut samples = Vec::new();
        for (route, durations) in locked(&self.durations).iter() {
            for (bucket, end) in durations.buckets.iter().zip(BUCKETS_MS) {
                samples
                    .push((format!("_bucket{{route=\"{route}\",le=\"{}\"}}", seconds(end * 1000)), bucket.to_string()));
            }
            samples.push((format!("_bucket{{route=\"{route}\",le=\"+Inf\"}}"), durations.count.to_string()));
            samples.push((format!("_sum{{route=\"{route}\"}}"), seconds(durations.sum_us)));
            samples.push((format!("_count{{route=\"{route}\"}}"), durations.count.to_string()));
        }
        family("request_seconds", "histogram", "How long answers took.", samples);
        let operations = locked(&self.operations);
        let samples =
            operations.iter().map(|(outcome, count)| (format!("{{outcome=\"{outcome}\"}}"), count.to_string()));
        family("operations_total", "counter", "Operations judged.", samples.collect());
        drop(operations);
        let mut one =
            |name: &str, kind: &str, help: &str, value: String| family(name, kind, help, vec![(String::new(), value)]);
        one("connections", "gauge", "Open connections.", self.connections.load(Relaxed).to_string());
        one("requests_in_flight", "gauge", "Requests that are being served.", in_flight.to_string());
        one("sockets", "gauge", "Open sockets.", self.sockets.load(Relaxed).to_string());
        one("sessions", "gauge", "Sessions, waiting ones as well.", self.sessions.load(Relaxed).to_string());
        one("frames_total", "counter", "Data frames sent on sockets.", self.frames.load(Relaxed).to_string());
        one("frame_ratings_total", "counter", "Ratings in data frames.", self.frame_ratings.load(Relaxed).to_string());
        one(
            "conflated_total",
            "counter",
            "Ratings overtaken before they were sent.",
            self.conflated.load(Relaxed).to_string(),
        );
        one("limited_total", "counter", "Requests refused by a limit.", self.limited.load(Relaxed).to_string());
        one(
            "commits_total",
            "counter",
            "Transactions, each of which waited for the disk once.",
            figures.commits.to_string(),
        );
        one("batches_total", "counter", "Requests' operations in them.", figures.batches.to_string());
        one(
            "remembered_operations",
            "gauge",
            "Operations that devices may send again.",
            figures.remembered.to_string(),
        );
        one("revision", "gauge", "The last revision.", figures.revision.to_string());
        one("database_bytes", "gauge", "Size of the database.", figures.bytes.to_string());
        text
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn seconds(micros: u64) -> String {
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}
