//! Loads a server, tells how fast and how large it is, kills it amid all that, and looks whether anything is lost.
//!
//! It starts the server itself, on a directory of its own, and speaks to it over plain sockets with as little work as
//! possible: both share the machine. `scripts/bench-server` runs it.
#![allow(clippy::disallowed_methods, reason = "a program of its own: it has no clock injected")]

mod device;
mod figures;
mod server;
mod wire;

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use self::{
    device::Device,
    figures::{Latencies, row},
    server::Server,
};

/// Any failure; the text says it.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Operations in a request of a device that catches up.
const BATCH: usize = 50;
/// How long load goes on before the server is killed amid it.
const BEFORE_KILL: Duration = Duration::from_secs(3);

struct Options {
    server: PathBuf,
    data: PathBuf,
    connections: usize,
    sockets: usize,
    seconds: u64,
}

fn main() -> ExitCode {
    let run = options().and_then(|options| {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(run(options))
    });
    match run {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            let _ = writeln!(io::stderr(), "safescan-load: {why}");
            ExitCode::FAILURE
        }
    }
}

fn options() -> Result<Options> {
    use lexopt::prelude::*;
    let mut parser = lexopt::Parser::from_env();
    let mut options =
        Options { server: PathBuf::new(), data: PathBuf::new(), connections: 64, sockets: 2_000, seconds: 10 };
    while let Some(argument) = parser.next()? {
        match argument {
            Long("server") => options.server = parser.value()?.into(),
            Long("data") => options.data = parser.value()?.into(),
            Long("connections") => options.connections = parser.value()?.parse()?,
            Long("sockets") => options.sockets = parser.value()?.parse()?,
            Long("seconds") => options.seconds = parser.value()?.parse()?,
            other => return Err(other.unexpected().into()),
        }
    }
    if options.server.as_os_str().is_empty() || options.data.as_os_str().is_empty() {
        return Err("wants --server PROGRAM and --data DIR [--connections N] [--sockets N] [--seconds N]".into());
    }
    Ok(options)
}

async fn run(options: Options) -> Result<()> {
    let mut server = Server::start(&options.server, &options.data).await?;
    let mut devices: Vec<Device> = (0..options.connections).map(Device::new).collect();
    let time = Duration::from_secs(options.seconds);

    // First, for what the load has used and given back would hide what sockets take.
    sockets(&server, &options).await?;

    let (commits, _) = server.commits().await?;
    let (back, latencies, elapsed) = load(&server, devices, 1, time, false).await?;
    devices = back;
    let (commits_after, _) = server.commits().await?;
    latencies.print(&format!("one vote a request, {} connections", options.connections), 1, elapsed)?;
    let per_commit = count(latencies.requests()) / count(usize::try_from(commits_after - commits)?.max(1));
    row("  requests that shared a wait for the disk", &format!("{per_commit:.1}"))?;

    let used = server.processor_micros()?;
    let (back, latencies, elapsed) = load(&server, devices, BATCH, time, false).await?;
    devices = back;
    latencies.print(&format!("{BATCH} votes a request, {} connections", options.connections), BATCH, elapsed)?;
    let used = usize::try_from(server.processor_micros()? - used)?;
    let each = count(used) / count((latencies.requests() * BATCH).max(1));
    row("  processor time of a vote", &format!("{each:.0} µs"))?;

    let killer = async {
        tokio::time::sleep(BEFORE_KILL).await;
        server.kill().await
    };
    let (loaded, killed) = tokio::join!(load(&server, devices, BATCH, Duration::from_secs(60), true), killer);
    killed?;
    devices = loaded?.0;
    let begun = Instant::now();
    server = server.again().await?;
    row("restart after kill -9", &format!("{} ms", begun.elapsed().as_millis()))?;
    let acknowledged: usize = devices.iter().map(Device::acknowledged).sum();
    for device in &devices {
        device.expect_all(server.address()).await?;
    }
    row("acknowledged votes, kill -9 under load, lost", &format!("{acknowledged}, 0"))
}

/// Lets all devices send for a while. If `until_cut`, a lost connection is the end and no error.
async fn load(
    server: &Server,
    devices: Vec<Device>,
    batch: usize,
    time: Duration,
    until_cut: bool,
) -> Result<(Vec<Device>, Latencies, Duration)> {
    let over = Arc::new(AtomicBool::new(false));
    let begun = Instant::now();
    let address = server.address().to_owned();
    let tasks: Vec<_> = devices
        .into_iter()
        .map(|device| tokio::spawn(device.send_until(address.clone(), batch, Arc::clone(&over), until_cut)))
        .collect();
    let timer = tokio::spawn(async move {
        tokio::time::sleep(time).await;
        over.store(true, Relaxed);
    });
    let (mut back, mut latencies) = (Vec::new(), Latencies::default());
    for task in tasks {
        let (device, own) = task.await??;
        back.push(device);
        latencies.add(own);
    }
    timer.abort();
    Ok((back, latencies, begun.elapsed()))
}

/// Opens many sockets on one topic: what each costs, and how long it takes to tell them all.
async fn sockets(server: &Server, options: &Options) -> Result<()> {
    let before = server.resident_kib()?;
    let mut sockets = Vec::with_capacity(options.sockets);
    for number in 0..options.sockets {
        sockets.push(wire::Socket::open(server.address(), &format!("listener-{number}"), "aaaa").await?);
    }
    let cost = count(usize::try_from(server.resident_kib()?.saturating_sub(before))?) / count(options.sockets.max(1));
    row(&format!("memory of each of {} sockets", options.sockets), &format!("{cost:.1} KiB"))?;
    let begun = Instant::now();
    let telling: Vec<_> = sockets
        .into_iter()
        .map(|mut socket| tokio::spawn(async move { socket.frame().await.map(|_| socket) }))
        .collect();
    device::vote_on_topic(server.address()).await?;
    let mut kept = Vec::new();
    for task in telling {
        kept.push(task.await??);
    }
    row("  one vote told to all of them", &format!("{} ms", begun.elapsed().as_millis()))
}

/// Exact up to 2^52, which nothing here comes near.
#[expect(clippy::cast_precision_loss, reason = "see above")]
fn count(number: usize) -> f64 {
    number as f64
}
