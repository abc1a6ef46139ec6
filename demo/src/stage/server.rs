//! The real server, as a process that can be killed and started again on the same data and port.

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use safescan_core::{
    model::QrHash,
    protocol::{CHANGES_PATH, Change, RATINGS_PATH, Rating, RatingsResponse, SyncResponse, read},
};

use super::{driven::kill_group, http};
use crate::Failure;

/// The token of whoever directs.
const DIRECTOR: &str = "token-of-the-director";

/// What the directed runs need. A real server asks devices to wait two seconds between runs and takes ten votes a minute of
/// one person: here hundreds of votes are to be on their way within seconds.
const CONFIG: &str = "\
[requests]
min_interval_ms = 20
address = { per_second = 100000, burst = 100000 }
account = { per_second = 100000, burst = 100000 }
voter = { per_second = 100000, burst = 100000 }

[votes]
voter_per_minute = 100000
account_per_minute = 100000
changes_per_code = 100000
voter_per_day = 100000
account_per_day = 100000

[auth]
mode = \"tokens\"
";

/// A server, running or not.
pub struct Server {
    program: PathBuf,
    directory: PathBuf,
    /// What goes wrong after the next start.
    faults: String,
    port: u16,
    child: Option<Child>,
    /// Operations it judged, by outcome, in the lives that are over.
    judged_before: Judged,
}

/// Operations by what became of them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Judged {
    /// They took effect.
    pub applied: u64,
    /// They came again, and were known.
    pub duplicate: u64,
    /// They gave way to a later one.
    pub superseded: u64,
    /// They can never take effect.
    pub rejected: u64,
    /// They were to come again later.
    pub deferred: u64,
}

impl Server {
    /// Starts a server on an empty directory, with an account for each of these phones.
    ///
    /// # Errors
    /// It does not start.
    pub fn start(program: PathBuf, directory: PathBuf, phones: &[String]) -> Result<Self, Failure> {
        fs::create_dir_all(&directory)?;
        let accounts = phones.iter().map(|name| (format!("token-of-{name}"), name.clone()));
        let accounts = accounts.chain([(DIRECTOR.to_owned(), "director".to_owned())]);
        let accounts = accounts
            .map(|(token, account)| format!("\n[[auth.tokens]]\ntoken = \"{token}\"\naccount = \"{account}\"\n"));
        fs::write(directory.join("server.toml"), CONFIG.to_owned() + &accounts.collect::<String>())?;
        let mut server =
            Self { program, directory, faults: String::new(), port: 0, child: None, judged_before: Judged::default() };
        server.start_again()?;
        Ok(server)
    }

    /// Where it listens.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Starts it again, on its data and port.
    ///
    /// # Errors
    /// It does not start.
    pub fn start_again(&mut self) -> Result<(), Failure> {
        let log = fs::File::options().create(true).append(true).open(self.directory.join("server.log"))?;
        let mut child = Command::new(&self.program)
            .arg("--data")
            .arg(self.directory.join("data"))
            .arg("--config")
            .arg(self.directory.join("server.toml"))
            .args(["--listen", &format!("127.0.0.1:{}", self.port), "--log-level", "warn"])
            .args(["--faults", &format!("key={DIRECTOR},{}", self.faults)])
            .stdout(Stdio::piped())
            .stderr(log)
            .process_group(0)
            .spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("the server has no output")?).read_line(&mut line)?;
        self.child = Some(child);
        let port = line.trim().rsplit(':').next().and_then(|port| port.parse().ok());
        self.port = port
            .filter(|_| line.starts_with("listening on "))
            .ok_or_else(|| format!("the server did not start: {}", self.directory.join("server.log").display()))?;
        Ok(())
    }

    /// Kills it with SIGKILL.
    ///
    /// # Errors
    /// It does not run.
    pub fn kill(&mut self) -> Result<(), Failure> {
        // What it counted goes with it.
        self.judged_before = self.judged().unwrap_or(self.judged_before);
        let mut child = self.child.take().ok_or("the server does not run")?;
        kill_group(&child)?;
        child.wait()?;
        Ok(())
    }

    /// Has this go wrong from now on, restarts included; nothing, if empty.
    ///
    /// # Errors
    /// The server does not take it.
    pub fn set_faults(&mut self, faults: &str) -> Result<(), Failure> {
        self.faults = faults.to_owned();
        match self.child {
            Some(_) => http::post(self.port, "/faults", DIRECTOR, faults).map(drop),
            None => Ok(()),
        }
    }

    /// What became of all operations so far. Those judged between the last look and a kill are not counted.
    ///
    /// # Errors
    /// The server does not tell.
    pub fn judged(&self) -> Result<Judged, Failure> {
        let text = http::get(self.port, "/metrics", DIRECTOR)?;
        let text = String::from_utf8(text)?;
        let count = |outcome: &str| {
            let name = format!("safescan_operations_total{{outcome=\"{outcome}\"}} ");
            text.lines().find_map(|line| line.strip_prefix(&name)?.parse().ok()).unwrap_or(0u64)
        };
        let before = self.judged_before;
        Ok(Judged {
            applied: before.applied + count("applied"),
            duplicate: before.duplicate + count("duplicate"),
            superseded: before.superseded + count("superseded"),
            rejected: before.rejected + count("rejected"),
            deferred: before.deferred + count("deferred"),
        })
    }

    /// A code's rating, looked up anew: by the beginning of its hash, as phones do.
    ///
    /// # Errors
    /// The server does not tell.
    pub fn rating(&self, code: &QrHash) -> Result<Option<Rating>, Failure> {
        let (prefix, mut next) = (&code.to_string()[..4], String::new());
        loop {
            let body = http::get(self.port, &format!("{RATINGS_PATH}{prefix}?next={next}"), DIRECTOR)?;
            let page: RatingsResponse = read(&body)?;
            let found = page.ratings.into_iter().find(|rating| rating.qr_hash == *code);
            match page.next {
                Some(more) if found.is_none() => next = more,
                _ => return Ok(found),
            }
        }
    }

    /// Everything that stands in an account.
    ///
    /// # Errors
    /// The server does not tell.
    pub fn account(&self, token: &str) -> Result<Vec<Change>, Failure> {
        let (mut changes, mut cursor) = (Vec::new(), String::new());
        loop {
            let body = http::get(self.port, &format!("{CHANGES_PATH}?device=director&cursor={cursor}"), token)?;
            let page: SyncResponse = read(&body)?;
            changes.extend(page.changes);
            cursor = page.cursor.unwrap_or_default();
            if !page.has_more {
                return Ok(changes);
            }
        }
    }
}

/// Nothing outlives its director.
impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = kill_group(&child);
            let _ = child.wait();
        }
    }
}
