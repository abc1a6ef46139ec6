//! What this process holds of the system's: files, locks, sockets and timers, as the system itself tells.
#![allow(dead_code, reason = "each test takes what it needs")]

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

/// Whatever is waited for here comes, and long before this.
const GUARD: Duration = Duration::from_secs(60);

/// What every open file of this process leads to.
fn open_files() -> impl Iterator<Item = PathBuf> {
    let links = fs::read_dir("/proc/self/fd").expect("a Linux system");
    links.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
}

/// The open files below a directory.
pub(crate) fn open_files_below(directory: &Path) -> Vec<String> {
    let directory = directory.canonicalize().expect("the directory exists");
    let below = open_files().filter(|target| target.starts_with(&directory));
    below.map(|target| target.to_string_lossy().into_owned()).collect()
}

/// Locks on whatever file.
pub(crate) fn locks() -> usize {
    let mine = std::process::id().to_string();
    let table = fs::read_to_string("/proc/locks").expect("a Linux system");
    // A line that waits for another has an arrow in front of its kind.
    table.lines().filter(|line| line.split_whitespace().filter(|word| *word != "->").nth(4) == Some(&mine)).count()
}

/// The other end's port of every TCP socket.
pub(crate) fn sockets() -> Vec<u16> {
    let name = |target: PathBuf| Some(target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned());
    let mine: Vec<String> = open_files().filter_map(name).collect();
    let mut ports = Vec::new();
    for table in ["/proc/self/net/tcp", "/proc/self/net/tcp6"] {
        for line in fs::read_to_string(table).unwrap_or_default().lines().skip(1) {
            let fields: Vec<_> = line.split_whitespace().collect();
            let port = fields[2].rsplit(':').next().and_then(|port| u16::from_str_radix(port, 16).ok());
            if mine.iter().any(|inode| inode == fields[9]) {
                ports.push(port.expect("a port"));
            }
        }
    }
    ports
}

/// What a thread waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waits {
    /// For something to happen, however long that takes.
    ForEver,
    /// For something to happen or a timer of the runtime.
    Timer,
    /// For work, and if none comes for its end: a thread that the runtime does not need just now.
    LastWork,
    /// For nothing: it works.
    No,
}

/// What each thread of the cores waits for. Nothing on a processor whose system calls are not known here.
pub(crate) fn threads() -> Vec<Waits> {
    let Ok(threads) = fs::read_dir("/proc/self/task") else { return Vec::new() };
    // A thread that ends meanwhile is none.
    let text = |path: PathBuf, file: &str| fs::read_to_string(path.join(file)).unwrap_or_default();
    let ours = threads.filter_map(|thread| Some(thread.ok()?.path())).filter(|path| {
        let name = text(path.clone(), "comm");
        name.starts_with("safescan")
    });
    ours.map(|path| waits(&text(path, "syscall"))).collect()
}

/// From the number of a system call and its arguments.
fn waits(call: &str) -> Waits {
    let mut words = call.split_whitespace();
    let number = words.next().unwrap_or_default();
    let arguments: Vec<u64> = words.map_while(|word| u64::from_str_radix(word.strip_prefix("0x")?, 16).ok()).collect();
    let [futex, waits @ ..] = CALLS;
    if number == futex {
        if arguments[3] == 0 { Waits::ForEver } else { Waits::LastWork }
    } else if waits.contains(&number) {
        // The time in milliseconds is an `int`; -1 is for ever.
        if arguments[3] & 0xffff_ffff == 0xffff_ffff { Waits::ForEver } else { Waits::Timer }
    } else {
        Waits::No
    }
}

/// `futex`, and the calls that wait for events.
#[cfg(target_arch = "x86_64")]
const CALLS: [&str; 3] = ["202", "232", "281"];
#[cfg(target_arch = "aarch64")]
const CALLS: [&str; 2] = ["98", "22"];
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const CALLS: [&str; 1] = [""];

/// Waits until every thread of the cores waits for something, and `enough` of what for.
pub(crate) async fn at_rest(enough: impl Fn(&[Waits]) -> bool) -> Vec<Waits> {
    let wait = async {
        loop {
            let threads = threads();
            if !threads.contains(&Waits::No) && enough(&threads) {
                return threads;
            }
            // The last of its work, a few steps, may be before it.
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(GUARD, wait).await.expect("threads come to rest")
}

/// How much is held.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) files: usize,
    pub(crate) locks: usize,
    pub(crate) sockets: usize,
    pub(crate) timers: usize,
}

impl Held {
    /// Of files those below `directory`, and everything else. Threads that are about to end, as nobody needs them, have a
    /// last timer of a second, which is not counted.
    pub(crate) async fn now(directory: &Path) -> Self {
        Self {
            files: open_files_below(directory).len(),
            locks: locks(),
            sockets: sockets().len(),
            timers: at_rest(|_| true).await.iter().filter(|waits| **waits == Waits::Timer).count(),
        }
    }
}
