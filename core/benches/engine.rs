//! The engine beside raw SQLite with the same tables and the same durability, on the same disk, in the same run.
//!
//! Blocks of both are interleaved, and what is printed is the median of the blocks' ratios: another program on the machine
//! slows both down. `scripts/bench` runs it.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::drop_non_drop,
    reason = "a program of its own"
)]

use std::{future::Future, hint::black_box, path::Path, sync::Arc, time::Instant};

use rusqlite::{Connection, params};
use safescan_core::{
    config::Config,
    engine::Core,
    model::{ByteCount, CodeRef, KvPair, NewScan, NewVote, QrHash, ScanQuery, UnixMillis, VoteChoice},
    qr,
};

const BLOCKS: usize = 15;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    // A file system in memory would hide what a wait for the disk costs: the checkout's own disk is used.
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    println!("{:<46}{:>12}{:>12}{:>8}  target", "", "SafeScan", "raw SQLite", "ratio");
    runtime.block_on(run(directory.path()));
}

async fn run(directory: &Path) {
    for (rows, label) in [(0, "0"), (100_000, "100 k"), (1_000_000, "1 M")] {
        let bench = Bench::new(&directory.join(rows.to_string()), rows).await;
        bench.record(&format!("record_scan, {label} rows")).await;
        bench.record_batch(&format!("record_scans of 100, {label} rows")).await;
        if rows > 0 {
            bench.newest_page(&format!("newest 50, {label} rows")).await;
        }
        if rows == 0 {
            bench.eight_at_once("8 tasks recording at once, per scan").await;
            bench.key_value().await;
        }
        bench.core.shutdown().await.unwrap();
    }
    for (votes, label) in [(1_000, "1 k"), (100_000, "100 k")] {
        let bench = Bench::new(&directory.join(format!("votes-{votes}")), 0).await;
        bench.rating(votes, &format!("rating, {label} votes on the code")).await;
        bench.core.shutdown().await.unwrap();
    }
}

struct Bench {
    core: Arc<Core>,
    raw: Connection,
    next: std::cell::Cell<i64>,
}

impl Bench {
    async fn new(directory: &Path, rows: usize) -> Self {
        let config = Config {
            max_storage: Some(ByteCount(1 << 40)),
            votes_per_minute: Some(10_000),
            ..Config::new(directory.to_str().unwrap())
        };
        let core = Core::open(config).await.unwrap();
        let raw = peer(directory);
        let bench = Self { core, raw, next: 1_700_000_000_000.into() };
        for start in (0..rows).step_by(10_000) {
            let batch = (start..rows.min(start + 10_000)).map(|_| bench.scan()).collect::<Vec<_>>();
            bench.raw.execute_batch("BEGIN").unwrap();
            batch.iter().for_each(|scan| bench.raw_insert(scan));
            bench.raw.execute_batch("COMMIT").unwrap();
            bench.core.scans.record_all(batch).await.unwrap();
        }
        bench
    }

    fn scan(&self) -> NewScan {
        self.next.set(self.next.get() + 1);
        let number = self.next.get();
        NewScan {
            scanned_at: Some(UnixMillis(number)),
            ..NewScan::of(format!("https://shop-{}.example/item/{number}?from=poster", number % 97))
        }
    }

    /// What a careful developer would write by hand: the same row, hash and indexes.
    fn raw_insert(&self, scan: &NewScan) {
        let hash = qr::hash_text(&scan.text);
        let kind = qr::classify(&scan.text) as i64;
        self.raw
            .prepare_cached(
                "INSERT INTO scans (id, text, kind, verdict, hash, pending, checksum) VALUES (?1, ?2, ?3, 0, ?4, 0, 7)",
            )
            .unwrap()
            .execute(params![scan.scanned_at.unwrap().0 << 20, scan.text, kind, hash.0])
            .unwrap();
    }

    async fn record(&self, label: &str) {
        compare(
            label,
            "≤ 1.15",
            20,
            async || drop(self.core.scans.record(self.scan()).await.unwrap()),
            || {
                self.raw_insert(&self.scan());
            },
        )
        .await;
    }

    async fn record_batch(&self, label: &str) {
        let batch = || (0..100).map(|_| self.scan()).collect::<Vec<_>>();
        compare(
            label,
            "≤ 1.15",
            5,
            async || drop(self.core.scans.record_all(batch()).await.unwrap()),
            || {
                self.raw.execute_batch("BEGIN IMMEDIATE").unwrap();
                batch().iter().for_each(|scan| self.raw_insert(scan));
                self.raw.execute_batch("COMMIT").unwrap();
            },
        )
        .await;
    }

