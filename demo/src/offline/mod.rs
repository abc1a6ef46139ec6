//! The first act: the phones work side by side without a server, one is killed in the middle, and what they saw is compared.

mod phone;
mod table;

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use self::phone::{Phone, Report};
use crate::Failure;

/// How far ahead of the clock the newest votes are dated. Ratings count as made then, so that all phones agree; a vote may
/// be five minutes ahead at the most, and the phones must be done before that moment comes.
const AHEAD: Duration = Duration::from_secs(4 * 60);

/// What the act needs.
pub struct Options {
    /// The codes, a JSON object a line.
    pub payloads: PathBuf,
    /// Where the phones keep their files.
    pub directory: PathBuf,
    /// Which phone is killed.
    pub kill: String,
    /// Names and commands.
    pub phones: Vec<(String, String)>,
}

/// Plays it; whether all agree and nothing was lost.
///
/// # Errors
/// A phone fails.
pub fn play(options: &Options) -> Result<bool, Failure> {
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
