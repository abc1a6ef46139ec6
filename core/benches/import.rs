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
    println!(
        "{:<32}{:>10}{:>14}{:>12}{:>12}  target",
        "import of 100,000 records", "first", "of it CPU", "second", "memory"
    );
    for (label, votes, scans) in [("keys", 0, 0), ("scans", 0, RECORDS), ("scans, votes and keys", 10_000, 60_000)] {
        let place = directory.path().join(label);
        fill(&place, RECORDS - scans - votes, scans, votes);
        runtime.block_on(measure(label, &place));
    }
}

async fn measure(label: &str, place: &Path) {
    let core = Core::open(Config::new(place.join("core").to_str().unwrap())).await.unwrap();
    let source = AsyncStorageSource::in_directory(place.to_str().unwrap());
    // From here on the greatest memory is the import's, not that of making the database.
    drop(fs::write("/proc/self/clear_refs", "5"));
    let before = resident();
    let mut times = [0.0; 2];
    let mut computed = [0.0; 2];
    for (time, computed) in times.iter_mut().zip(&mut computed) {
        let (start, cpu) = (Instant::now(), cpu_seconds());
        let report = core.import.run(source.clone()).await.unwrap();
        (*time, *computed) = (start.elapsed().as_secs_f64(), cpu_seconds() - cpu);
        let taken = (report.scans + report.votes + report.key_values) as usize;
        assert!(report.complete && taken == RECORDS, "{report:?}");
    }
    let memory = resident().saturating_sub(before) / 1024;
    core.shutdown().await.unwrap();
    let [first, second] = times;
    println!("{label:<32}{first:>8.2} s{:>12.2} s{:>9.1} ms{memory:>8} MiB  ≤ 3 s", computed[0], second * 1e3);
}

/// Processor time of this process so far, which other programs on the machine do not change; 0 where nobody tells.
fn cpu_seconds() -> f64 {
    /// Clock ticks in a second, on every Linux there is.
    const TICKS: f64 = 100.0;
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name of the program may hold anything; behind it the twelfth and thirteenth field are user and system time.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    fields.filter_map(|field| field.parse::<f64>().ok()).sum::<f64>() / TICKS
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
