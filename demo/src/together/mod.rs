//! The second act: the phones and a server between them. Networks go, phones and the server are killed, and in the end all
//! see the same.

mod play;
mod scenes;
mod table;

use std::{fs, path::PathBuf};

use self::play::Play;
use crate::{
    Failure,
    stage::{Driven, Server, Stage, Voice},
};

/// What the act needs.
pub struct Options {
    /// Where the phones and the server keep their files; emptied first.
    pub directory: PathBuf,
    /// The server's program.
    pub server: PathBuf,
    /// Which phone is killed.
    pub kill: String,
    /// Names and commands.
    pub phones: Vec<(String, String)>,
}

/// Plays it; whether all agree and nothing was lost.
///
/// # Errors
/// Somebody fails, or something did not happen in time.
pub fn play(options: &Options) -> Result<bool, Failure> {
    let directory = &options.directory;
    if directory.exists() {
        fs::remove_dir_all(directory)?;
    }
    let names: Vec<String> = options.phones.iter().map(|(name, _)| name.clone()).collect();
    let server = Server::start(options.server.clone(), directory.join("server"), &names)?;
    let phones = (0..)
        .zip(&options.phones)
        .map(|(number, (name, command))| Driven::new(name, command, directory.join(name), &server.url(), number));
    let stage = Stage::new(phones.collect(), Voice::new(true, &directory.join("transcript.log"))?);
    let killed = names.iter().position(|name| *name == options.kill).unwrap_or_default();
    let mut play = Play::new(stage, server, killed);
    let result = scenes::all(&mut play).and_then(|()| table::compare(&mut play));
    if result.is_err() {
        eprintln!("everything that was said: {}", directory.join("transcript.log").display());
    }
    result
}
