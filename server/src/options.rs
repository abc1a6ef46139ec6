//! The command line.

use std::{net::SocketAddr, path::PathBuf};

use lexopt::prelude::*;
use tracing::level_filters::LevelFilter;

use crate::{faults, log};

/// What is shown for `--help`, before the faults.
const HELP: &str = "\
The reference server of SafeScan: keeps what devices send, counts votes, and tells who wants to know.

Usage: safescan-server --data DIR [OPTIONS]

  --data DIR            Where everything is kept; made if it is missing
  --listen ADDR:PORT    Where to listen (127.0.0.1:8787); port 0 takes a free one, which is printed
  --config FILE         Everything else, in TOML: see safescan-server.example.toml
  --log-level LEVEL     off, error, warn, info, debug or trace (info); JSON lines on stderr
  --faults SPEC         Goes wrong on purpose, for tests of clients; see below. Never for real data
  --version             Prints the version
  --help                Prints this

It prints `listening on http://ADDR:PORT` once it serves. SIGTERM and SIGINT let it finish and say goodbye.
";

/// Options with a value.
const NAMES: [&str; 5] = ["data", "listen", "config", "log-level", "faults"];

/// What was asked for.
#[derive(Debug)]
pub enum Command {
    /// To serve.
    Serve(Box<Options>),
    /// To print something.
    Print(String),
}

/// How to serve.
#[derive(Debug)]
pub struct Options {
    /// Where everything is kept.
    pub data: PathBuf,
    /// Where to listen.
    pub listen: SocketAddr,
    /// The configuration file.
    pub config: Option<PathBuf>,
    /// How much is logged.
    pub level: LevelFilter,
    /// What goes wrong on purpose.
    pub faults: Option<faults::Spec>,
}

/// Reads the command line.
///
/// # Errors
/// In a line: what is wrong with it.
pub fn read(arguments: impl IntoIterator<Item = std::ffi::OsString>) -> Result<Command, String> {
    let mut parser = lexopt::Parser::from_args(arguments);
    let (mut data, mut config, mut faults) = (None, None, None);
    let mut listen: SocketAddr = ([127, 0, 0, 1], 8787).into();
    let mut level = LevelFilter::INFO;
    while let Some(argument) = parser.next().map_err(|error| error.to_string())? {
        let name = match argument {
            Long("help") | Short('h') => return Ok(Command::Print(format!("{HELP}\n{}", faults::HELP))),
            Long("version") => {
                return Ok(Command::Print(format!("safescan-server {}\n", env!("CARGO_PKG_VERSION"))));
            }
            Long(name) if NAMES.contains(&name) => name.to_owned(),
            other => return Err(other.unexpected().to_string()),
        };
        let value = parser.value().map_err(|_| format!("--{name} needs a value"))?;
        let text = value.into_string().map_err(|_| format!("--{name}: not valid UTF-8"))?;
        match name.as_str() {
            "data" => data = Some(PathBuf::from(text)),
            "listen" => {
                listen = text.parse().map_err(|_| format!("--listen: \"{text}\" is no address and port"))?;
            }
            "config" => config = Some(PathBuf::from(text)),
            "log-level" => {
                level = log::level(&text).ok_or_else(|| format!("--log-level: there is no level \"{text}\""))?;
            }
            _ => faults = Some(faults::Spec::parse(&text).map_err(|why| format!("--faults: {why}"))?),
        }
    }
    let data = data.ok_or("--data is missing: where shall everything be kept?")?;
    Ok(Command::Serve(Box::new(Options { data, listen, config, level, faults })))
}
