//! The fault run: see ../../README.md.
//!
//! `safescan-storm --directory DIR --server PROGRAM [--seed N] [--operations N] --phone NAME=COMMAND… [--missing NAME]…`

use std::{
    path::PathBuf,
    process::ExitCode,
    time::{SystemTime, UNIX_EPOCH},
};

use safescan_demo::{Failure, storm};

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
    let seed = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() % 1_000_000;
    let mut options = storm::Options {
        directory: PathBuf::new(),
        server: PathBuf::new(),
        phones: Vec::new(),
        seed,
        operations: 1_000,
    };
    let mut missing = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{name} wants a value"))?;
        match name.as_str() {
            "--directory" => options.directory = value.into(),
            "--server" => options.server = value.into(),
            "--seed" => options.seed = value.parse()?,
            "--operations" => options.operations = value.parse()?,
            "--missing" => missing.push(value),
            "--phone" => {
                let (name, command) = value.split_once('=').ok_or("--phone wants NAME=COMMAND")?;
                options.phones.push((name.into(), command.into()));
            }
            _ => return Err(format!("unknown option {name}").into()),
        }
    }
    if options.phones.is_empty() {
        return Err("--phone is missing".into());
    }
    let good = storm::run(&options)?;
    for name in &missing {
        println!("✗ {name}: NOT RUN, it is not available here (--without {name} says that this is meant)");
    }
    Ok(good && missing.is_empty())
}
