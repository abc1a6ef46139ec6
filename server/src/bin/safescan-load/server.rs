use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    sync::Mutex,
};

use super::{Result, wire::Http};

/// Everything is allowed: what is measured is the work, not the limits.
const CONFIG: &str = "
[requests]
max_connections = 100000
address = { per_second = 1000000, burst = 1000000 }
account = { per_second = 1000000, burst = 1000000 }
voter = { per_second = 1000000, burst = 1000000 }
[votes]
voter_per_minute = 0
account_per_minute = 0
changes_per_code = 0
voter_per_day = 0
account_per_day = 0
";

/// The server under load.
pub(crate) struct Server {
    program: PathBuf,
    data: PathBuf,
    address: String,
    id: u32,
    child: Mutex<Child>,
}

impl Server {
    pub(crate) async fn start(program: &Path, data: &Path) -> Result<Self> {
        std::fs::create_dir_all(data)?;
        let config = data.join("config.toml");
        std::fs::write(&config, CONFIG)?;
        let mut child = Command::new(program)
            .arg("--data")
            .arg(data)
            .arg("--config")
            .arg(config)
            .args(["--listen", "127.0.0.1:0", "--log-level", "warn"])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let stdout = child.stdout.take().ok_or("the server has no output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).await?;
        let address = line.trim().strip_prefix("listening on http://").ok_or("the server did not start")?.to_owned();
        let id = child.id().ok_or("the server has ended")?;
        Ok(Self { program: program.to_owned(), data: data.to_owned(), address, id, child: Mutex::new(child) })
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Kills it without a warning.
    pub(crate) async fn kill(&self) -> Result<()> {
        Ok(self.child.lock().await.kill().await?)
    }

    /// Another one on the same files.
    pub(crate) async fn again(self) -> Result<Self> {
        Self::start(&self.program, &self.data).await
    }

    /// Memory that it holds.
    pub(crate) fn resident_kib(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS in /proc")?;
        Ok(line.trim().trim_end_matches(" kB").trim().parse()?)
    }

    /// Processor time it has used, which a busy machine does not make longer.
    pub(crate) fn processor_micros(&self) -> Result<u64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.id))?;
        // After the name, which may hold blanks: the 14th and 15th fields of all, in hundredths of a second.
        let fields = stat.rsplit(')').next().ok_or("no fields in /proc")?;
        let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
        Ok(ticks.sum::<std::result::Result<u64, _>>()? * 10_000)
    }

    /// Transactions so far, and batches in them.
    pub(crate) async fn commits(&self) -> Result<(u64, u64)> {
        let text = Http::open(&self.address).await?.get("/metrics").await?;
        let text = String::from_utf8(text)?;
        let figure = |name: &str| -> Result<u64> {
            let line = text.lines().find_map(|line| line.strip_prefix(name)).ok_or("a figure is missing")?;
            Ok(line.trim().parse()?)
        };
        Ok((figure("safescan_commits_total ")?, figure("safescan_batches_total ")?))
    }
}
