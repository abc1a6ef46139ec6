//! One phone: a process that is watched, and perhaps killed and started again.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use indicatif::ProgressBar;
use serde_json::Value;

use crate::Failure;

pub(crate) struct Phone {
    pub(crate) name: String,
    /// What a shell runs; the options are appended.
    pub(crate) command: String,
    pub(crate) directory: PathBuf,
    pub(crate) payloads: PathBuf,
    pub(crate) now: u128,
    /// Kill it once so many payloads are done.
    pub(crate) kill_after: Option<usize>,
}

/// What a phone saw.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) scans: usize,
    pub(crate) pages: usize,
    pub(crate) not_votable: usize,
    pub(crate) wrong_kinds: usize,
    pub(crate) intact: bool,
    /// By payload: votes and bits, as printed.
    pub(crate) ratings: BTreeMap<u64, String>,
    pub(crate) kill: Option<Kill>,
    pub(crate) seconds: f64,
}

/// How a phone was killed.
pub(crate) struct Kill {
    /// Payloads it had said were done.
    pub(crate) acknowledged: usize,
    /// Scans that it found again.
    pub(crate) resumed_at: usize,
}

impl Phone {
    pub(crate) fn run(&self, bar: &ProgressBar) -> Result<Report, Failure> {
        fs::remove_dir_all(&self.directory).or_else(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Ok(()),
            _ => Err(error),
        })?;
        fs::create_dir_all(&self.directory)?;

        let mut acknowledged = None;
        if let Some(kill_after) = self.kill_after {
            acknowledged = Some(self.watch_until_killed(bar, kill_after)?);
        }
        let mut report = self.watch(bar)?;
        if let Some(acknowledged) = acknowledged {
            let resumed_at = report.kill.take().map_or(0, |kill| kill.resumed_at);
            report.kill = Some(Kill { acknowledged, resumed_at });
        } else {
            report.kill = None;
        }
        report.seconds = bar.elapsed().as_secs_f64();
        bar.finish_with_message(format!("done in {:.1} s", report.seconds));
        Ok(report)
    }

    /// Kills the phone in the middle; how many payloads it had said were done.
    fn watch_until_killed(&self, bar: &ProgressBar, kill_after: usize) -> Result<usize, Failure> {
        let mut child = self.start()?;
        let mut done = 0;
        for line in lines(&mut child)? {
            if line?.get("done").is_some() {
                done += 1;
                bar.set_position(done);
                if usize::try_from(done)? == kill_after {
                    // The whole group: a phone may be started by a script.
                    Command::new("kill").args(["-KILL", "--", &format!("-{}", child.id())]).status()?;
                    bar.set_message("killed; starting it again");
                }
            }
        }
        if child.wait()?.success() {
            return Err(format!("{} ended before it could be killed", self.name).into());
        }
        Ok(usize::try_from(done)?)
    }

    /// Watches the phone to its end.
    fn watch(&self, bar: &ProgressBar) -> Result<Report, Failure> {
        let mut child = self.start()?;
        let mut report = Report::default();
        let mut summary = false;
        for line in lines(&mut child)? {
            let line = line?;
            let number = |name: &str| line[name].as_u64().unwrap_or_default();
            let count = |name: &str| usize::try_from(number(name)).unwrap_or_default();
            if line.get("done").is_some() {
                bar.set_position(number("done") + 1);
            } else if line.get("rating").is_some() {
                let bits = |name: &str| line[name].as_str().unwrap_or("?").to_owned();
                let seen = [bits("confidence"), bits("lower"), bits("upper")].join(" ");
                report.ratings.insert(number("rating"), format!("{}:{} {seen}", number("safe"), number("unsafe")));
            } else if line.get("summary").is_some() {
                summary = true;
                report.scans = count("scans");
                report.pages = count("pages");
                report.not_votable = count("notVotable");
                report.wrong_kinds = count("wrongKinds");
                report.intact = line["intact"] == true;
                report.kill = Some(Kill { acknowledged: 0, resumed_at: count("resumedAt") });
            }
        }
        let status = child.wait()?;
        if !status.success() || !summary {
            return Err(format!("{} ended with {status} and without a summary", self.name).into());
        }
        Ok(report)
    }

    fn start(&self) -> Result<Child, Failure> {
        let command = format!("exec {} \"$@\"", self.command);
        let child = Command::new("bash")
            .args(["-c", &command, "phone", "--directory"])
            .arg(&self.directory)
            .arg("--payloads")
            .arg(&self.payloads)
            .args(["--now", &self.now.to_string()])
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()?;
        Ok(child)
    }
}

/// What the phone prints, a JSON value a line; other lines (a build tool's, say) are passed over.
fn lines(child: &mut Child) -> Result<impl Iterator<Item = Result<Value, Failure>> + use<>, Failure> {
    let out = child.stdout.take().ok_or("the phone has no output")?;
    Ok(BufReader::new(out).lines().filter_map(|line| match line {
        Ok(line) => serde_json::from_str(&line).ok().map(Ok),
        Err(error) => Some(Err(error.into())),
    }))
}
