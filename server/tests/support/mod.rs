//! The real program on a free port, and what devices say to it.
#![allow(dead_code, reason = "every test program uses its own part")]

pub(crate) mod device;
pub(crate) mod socket;

use std::{
    fs::File,
    io::{BufRead, BufReader},
    process::{Child, ChildStdout, Command, Stdio},
    sync::Arc,
};

use reqwest::Client;

/// So high that no test meets them by accident.
pub(crate) const NO_LIMITS: &str = "
[requests]
address = { per_second = 100000, burst = 100000 }
account = { per_second = 100000, burst = 100000 }
voter = { per_second = 100000, burst = 100000 }
[votes]
voter_per_minute = 0
account_per_minute = 0
changes_per_code = 0
voter_per_day = 0
account_per_day = 0
";

/// Two accounts with two and one tokens.
pub(crate) const TOKENS: &str = "
[auth]
mode = \"tokens\"
[[auth.tokens]]
token = \"token-of-anna\"
account = \"anna\"
[[auth.tokens]]
token = \"second-token-of-anna\"
account = \"anna\"
[[auth.tokens]]
token = \"token-of-bert\"
account = \"bert\"
";

/// A running server. It is killed when dropped.
pub(crate) struct Server {
    pub(crate) base: String,
    pub(crate) client: Client,
    pub(crate) child: Child,
    pub(crate) directory: Arc<tempfile::TempDir>,
    config: String,
    arguments: Vec<String>,
    _stdout: BufReader<ChildStdout>,
}

pub(crate) fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_safescan-server"))
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::with(NO_LIMITS, &[])
    }

    pub(crate) fn with(config: &str, arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        Self::on(Arc::new(tempfile::tempdir().unwrap()), config.to_owned(), arguments)
    }

    fn on(directory: Arc<tempfile::TempDir>, config: String, arguments: Vec<String>) -> Self {
        let file = directory.path().join("config.toml");
        std::fs::write(&file, &config).unwrap();
        let log = File::options().create(true).append(true).open(directory.path().join("log")).unwrap();
        let mut child = program()
            .args(["--listen", "127.0.0.1:0", "--log-level", "trace", "--data"])
            .arg(directory.path().join("data"))
            .arg("--config")
            .arg(file)
            .args(&arguments)
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let log = || std::fs::read_to_string(directory.path().join("log")).unwrap_or_default();
        let base = line.trim().strip_prefix("listening on ").unwrap_or_else(|| panic!("it did not start: {}", log()));
        // Its features are those of the whole workspace's: it wants to know how to encrypt, though here it never does.
        safescan_conformance::prepare_tls();
        let client = Client::builder().no_proxy().build().unwrap();
        Self { base: base.to_owned(), client, child, directory, config, arguments, _stdout: stdout }
    }

    /// Everything logged since the first start.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap()
    }

    /// Where it keeps everything.
    pub(crate) fn data(&self) -> std::path::PathBuf {
        self.directory.path().join("data")
    }

    pub(crate) fn address(&self) -> &str {
        self.base.strip_prefix("http://").unwrap()
    }

    /// Kills it as the system does, and starts another on the same files.
    pub(crate) fn kill_and_restart(mut self) -> Self {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        Self::on(Arc::clone(&self.directory), self.config.clone(), self.arguments.clone())
    }

    /// Asks it to stop.
    pub(crate) fn terminate(&self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    }

    /// Waits for its end and tells how it ended.
    pub(crate) fn exit_code(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    /// A figure from `/metrics`.
    pub(crate) async fn metric(&self, name: &str) -> i64 {
        let text = self.client.get(format!("{}/metrics", self.base)).send().await.unwrap().text().await.unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("safescan_{name} ")));
        line.unwrap_or_else(|| panic!("there is no {name}")).parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
