//! How long it takes to move in: records of a kind, in a database as Android has it.
//!
//! `scripts/bench` runs it.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program of its own"
)]

use std::{fmt::Write as _, fs, path::Path, time::Instant};

use rusqlite::{Connection, params};
use safescan_core::{config::Config, engine::Core, model::AsyncStorageSource};

const RECORDS: usize = 100_000;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    // A file system in memory would hide what a wait for the disk costs: the checkout's own disk is used.
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    println!("{:<46}{:>12}{:>16}{:>14}  target", "import of 100,000 records", "first", "second", "memory");
    for (label, votes, scans) in [("keys", 0, 0), ("scans", 0, RECORDS), ("scans, votes and keys", 10_000, 60_000)] {
        let place = directory.path().join(label);
        fill(&place, RECORDS - scans - votes, scans, votes);
        runtime.block_on(measure(label, &place));
    }
}

async fn measure(label: &str, place: &Path) {
    let core = Core::open(Config::new(place.join("core").to_str().unwrap())).await.unwrap();
    let source = AsyncStorageSource::in_directory(place.to_str().unwrap());
    let before = resident();
    let mut times = [0.0; 2];
    for time in &mut times {
        let start = Instant::now();
        let report = core.import.run(source.clone()).await.unwrap();
        *time = start.elapsed().as_secs_f64();
        let taken = (report.scans + report.votes + report.key_values) as usize;
        assert!(report.complete && taken == RECORDS, "{report:?}");
    }
    let memory = resident().saturating_sub(before) / 1024;
    core.shutdown().await.unwrap();
    println!("{label:<46}{:>10.2} s{:>13.1} ms{memory:>10} MiB  ≤ 3 s", times[0], times[1] * 1e3);
}

/// The greatest memory so far, in KiB; 0 where the system does not tell.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

fn fill(place: &Path, keys: usize, scans: usize, votes: usize) {
    fs::create_dir_all(place.join("databases")).unwrap();
    let database = Connection::open(place.join("databases/RKStorage")).unwrap();
    database
        .execute_batch("CREATE TABLE catalystLocalStorage (key TEXT PRIMARY KEY, value TEXT NOT NULL); BEGIN;")
        .unwrap();
    let set = |key: &str, value: &str| {
        database.execute("INSERT INTO catalystLocalStorage VALUES (?1, ?2)", params![key, value]).unwrap();
    };
    for number in 0..keys {
        set(&format!("@app/item/{number}"), &format!("{{\"name\":\"item {number}\",\"tags\":[\"a\",\"b\"]}}"));
    }
    let array = |count: usize, one: &dyn Fn(usize) -> String| {
        let mut text = String::from("[");
        for number in (0..count).rev() {
            write!(text, "{}{}", if text.len() > 1 { "," } else { "" }, one(number)).unwrap();
        }
        text + "]"
    };
    set("@safe_scan_history", &array(scans, &old_scan));
    set("@safe_scan_user_votes", &array(votes, &old_vote));
    database.execute_batch("COMMIT").unwrap();
}

fn link(number: usize) -> String {
    format!("https://shop-{}.example/item/{number}?from=poster", number % 97)
}

fn old_scan(number: usize) -> String {
    format!(
        "{{\"id\":\"{number}\",\"qrData\":\"{}\",\"safetyStatus\":\"safe\",\"timestamp\":{}}}",
        link(number),
        1_700_000_000_000 + number * 1000
    )
}

fn old_vote(number: usize) -> String {
    let hash = link(number).bytes().fold(0_i32, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()));
    format!(
        "{{\"userId\":\"user_sha256_1a2b3\",\"qrHash\":\"sha256_{:x}\",\"vote\":\"safe\",\"timestamp\":{}}}",
        hash.unsigned_abs(),
        1_700_000_000_000 + number * 1000
    )
}
