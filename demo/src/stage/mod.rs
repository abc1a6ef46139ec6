//! The phones and the server, as processes. One thread directs: it tells phones what to do and hears what they say, in the
//! order in which it arrives. Nothing waits by the clock; every wait is for something that is said, with a deadline.

mod driven;
mod http;
mod server;
mod voice;

use std::{
    collections::BTreeMap,
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    time::{Duration, Instant},
};

use serde_json::Value;

pub use self::{driven::Driven, server::Server, voice::Voice};
use crate::Failure;

/// How long a phone may take to answer: a request of its core may take half a minute.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What became of a command.
#[derive(Clone, Debug)]
pub enum Answer {
    /// It was done.
    Done(Value),
    /// It failed, and why.
    Failed(String),
    /// The phone was killed before it answered: done or not, nobody knows.
    Lost,
}

/// A line of a phone's; none: its output ended.
struct Said {
    phone: usize,
    life: u32,
    line: Option<Value>,
}

/// Everything that plays.
pub struct Stage {
    /// The phones, by their numbers.
    pub phones: Vec<Driven>,
    /// What is shown while it runs.
    pub voice: Voice,
    answers: BTreeMap<u64, Answer>,
    next_id: u64,
    ears: Receiver<Said>,
    mouth: Sender<Said>,
}

impl Stage {
    /// These phones, none of which runs yet.
    #[must_use]
    pub fn new(phones: Vec<Driven>, voice: Voice) -> Self {
        let (mouth, ears) = channel();
        Self { phones, voice, answers: BTreeMap::new(), next_id: 1, ears, mouth }
    }

    /// Starts a phone, for the first time or again, and waits until it is ready.
    ///
    /// # Errors
    /// It does not start.
    pub fn start(&mut self, phone: usize) -> Result<(), Failure> {
        self.launch(phone)?;
        self.until("a phone to be ready", PATIENCE, |stage| stage.phones[phone].is_ready())
    }

    /// Starts a phone.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn launch(&mut self, phone: usize) -> Result<(), Failure> {
        let mouth = self.mouth.clone();
        self.phones[phone].launch(move |life, line| drop(mouth.send(Said { phone, life, line })))?;
        let life = self.phones[phone].life();
        self.voice.note(&self.phones[phone].name, if life == 1 { "starts" } else { "starts again" });
        Ok(())
    }

    /// Tells a phone to do something; the answer will have this number.
    ///
    /// # Errors
    /// The phone does not run.
    pub fn tell(&mut self, phone: usize, mut command: Value) -> Result<u64, Failure> {
        let id = self.next_id;
        self.next_id += 1;
        command["id"] = id.into();
        self.phones[phone].write(id, &command)?;
        Ok(id)
    }

    /// Takes the answer to a command, if it has come.
    pub fn take(&mut self, id: u64) -> Option<Answer> {
        self.answers.remove(&id)
    }

    /// Tells a phone to do something that must work, and waits for the answer.
    ///
    /// # Errors
    /// It failed, or no answer came.
    pub fn ask(&mut self, phone: usize, command: Value) -> Result<Value, Failure> {
        let text = command.to_string();
        match self.answer(phone, command)? {
            Answer::Done(value) => Ok(value),
            other => Err(format!("{}: {text}: {other:?}", self.phones[phone].name).into()),
        }
    }

    /// Tells a phone to do something, and waits for the answer, whatever it is.
    ///
    /// # Errors
    /// No answer came.
    pub fn answer(&mut self, phone: usize, command: Value) -> Result<Answer, Failure> {
        let text = command.to_string();
        let id = self.tell(phone, command)?;
        self.until(&text, PATIENCE, |stage| stage.answers.contains_key(&id))?;
        Ok(self.take(id).unwrap_or(Answer::Lost))
    }

    /// Kills a phone, with SIGKILL, and hears what it had still said.
    ///
    /// # Errors
    /// It does not die.
    pub fn kill(&mut self, phone: usize) -> Result<(), Failure> {
        self.phones[phone].kill()?;
        self.voice.note(&self.phones[phone].name, "KILLED (SIGKILL)");
        self.until("a killed phone to be gone", PATIENCE, |stage| !stage.phones[phone].is_running())
    }

    /// Hears what is said until something is the case.
    ///
    /// # Errors
    /// It did not come to be in time.
    pub fn until(&mut self, what: &str, patience: Duration, mut is: impl FnMut(&Self) -> bool) -> Result<(), Failure> {
        let deadline = Instant::now() + patience;
        while !is(self) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(format!("{} s were not enough for {what}", patience.as_secs()).into());
            }
            self.hear(left.min(Duration::from_millis(250)))?;
        }
        Ok(())
    }

    /// Hears one line, or none in this time.
    ///
    /// # Errors
    /// A phone ended by itself.
    pub fn hear(&mut self, patience: Duration) -> Result<(), Failure> {
        let Said { phone, life, line } = match self.ears.recv_timeout(patience) {
            Ok(said) => said,
            Err(RecvTimeoutError::Timeout) => return Ok(()),
            Err(RecvTimeoutError::Disconnected) => return Err("nobody can say anything any more".into()),
        };
        let Self { phones, voice, answers, .. } = self;
        let phone = &mut phones[phone];
        if life != phone.life() {
            return Ok(());
        }
        match line {
            Some(line) if line.get("id").is_some() => {
                let id = line["id"].as_u64().unwrap_or_default();
                phone.answered(id);
                let answer = match (line.get("ok"), line["err"].as_str()) {
                    (Some(ok), _) => Answer::Done(ok.clone()),
                    (None, why) => Answer::Failed(why.unwrap_or("no reason given").to_owned()),
                };
                answers.insert(id, answer);
            }
            Some(line) => {
                let is_news = phone.note(&line);
                voice.event(&phone.name, &line, is_news);
            }
            None => {
                answers.extend(phone.ended()?.into_iter().map(|id| (id, Answer::Lost)));
            }
        }
        Ok(())
    }
}
