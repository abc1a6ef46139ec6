//! A driven phone: a process that reads commands and writes answers and events.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Child, ChildStdin, Command, Stdio},
    thread,
};

use safescan_core::voting::IdentityKey;
use serde_json::Value;

use crate::Failure;

/// A phone, running or not.
pub struct Driven {
    /// What it is called.
    pub name: String,
    /// Its token at the server.
    pub token: String,
    /// What makes its voters anonymous.
    pub identity: IdentityKey,
    /// What it has said since it was first started.
    pub seen: Seen,
    /// What a shell runs; options are appended.
    command: String,
    directory: PathBuf,
    server: String,
    life: u32,
    process: Option<Process>,
}

/// What a phone has said.
#[derive(Default)]
pub struct Seen {
    /// The state and cause of each part, as of the last event.
    pub health: BTreeMap<String, (String, String)>,
    /// Votes for safe and unsafe by code, as of the last event.
    pub ratings: BTreeMap<String, (u64, u64)>,
    /// How often each event came.
    pub events: BTreeMap<String, u32>,
    /// Changes that were parked, by the reason.
    pub parked: BTreeMap<String, u32>,
    /// Runs of synchronisation that failed.
    pub failed_runs: u32,
}

struct Process {
    child: Child,
    input: ChildStdin,
    is_ready: bool,
    is_killed: bool,
    /// Commands without an answer.
    open: BTreeSet<u64>,
}

impl Seen {
    /// Changes parked because they can never be taken, and those parked for another token only: these go on by themselves
    /// once it is given.
    #[must_use]
    pub fn parked(&self) -> (u32, u32) {
        let for_token = self.parked.get("Auth").copied().unwrap_or(0);
        (self.parked.values().sum::<u32>() - for_token, for_token)
    }
}

impl Driven {
    /// A phone that was never started. Its number makes its identity.
    #[must_use]
    pub fn new(name: &str, command: &str, directory: PathBuf, server: &str, number: u8) -> Self {
        Self {
            name: name.to_owned(),
            token: format!("token-of-{name}"),
            identity: IdentityKey::from_slice(&[number + 1; IdentityKey::BYTES]).expect("it is as long as that"),
            seen: Seen::default(),
            command: command.to_owned(),
            directory,
            server: server.to_owned(),
            life: 0,
            process: None,
        }
    }

    /// How often it was started.
    #[must_use]
    pub fn life(&self) -> u32 {
        self.life
    }

    /// Whether its process is there.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.process.is_some()
    }

    /// Whether it takes commands.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.process.as_ref().is_some_and(|process| process.is_ready && !process.is_killed)
    }

    /// How a part was when it was last heard of.
    #[must_use]
    pub fn state_of(&self, part: &str) -> Option<(&str, &str)> {
        self.seen.health.get(part).map(|(state, cause)| (state.as_str(), cause.as_str()))
    }

    pub(super) fn launch(&mut self, hear: impl Fn(u32, Option<Value>) + Send + 'static) -> Result<(), Failure> {
        fs::create_dir_all(&self.directory)?;
        let digits: String = self.identity.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        let mut child = Command::new("bash")
            .args(["-c", &format!("exec {} \"$@\"", self.command), "phone", "--drive", "--directory"])
            .arg(&self.directory)
            .args(["--server", &self.server, "--identity", &digits, "--token", &self.token])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()?;
        let input = child.stdin.take().ok_or("the phone has no input")?;
        let output = child.stdout.take().ok_or("the phone has no output")?;
        self.life += 1;
        self.seen.health.clear();
        self.process = Some(Process { child, input, is_ready: false, is_killed: false, open: BTreeSet::new() });
        let life = self.life;
        thread::spawn(move || {
            for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
                // A build tool's lines, and the line that a kill cut off, are passed over.
                if let Ok(line) = serde_json::from_slice(&line) {
                    hear(life, Some(line));
                }
            }
            hear(life, None);
        });
        Ok(())
    }

    pub(super) fn write(&mut self, id: u64, command: &Value) -> Result<(), Failure> {
        let process = self.process.as_mut().ok_or_else(|| format!("the {} phone does not run", self.name))?;
        process.open.insert(id);
        writeln!(process.input, "{command}")?;
        Ok(process.input.flush()?)
    }

    pub(super) fn kill(&mut self) -> Result<(), Failure> {
        let process = self.process.as_mut().ok_or_else(|| format!("the {} phone does not run", self.name))?;
        process.is_killed = true;
        kill_group(&process.child)
    }

    pub(super) fn answered(&mut self, id: u64) {
        if let Some(process) = &mut self.process {
            process.open.remove(&id);
        }
    }

    /// Takes note of an event; whether it says anything that the one before did not.
    pub(super) fn note(&mut self, line: &Value) -> bool {
        let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
        let (event, mut is_news) = (text("event"), true);
        match event.as_str() {
            "Ready" => {
                if let Some(process) = &mut self.process {
                    process.is_ready = true;
                }
            }
            "OperationParked" => *self.seen.parked.entry(text("reason")).or_default() += 1,
            "HealthChanged" => {
                self.seen.health.insert(text("service"), (text("state"), text("cause")));
            }
            "RatingChanged" => {
                let count = |name: &str| line[name].as_u64().unwrap_or_default();
                let counts = (count("safe"), count("unsafe"));
                is_news = self.seen.ratings.insert(text("text"), counts) != Some(counts);
            }
            "Log" => {
                self.seen.failed_runs += u32::from(text("text").starts_with("a run failed"));
                return false;
            }
            _ => {}
        }
        *self.seen.events.entry(event).or_default() += 1;
        is_news
    }

    /// Its output has ended: the commands that it never answered. An end that nobody wanted is an error.
    pub(super) fn ended(&mut self) -> Result<BTreeSet<u64>, Failure> {
        let Some(mut process) = self.process.take() else { return Ok(BTreeSet::new()) };
        let status = process.child.wait()?;
        match process.is_killed || (status.success() && process.open.is_empty()) {
            true => Ok(process.open),
            false => Err(format!("the {} phone ended by itself, with {status}", self.name).into()),
        }
    }
}

/// Nothing outlives its director.
impl Drop for Driven {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let _ = kill_group(&process.child);
            let _ = process.child.wait();
        }
    }
}

/// The whole group: a phone may be started by a script.
pub(super) fn kill_group(child: &Child) -> Result<(), Failure> {
    Command::new("kill").args(["-KILL", "--", &format!("-{}", child.id())]).stderr(Stdio::null()).status()?;
    Ok(())
}
