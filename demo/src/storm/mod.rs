//! The fault run: a thousand operations from four processes against the real server while it drops, cuts, refuses and lies,
//! and while phones and server are killed at random instants. In the end what stands at the server must be what was
//! acknowledged: nothing lost, nothing twice.

mod plan;
mod run;
mod summary;

use std::{fs, path::PathBuf};

use crate::{
    Failure,
    stage::{Driven, Server, Stage, Voice},
};

/// What a storm needs.
pub struct Options {
    /// Where the phones and the server keep their files; emptied first.
    pub directory: PathBuf,
    /// The server's program.
    pub server: PathBuf,
    /// Names and commands.
    pub phones: Vec<(String, String)>,
    /// What everything is drawn from.
    pub seed: u64,
    /// How many operations, of all phones together.
    pub operations: usize,
}

/// Runs it; whether nothing was lost and nothing came twice.
///
/// # Errors
/// Somebody fails, or something did not happen in time.
pub fn run(options: &Options) -> Result<bool, Failure> {
    let directory = &options.directory;
    if directory.exists() {
        fs::remove_dir_all(directory)?;
    }
    let names: Vec<String> = options.phones.iter().map(|(name, _)| name.clone()).collect();
    println!("{} operations from {}; seed {}", options.operations, names.join(", "), options.seed);
    let server = Server::start(options.server.clone(), directory.join("server"), &names)?;
    let phones = (0..)
        .zip(&options.phones)
        .map(|(number, (name, command))| Driven::new(name, command, directory.join(name), &server.url(), number));
    let stage = Stage::new(phones.collect(), Voice::new(false, &directory.join("transcript.log"))?);
    let plan = plan::Plan::draw(options.seed, names.len(), options.operations);
    let result = run::Run::new(stage, server, plan, options.seed).and_then(|run| summary::print(run, options));
    if !matches!(result, Ok(true)) {
        let transcript = directory.join("transcript.log");
        eprintln!("everything that was said: {}; again: --seed {}", transcript.display(), options.seed);
    }
    result
}