    async fn eight_at_once(&self, label: &str) {
        let mut ratios = Vec::new();
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..BLOCKS {
            let scans: Vec<Vec<NewScan>> = (0..8).map(|_| (0..10).map(|_| self.scan()).collect()).collect();
            let start = Instant::now();
            let tasks: Vec<_> = scans
                .into_iter()
                .map(|scans| {
                    let core = Arc::clone(&self.core);
                    tokio::spawn(async move {
                        for scan in scans {
                            core.scans.record(scan).await.unwrap();
                        }
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
            let own = start.elapsed().as_secs_f64() / 80.0;
            let start = Instant::now();
            (0..80).for_each(|_| self.raw_insert(&self.scan()));
            let raw = start.elapsed().as_secs_f64() / 80.0;
            ratios.push(own / raw);
            ours.push(own);
            theirs.push(raw);
        }
        print(label, "≤ 0.2", ours, theirs, ratios);
    }

    async fn newest_page(&self, label: &str) {
        let query = || ScanQuery::default();
        compare(label, "≤ 1.2", 50, async || drop(black_box(self.core.scans.page(query()).await.unwrap())), || {
            let mut statement = self
                .raw
                .prepare_cached("SELECT id, text, kind, verdict, hash, metadata, pending, checksum FROM scans ORDER BY id DESC LIMIT 50")
                .unwrap();
            let rows = statement.query_map([], |row| {
                Ok((
                    row.get::<_, i64>(0)?,
                    row.get::<_, String>(1)?,
                    row.get::<_, i64>(2)?,
                    row.get::<_, i64>(3)?,
                    row.get::<_, [u8; 32]>(4)?,
                    row.get::<_, Option<String>>(5)?,
                ))
            });
            black_box(rows.unwrap().map(Result::unwrap).collect::<Vec<_>>());
        })
        .await;
    }

    async fn key_value(&self) {
        // A value of its own each time: writing the same one again changes no page and waits for no disk.
        let pair = || KvPair { key: "settings/theme".into(), value: self.scan().text };
        compare("kv_set of one short string", "", 20, async || self.core.key_value.set_all(vec![pair()]).await.unwrap(), || {
            let pair = pair();
            self.raw
                .prepare_cached("INSERT INTO key_value (key, value, checksum) VALUES (?1, ?2, 7) ON CONFLICT (key) DO UPDATE SET value = excluded.value")
                .unwrap()
                .execute([pair.key, pair.value])
                .unwrap();
        })
        .await;
        let key = || "settings/theme".to_owned();
        compare(
            "kv_get of one short string",
            "",
            50,
            async || drop(black_box(self.core.key_value.find(key()).await.unwrap())),
            || {
                let value: String = self
                    .raw
                    .prepare_cached("SELECT value FROM key_value WHERE key = ?1")
                    .unwrap()
                    .query_row([key()], |row| row.get(0))
                    .unwrap();
                black_box(value);
            },
        )
        .await;
    }

    async fn rating(&self, votes: usize, label: &str) {
        let code = QrHash([0xc0; 32]);
        for start in (0..votes).step_by(10_000) {
            let batch = (start..votes.min(start + 10_000)).map(|number| NewVote {
                code: CodeRef::Hash { qr_hash: code },
                choice: if number % 5 == 0 { VoteChoice::Unsafe } else { VoteChoice::Safe },
                user_id: Some(format!("user {number}")),
                voted_at: None,
            });
            self.core.votes.submit_all(batch.collect()).await.unwrap();
        }
        self.raw
            .execute(
                "INSERT INTO subjects (prefix, hash, tally, own, checksum) VALUES (?1, ?2, zeroblob(128), 1, 7)",
                params![code.prefix(), code.0],
            )
            .unwrap();
        let code_ref = || CodeRef::Hash { qr_hash: code };
        compare(
            label,
            "≤ 2",
            50,
            async || drop(black_box(self.core.ratings.rating(code_ref()).await.unwrap())),
            || {
                let row = self
                    .raw
                    .prepare_cached(
                        "SELECT id, hash, host_hash, tally, own, checksum FROM subjects WHERE prefix = ?1 AND hash = ?2",
                    )
                    .unwrap()
                    .query_row(params![code.prefix(), code.0], |row| {
                        Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(3)?))
                    })
                    .unwrap();
                black_box(row);
            },
        )
        .await;
        let mut number = 0;
        let mut voter = || {
            number += 1;
            format!("another {number}")
        };
        let start = Instant::now();
        for _ in 0..200 {
            let vote = NewVote { code: code_ref(), choice: VoteChoice::Safe, user_id: Some(voter()), voted_at: None };
            self.core.votes.submit(vote).await.unwrap();
        }
        println!("{:<46}{:>12}", label.replace("rating", "submit_vote"), micros(start.elapsed().as_secs_f64() / 200.0));
    }
}

/// The tables of a core, in a database of its own.
fn peer(directory: &Path) -> Connection {
    let model = Connection::open(directory.join("safescan.db")).unwrap();
    let mut statement =
        model.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'").unwrap();
    let sql: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let raw = Connection::open(directory.join("peer.db")).unwrap();
    raw.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA cache_size = -1024;",
    )
    .unwrap();
    raw.execute_batch(&sql.join(";")).unwrap();
    raw
}

async fn compare<F: Future<Output = ()>>(
    label: &str,
    target: &str,
    times: u32,
    ours: impl Fn() -> F,
    theirs: impl Fn(),
) {
    let (mut own, mut raw, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for block in 0..=BLOCKS {
        let start = Instant::now();
        for _ in 0..times {
            ours().await;
        }
        let mine = start.elapsed().as_secs_f64() / f64::from(times);
        let start = Instant::now();
        (0..times).for_each(|_| theirs());
        let other = start.elapsed().as_secs_f64() / f64::from(times);
        // The first block warms both up.
        if block > 0 {
            own.push(mine);
            raw.push(other);
            ratios.push(mine / other);
        }
    }
    print(label, target, own, raw, ratios);
}

fn print(label: &str, target: &str, ours: Vec<f64>, theirs: Vec<f64>, ratios: Vec<f64>) {
    let ratio = median(ratios);
    println!("{label:<46}{:>12}{:>12}{ratio:>8.2}  {target}", micros(median(ours)), micros(median(theirs)));
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

fn micros(seconds: f64) -> String {
    format!("{:.1} µs", seconds * 1e6)
}
