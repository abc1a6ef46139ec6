//! What a core holds while it sleeps: no file, no lock and no timer, whatever is called meanwhile, cycle after cycle under
//! load. The same with a server: `server/tests/suspend.rs`.
//! `scripts/suspend` runs many cycles and shows how long going to sleep takes.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test that cannot go on must stop"
)]
#![cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]

mod support;

use std::{
    env,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
};

use safescan_core::{
    clock::{Clock, SystemClock},
    config::Config,
    engine::Core,
    model::{CodeRef, KvPair, NewVote, ScanQuery, VoteChoice},
};
use support::{Phone, held::Held, link, new_scan, open_files_below};
use tokio::{sync::RwLock, task::JoinSet};

/// Enough that every way of calling meets every stage of a suspension, and done in seconds.
const CYCLES: u64 = 40;
/// Who calls all the time.
const CALLERS: usize = 8;

/// One call of the kind that this caller makes.
async fn call(core: &Core, caller: usize, number: usize) {
    let code = CodeRef::text(link(number));
    match caller {
        0 | 1 => drop(core.scans.record(new_scan(number)).await.unwrap()),
        2 => _ = core.votes.submit(NewVote::of(link(number), VoteChoice::Safe)).await.unwrap(),
        3 => drop(core.scans.page(ScanQuery::default()).await.unwrap()),
        4 => drop(core.ratings.rating(code).await.unwrap()),
        5 => {
            core.ratings.watch(std::slice::from_ref(&code)).unwrap();
            core.ratings.unwatch(&[code]).unwrap();
            _ = core.statistics().await.unwrap();
        }
        6 => core.key_value.set_all(vec![KvPair { key: "last".into(), value: number.to_string() }]).await.unwrap(),
        _ => drop(core.upkeep.usage().await.unwrap()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_called_meanwhile_nothing_stays_open() {
    let cycles = env::var("SAFESCAN_CYCLES").map_or(CYCLES, |text| text.parse().expect("a number of cycles"));
    let phone = Phone::new();
    let directory = phone.directory.path().to_owned();
    let config = Config { votes_per_minute: Some(10_000), ..phone.config() };
    let core = phone.open_with(config).await.unwrap();
    // As a process that the system launched in the background: asleep before it was ever awake.
    core.suspend().await.unwrap();
    assert_eq!(Held::now(&directory).await, Held::default(), "opened in the background");

    // Callers hold it for reading during a call: whoever holds it for writing knows that every call has ended.
    let gate = Arc::new(RwLock::new(()));
    let (done, calls) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let (core, gate, done, calls) = (Arc::clone(&core), Arc::clone(&gate), Arc::clone(&done), Arc::clone(&calls));
        callers.spawn(async move {
            for number in 0.. {
                if done.load(SeqCst) {
                    return;
                }
                let _open = gate.read().await;
                call(&core, caller, number).await;
                calls.fetch_add(1, SeqCst);
            }
        });
    }
    let clock = SystemClock::new();
    let mut took = Vec::new();
    for cycle in 1..=cycles {
        core.resume().await.unwrap();
        // Every third time at once.
        let enough = calls.load(SeqCst) + (cycle % 3) * 8;
        while calls.load(SeqCst) < enough {
            tokio::task::yield_now().await;
        }
        let start = clock.monotonic();
        core.suspend().await.unwrap();
        took.push(clock.monotonic() - start);
        let _closed = gate.write().await;
        assert_eq!(
            Held::now(&directory).await,
            Held::default(),
            "after the calls that met the suspension of cycle {cycle}"
        );
        // One after the other, each opens and closes.
        for caller in 0..CALLERS {
            call(&core, caller, usize::try_from(cycle).unwrap()).await;
            let open = open_files_below(&directory);
            assert_eq!(open, Vec::<String>::new(), "after call {caller} in cycle {cycle}");
        }
        if cycle % 500 == 0 {
            eprint!("\r{cycle} of {cycles} cycles");
        }
    }
    done.store(true, SeqCst);
    while let Some(ended) = callers.join_next().await {
        ended.unwrap();
    }
    core.shutdown().await.unwrap();
    took.sort_unstable();
    let part = |hundredths: usize| took[(took.len() - 1) * hundredths / 100];
    let (p50, p99, max) = (part(50), part(99), part(100));
    println!(
        "suspended {cycles} times under {} calls: p50 {p50} ms, p99 {p99} ms, max {max} ms, held 0",
        calls.load(SeqCst)
    );
}
