//! What is shown while it runs: a line an event, with the time since the beginning and who speaks.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::Path,
    time::Instant,
};

use serde_json::Value;

use crate::Failure;

/// Shows lines, or keeps them in a file only.
pub struct Voice {
    begun: Instant,
    aloud: bool,
    /// Everything, the core's logs included.
    transcript: BufWriter<File>,
}

impl Voice {
    /// Speaks aloud or not; everything goes into the file.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn new(aloud: bool, transcript: &Path) -> Result<Self, Failure> {
        if let Some(folder) = transcript.parent() {
            std::fs::create_dir_all(folder)?;
        }
        Ok(Self { begun: Instant::now(), aloud, transcript: BufWriter::new(File::create(transcript)?) })
    }

    /// Seconds since the beginning.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }

    /// A new scene.
    pub fn scene(&mut self, title: &str) {
        self.put(self.aloud, &format!("\n── {title}"));
    }

    /// Something that was done to somebody.
    pub fn note(&mut self, who: &str, what: &str) {
        let line = format!("{:>7.3}  {who:<11} {what}", self.seconds());
        self.put(self.aloud, &line);
    }

    /// An event of a phone's; what is no news goes into the file only.
    pub(super) fn event(&mut self, who: &str, line: &Value, is_news: bool) {
        let (aloud, words) = (self.aloud && is_news, words(line));
        let line = format!("{:>7.3}  {who:<11} {words}", self.seconds());
        self.put(aloud, &line);
    }

    fn put(&mut self, aloud: bool, line: &str) {
        if aloud {
            println!("{line}");
        }
        // A transcript that cannot be written is missed by nobody who does not look for it.
        let _ = writeln!(self.transcript, "{line}");
    }
}

fn words(line: &Value) -> String {
    let text = |name: &str| line[name].as_str().unwrap_or("?");
    let number = |name: &str| line[name].as_u64().unwrap_or_default();
    match text("event") {
        "Ready" => format!("is ready, {} changes waiting", number("waiting")),
        "RatingChanged" => {
            let bits = u64::from_str_radix(text("confidence"), 16).unwrap_or_default();
            let confidence = f64::from_bits(bits);
            format!(
                "rating   {}  {} safe, {} unsafe, confidence {confidence:.6} ({})",
                text("text"),
                number("safe"),
                number("unsafe"),
                text("source")
            )
        }
        "HealthChanged" => format!("health   {} is {} ({})", text("service"), text("state"), text("cause")),
        "SyncFinished" => {
            format!("synced   {} sent, {} received, {} waiting", number("sent"), number("received"), number("waiting"))
        }
        "Log" => format!("log      {} {}: {}", text("level"), text("target"), text("text")),
        _ => line.to_string(),
    }
}
