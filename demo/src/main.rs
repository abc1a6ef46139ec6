//! Lets the phones work side by side, kills one in the middle, and compares what they saw.
//!
//! `safescan-demo --payloads FILE --directory DIR --kill NAME --phone NAME=COMMAND…`

mod phone;
mod table;

use std::{
    collections::BTreeMap,
    error::Error,
    fs,
    path::PathBuf,
    process::ExitCode,
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::phone::{Phone, Report};

/// How far ahead of the clock the newest votes are dated. Ratings count as made then, so that all phones agree; a vote may
/// be five minutes ahead at the most, and the phones must be done before that moment comes.
const AHEAD: Duration = Duration::from_secs(4 * 60);

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<bool, Box<dyn Error>> {
    let options = Options::parse()?;
    let payloads = fs::read_to_string(&options.payloads)?.lines().count();
    let start = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let now = (start + AHEAD).as_millis();

    let bars = MultiProgress::new();
    let style = ProgressStyle::with_template("{prefix:>10} {bar:40} {pos:>4}/{len} {msg}")?;
    let workers: Vec<_> = options
        .phones
        .iter()
        .map(|(name, command)| {
            let bar = bars.add(ProgressBar::new(u64::try_from(payloads).unwrap_or_default()));
            bar.set_style(style.clone());
            bar.set_prefix(name.clone());
            bar.tick();
            let phone = Phone {
                name: name.clone(),
                command: command.clone(),
                directory: options.directory.join(name),
                payloads: options.payloads.clone(),
                now,
                kill_after: (*name == options.kill).then_some(payloads / 2),
            };
            thread::spawn(move || phone.run(&bar))
        })
        .collect();
    let mut reports = BTreeMap::new();
    for ((name, _), worker) in options.phones.iter().zip(workers) {
        let report = worker.join().map_err(|_| format!("the {name} phone's thread panicked"))?;
        reports.insert(name.clone(), report.map_err(|error| format!("the {name} phone: {error}"))?);
    }
    if SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() >= now {
        return Err("the phones took longer than four minutes: their ratings are of different moments".into());
    }
    table::print(&reports, payloads);
    Ok(agree(&reports, payloads))
}

/// Whether every phone kept everything and all came to the same ratings.
fn agree(reports: &BTreeMap<String, Report>, payloads: usize) -> bool {
    let Some(first) = reports.values().next() else { return false };
    let mut good = true;
    for (name, report) in reports {
        let mut check = |holds: bool, what: &str| {
            if !holds {
                println!("✗ {name}: {what}");
                good = false;
            }
        };
        check(report.scans == payloads, "scans are missing");
        check(report.wrong_kinds == 0, "codes were classified otherwise than the payloads say");
        check(report.intact, "the database is not intact");
        check(report.ratings == first.ratings, "its ratings differ");
        check(!report.ratings.is_empty(), "it rated nothing");
        if let Some(kill) = &report.kill {
            check(kill.resumed_at >= kill.acknowledged, "acknowledged scans were lost in the kill");
        }
    }
    if good {
        let ratings = first.ratings.len();
        println!("✓ {} phones, {ratings} ratings each, equal to the last bit", reports.len());
    }
    good
}

struct Options {
    payloads: PathBuf,
    directory: PathBuf,
    kill: String,
    phones: Vec<(String, String)>,
}

impl Options {
    fn parse() -> Result<Self, Box<dyn Error>> {
        let mut options =
            Self { payloads: PathBuf::new(), directory: PathBuf::new(), kill: String::new(), phones: Vec::new() };
        let mut arguments = std::env::args().skip(1);
        while let Some(name) = arguments.next() {
            let value = arguments.next().ok_or_else(|| format!("{name} wants a value"))?;
            match name.as_str() {
                "--payloads" => options.payloads = value.into(),
                "--directory" => options.directory = value.into(),
                "--kill" => options.kill = value,
                "--phone" => {
                    let (name, command) = value.split_once('=').ok_or("--phone wants NAME=COMMAND")?;
                    options.phones.push((name.into(), command.into()));
                }
                _ => return Err(format!("unknown option {name}").into()),
            }
        }
        if !options.phones.iter().any(|(name, _)| *name == options.kill) {
            return Err("--kill names no phone".into());
        }
        Ok(options)
    }
}
