//! Runs seed after seed, on several threads, and says which ones failed and how to see one again.

use std::{
    cell::RefCell,
    io::{IsTerminal, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex, Once,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use crate::{
    client::Client,
    plan::{Kind, Plan},
    world::{self, Report},
};

/// How many seeds a plain `cargo test` runs: some seconds' worth. `scripts/test` runs 5,000.
const SEEDS: u64 = 40;
/// Failures after which the rest is not run.
const ENOUGH: usize = 5;
/// One seed in so many is run twice, and must be the same run.
const TWICE: u64 = 16;
/// One seed in so many is compared with the same one without faults.
const COMPARED: u64 = 8;

/// What is to be run.
#[derive(Clone, Copy, Debug)]
struct Order {
    first: u64,
    count: u64,
    threads: usize,
    aloud: bool,
}

impl Order {
    fn from_environment() -> Self {
        let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let threads = number("SAFESCAN_JOBS").map_or(threads, |jobs| usize::try_from(jobs).unwrap_or(1).max(1));
        match number("SAFESCAN_SEED") {
            Some(first) => Self { first, count: 1, threads: 1, aloud: std::env::var("SAFESCAN_TRACE").is_ok() },
            None => {
                let first = number("SAFESCAN_FIRST_SEED").unwrap_or(0);
                Self { first, count: number("SAFESCAN_SEEDS").unwrap_or(SEEDS), threads, aloud: false }
            }
        }
    }
}

thread_local! {
    /// What a process-wide hook noted of panics, while a run is under way on this thread.
    static PANICS: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Panics in tasks are swallowed by the runtime: here they are kept.
fn watch_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let kept = PANICS.try_with(|panics| panics.borrow_mut().as_mut().map(|kept| kept.push(panic.to_string())));
            if !matches!(kept, Ok(Some(()))) || std::env::var("SAFESCAN_TRACE").is_ok() {
                usual(panic);
            }
        }));
    });
}

/// One run, with what panicked in it among the failures.
pub(crate) fn run<C: Client>(plan: &Plan, aloud: bool) -> Report {
    watch_panics();
    PANICS.with(|panics| *panics.borrow_mut() = Some(Vec::new()));
    let result = catch_unwind(AssertUnwindSafe(|| world::run::<C>(plan, aloud)));
    let panics = PANICS.with(|panics| panics.borrow_mut().take()).unwrap_or_default();
    match result {
        Ok(mut report) => {
            report.failures.extend(panics);
            report
        }
        Err(_) => Report { plan: format!("seed {}", plan.seed), failures: panics, ..Report::default() },
    }
}

/// One seed, and whatever is to be compared with it.
fn check<C: Client>(seed: u64, aloud: bool) -> Report {
    let plan = Plan::of(seed);
    let mut report = run::<C>(&plan, aloud);
    if !report.failures.is_empty() {
        return report;
    }
    if seed.is_multiple_of(TWICE) {
        let again = run::<C>(&plan, false);
        if (again.hash, again.lines) != (report.hash, report.lines) {
            let (one, two) = (report.lines, again.lines);
            report.failures.push(format!("the same seed made two different runs, of {one} and {two} lines"));
        }
    }
    if seed % COMPARED == 3 && matches!(plan.kind, Kind::Liveness | Kind::Safety) {
        let calm = run::<C>(&plan.without_faults(), false).traffic;
        let (with, without) = (report.traffic.undisturbed, calm.requests);
        // A phone that was killed looks around anew, which the calm one never had to.
        let allowance = 20 * plan.phones.len() as u64;
        if with > 2 * without + allowance {
            report.failures.push(format!("{with} requests, {without} without faults"));
        }
    }
    report
}

/// Runs what the environment asks for.
pub(crate) fn run_all<C: Client>() {
    let order = Order::from_environment();
    let begin = now();
    let (next, done) = (AtomicU64::new(order.first), AtomicU64::new(0));
    let (enough, over) = (AtomicBool::new(false), AtomicBool::new(false));
    let failed: Mutex<Vec<Report>> = Mutex::default();
    let slowest: Mutex<(Duration, u64)> = Mutex::default();
    let requests = AtomicU64::new(0);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..order.threads)
            .map(|_| {
                scope.spawn(|| {
                    while !enough.load(SeqCst) {
                        let seed = next.fetch_add(1, SeqCst);
                        if seed >= order.first + order.count {
                            break;
                        }
                        let started = now();
                        let report = check::<C>(seed, order.aloud);
                        let mut slowest = slowest.lock().unwrap();
                        *slowest = (*slowest).max((started.elapsed(), seed));
                        drop(slowest);
                        requests.fetch_add(report.traffic.requests, SeqCst);
                        done.fetch_add(1, SeqCst);
                        if order.count == 1 {
                            println!("{}: {:x}, {} lines", report.plan, report.hash, report.lines);
                            println!("{:?}, settled after {:?} ms", report.traffic, report.settled_ms);
                        }
                        if !report.failures.is_empty() {
                            tell(&report, order.aloud);
                            let mut failed = failed.lock().unwrap();
                            failed.push(report);
                            enough.store(failed.len() >= ENOUGH, SeqCst);
                        }
                    }
                })
            })
            .collect();
        let progress = scope.spawn(|| {
            while std::io::stderr().is_terminal() && !over.load(SeqCst) {
                show_progress(done.load(SeqCst), order.count, begin.elapsed());
                std::thread::park_timeout(Duration::from_millis(200));
            }
        });
        workers.into_iter().for_each(|worker| worker.join().expect("panics are caught"));
        over.store(true, SeqCst);
        progress.thread().unpark();
    });
    let (seconds, done) = (begin.elapsed().as_secs_f64(), done.into_inner());
    let (longest, seed) = slowest.into_inner().unwrap();
    println!(
        "{done} seeds in {seconds:.1} s on {} threads: {:.1} seeds/s; {} requests; the longest, {seed}, took {longest:.1?}",
        order.threads,
        done as f64 / seconds,
        requests.into_inner(),
    );
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{} of {done} seeds failed", failed.len());
}

#[expect(clippy::disallowed_methods, reason = "how fast seeds are run is measured by the real clock")]
fn now() -> Instant {
    Instant::now()
}

fn tell(report: &Report, aloud: bool) {
    let mut text = format!("\n{} FAILED\n", report.plan);
    report.failures.iter().for_each(|failure| text += &format!("  {failure}\n"));
    if !aloud {
        text += "  the last that happened:\n";
        report.tail.iter().rev().take(12).rev().for_each(|line| {
            text += &format!("    {}\n", line.chars().take(300).collect::<String>());
        });
    }
    let seed = report.plan.split(' ').nth(1).unwrap_or_default();
    println!("{text}  see it again: scripts/simulate --seed {seed} --trace");
}

fn show_progress(done: u64, of: u64, elapsed: Duration) {
    const WIDTH: u64 = 40;
    let filled = usize::try_from(done * WIDTH / of.max(1)).unwrap_or(0);
    let bar = "#".repeat(filled) + &".".repeat(usize::try_from(WIDTH).unwrap_or(0) - filled);
    let mut stderr = std::io::stderr();
    drop(write!(stderr, "\r[{bar}] {done}/{of} {:.0} s ", elapsed.as_secs_f64()).and_then(|()| stderr.flush()));
}

#[test]
fn seeds() {
    run_all::<crate::phone::Phone>();
}
