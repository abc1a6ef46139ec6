//! What cores hold while they sleep, seen from the system: no file, no lock, no socket and no timer, whatever was under
//! way with a real server; and that nothing is lost by it. `scripts/suspend` runs many cycles.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test that cannot go on must stop"
)]
#![cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]

#[path = "../../core/tests/support/held.rs"]
mod held;

use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use held::{Held, Waits, at_rest};
use safescan_core::{
    clock::{Clock, SystemClock},
    config::{Config, SyncConfig},
    engine::Core,
    model::{CodeRef, Event, NewVote, VoteChoice, VoteOutcome},
};

/// Enough that every stage of a connection and of a run is met, and done in seconds.
const CYCLES: usize = 40;
/// Every so many cycles everything is waited for; in between the cores go to sleep wherever they are.
const WHOLE: usize = 4;
/// Whatever is waited for here comes, and long before this.
const GUARD: Duration = Duration::from_secs(60);
/// Neither the one server nor the two phones are held up by limits.
const CONFIG: &str = "
[requests]
min_interval_ms = 0
address = { per_second = 100000, burst = 100000 }
account = { per_second = 100000, burst = 100000 }
voter = { per_second = 100000, burst = 100000 }
[votes]
voter_per_minute = 0
account_per_minute = 0
changes_per_code = 0
voter_per_day = 0
account_per_day = 0
";

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn start_server(directory: &Path) -> (Server, String) {
    let config = directory.join("config.toml");
    fs::write(&config, CONFIG).unwrap();
    let mut process = Command::new(env!("CARGO_BIN_EXE_safescan-server"))
        .args(["--listen", "127.0.0.1:0", "--data"])
        .arg(directory.join("data"))
        .arg("--config")
        .arg(config)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let url = line.trim().strip_prefix("listening on ").expect("the server's first line").to_owned();
    (Server(process), url)
}

async fn phone(directory: &Path, url: &str) -> Arc<Core> {
    let sync = SyncConfig { allow_plain_loopback: true, ..SyncConfig::new(url) };
    let config =
        Config { sync: Some(sync), votes_per_minute: Some(10_000), ..Config::new(directory.to_str().unwrap()) };
    Core::open(config).await.unwrap()
}

fn code(number: usize) -> String {
    format!("https://shop-{number}.example/menu")
}

async fn vote(core: &Core, number: usize) {
    let outcome = core.votes.submit(NewVote::of(code(number), VoteChoice::Safe)).await.unwrap();
    assert!(matches!(outcome, VoteOutcome::Accepted { .. }), "{outcome:?}");
}

/// Waits until a watching core is told of the one vote on this code.
async fn told(core: &Core, number: usize) {
    let hash = CodeRef::text(code(number));
    let CodeRef::Text { text } = &hash else { unreachable!("made of a text") };
    let hash = safescan_core::qr::hash_text(text);
    let wait = async {
        loop {
            for event in core.next_events(100).await.unwrap() {
                match event {
                    Event::RatingChanged { rating } if rating.qr_hash == hash && rating.total_votes == 1 => return,
                    _ => {}
                }
            }
        }
    };
    tokio::time::timeout(GUARD, wait).await.expect("the vote comes");
}

#[tokio::test(flavor = "multi_thread")]
async fn asleep_nothing_is_held_and_nothing_is_lost() {
    let cycles = env::var("SAFESCAN_CYCLES").map_or(CYCLES, |text| text.parse().expect("a number of cycles"));
    let (servers, phones) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (_server, url) = start_server(servers.path());
    let ann = phone(&phones.path().join("ann"), &url).await;
    let bob = phone(&phones.path().join("bob"), &url).await;
    // Launched in the background.
    tokio::try_join!(ann.suspend(), bob.suspend()).unwrap();
    assert_eq!(Held::now(phones.path()).await, Held::default(), "launched in the background");

    let clock = SystemClock::new();
    let mut took = Vec::new();
    for cycle in 0..cycles {
        let whole = cycle % WHOLE == 0;
        let watched = CodeRef::text(code(cycle));
        if whole {
            // What is done meanwhile, without opening anything for longer than it takes.
            bob.ratings.watch(std::slice::from_ref(&watched)).unwrap();
            vote(&ann, cycle).await;
            assert_eq!(Held::now(phones.path()).await, Held::default(), "after calls in cycle {cycle}");
        }
        tokio::try_join!(ann.resume(), bob.resume()).unwrap();
        let mut looking = None;
        if whole {
            told(&bob, cycle).await;
            bob.ratings.rating(watched.clone()).await.unwrap();
            let awake = Held::now(phones.path()).await;
            assert!(awake.files > 0 && awake.locks > 0 && awake.sockets > 1 && awake.timers > 0, "{awake:?}");
            bob.ratings.unwatch(&[watched]).unwrap();
        } else {
            // A run begins, links are opened, look-ups are made: each cycle is left at another moment.
            vote(&ann, cycle).await;
            bob.ratings.watch(std::slice::from_ref(&watched)).unwrap();
            let core = Arc::clone(&bob);
            looking = Some(tokio::spawn(async move { core.ratings.rating(CodeRef::text(code(0))).await }));
            for _ in 0..cycle % 100 {
                tokio::task::yield_now().await;
            }
            bob.ratings.unwatch(&[watched]).unwrap();
        }
        let start = clock.monotonic();
        let asleep = async |core: &Core| {
            core.suspend().await.unwrap();
            clock.monotonic() - start
        };
        let (ann_took, bob_took) = tokio::join!(asleep(&ann), asleep(&bob));
        took.extend([ann_took, bob_took]);
        if let Some(looking) = looking {
            // It may have opened files for its own duration.
            looking.await.unwrap().unwrap();
        }
        assert_eq!(Held::now(phones.path()).await, Held::default(), "in cycle {cycle}");
        if cycle % 100 == 99 {
            eprint!("\r{} of {cycles} cycles", cycle + 1);
        }
    }
    // Threads that the runtimes do not need any more have ended a second after: then no timer at all is set.
    at_rest(|threads| threads.iter().all(|waits| *waits == Waits::ForEver)).await;

    tokio::try_join!(ann.resume(), bob.resume()).unwrap();
    let settled = async { while ann.sync.now().await.map_or(true, |report| report.waiting > 0) {} };
    tokio::time::timeout(GUARD, settled).await.expect("everything is sent");
    assert_eq!(ann.operations.page(10, None).await.unwrap().operations, []);
    // Somebody who has nothing in memory.
    let eve = phone(&phones.path().join("eve"), &url).await;
    for cycle in (0..cycles).rev().take(200) {
        let rating = eve.ratings.rating(CodeRef::text(code(cycle))).await.unwrap();
        assert_eq!((rating.safe_votes, rating.total_votes), (1, 1), "the vote of cycle {cycle}");
    }
    tokio::try_join!(ann.shutdown(), bob.shutdown(), eve.shutdown()).unwrap();
    took.sort_unstable();
    let part = |hundredths: usize| took[(took.len() - 1) * hundredths / 100];
    let (p50, p99, max) = (part(50), part(99), part(100));
    println!("with a server, two cores suspended {cycles} times: p50 {p50} ms, p99 {p99} ms, max {max} ms, held 0");
}
