//! The demo: see ../README.md.
//!
//! `safescan-demo --payloads FILE --directory DIR --server PROGRAM --kill NAME --phone NAME=COMMAND… [--act 1|2]`

use std::{path::PathBuf, process::ExitCode};

use safescan_demo::{Failure, offline, together};

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

fn run() -> Result<bool, Failure> {
    let Options { act, payloads, directory, server, kill, phones } = Options::parse()?;
    let first = act != "2" && {
        println!("The first act: {} phones alone", phones.len());
        let options =
            offline::Options { payloads, directory: directory.clone(), kill: kill.clone(), phones: phones.clone() };
        if !offline::play(&options)? {
            return Ok(false);
        }
        true
    };
    if first && act == "1" {
        return Ok(true);
    }
    println!("\nThe second act: a server between them");
    together::play(&together::Options { directory: directory.join("together"), server, kill, phones })
}

struct Options {
    act: String,
    payloads: PathBuf,
    directory: PathBuf,
    server: PathBuf,
    kill: String,
    phones: Vec<(String, String)>,
}

impl Options {
    fn parse() -> Result<Self, Failure> {
        let mut options = Self {
            act: String::new(),
            payloads: PathBuf::new(),
            directory: PathBuf::new(),
            server: PathBuf::new(),
            kill: String::new(),
            phones: Vec::new(),
        };
        let mut arguments = std::env::args().skip(1);
        while let Some(name) = arguments.next() {
            let value = arguments.next().ok_or_else(|| format!("{name} wants a value"))?;
            match name.as_str() {
                "--act" => options.act = value,
                "--payloads" => options.payloads = value.into(),
                "--directory" => options.directory = value.into(),
                "--server" => options.server = value.into(),
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
