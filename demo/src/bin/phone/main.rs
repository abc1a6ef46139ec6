//! The Rust phone: see ../../../README.md for what a phone does.

mod drive;
mod payloads;
mod words;

use std::error::Error;

type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    match std::env::args().any(|argument| argument == "--drive") {
        true => drive::run().await,
        false => payloads::run().await,
    }
}

/// An option's value.
fn option(name: &str) -> Result<String, Failure> {
    let mut arguments = std::env::args().skip_while(|argument| argument != name).skip(1);
    Ok(arguments.next().ok_or_else(|| format!("{name} is missing"))?)
}

/// Prints a line at once: whoever kills this phone must know how far it came.
fn say(line: &serde_json::Value) -> Result<(), Failure> {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
