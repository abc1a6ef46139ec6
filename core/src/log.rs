//! What the core tells the app's developer about its work.
//!
//! Private by construction: a record is made of constants of this program and of numbers. There is no way to put a text
//! into it that came from outside, so no QR content, id or token can reach a log, at any level.

use std::sync::{Arc, RwLock};

/// How much a record matters, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Every step.
    Trace,
    /// What a developer looking for a fault wants to see.
    Debug,
    /// What happens seldom: opened, suspended, repaired.
    Info,
    /// The world is not as it should be; the core copes.
    Warn,
    /// A bug in the core.
    Error,
}

/// One thing that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRecord {
    /// How much it matters.
    pub level: Level,
    /// Which part of the core speaks.
    pub target: &'static str,
    /// What it says.
    pub text: &'static str,
    /// The numbers that go with it.
    pub fields: Vec<(&'static str, i64)>,
}

/// The text, and the numbers behind it: `rows withheld count=3`.
impl std::fmt::Display for LogRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.text)?;
        self.fields.iter().try_for_each(|(name, value)| write!(f, " {name}={value}"))
    }
}

/// Takes records. Must not block: it is called where the work is done.
pub type LogHook = Arc<dyn Fn(LogRecord) + Send + Sync>;

/// A handle through which the parts of a core speak. Silent until a hook is set; cheap to clone.
#[derive(Clone, Default)]
pub struct Log {
    hook: Arc<RwLock<Option<(Level, LogHook)>>>,
}

impl Log {
    /// Sends records of `level` and above to `hook` from now on, or nowhere.
    pub fn set_hook(&self, hook: Option<(Level, LogHook)>) {
        let before = {
            let mut place = self.hook.write().unwrap_or_else(std::sync::PoisonError::into_inner);
            std::mem::replace(&mut *place, hook)
        };
        // Its end may be the app's code, which must not meet a lock of ours.
        drop(before);
    }

    /// Says `text`, if anybody listens.
    pub fn say(&self, level: Level, target: &'static str, text: &'static str, fields: &[(&'static str, i64)]) {
        let hook = {
            let hook = self.hook.read().unwrap_or_else(std::sync::PoisonError::into_inner);
            hook.as_ref().filter(|(least, _)| level >= *least).map(|(_, hook)| Arc::clone(hook))
        };
        if let Some(hook) = hook {
            hook(LogRecord { level, target, text, fields: fields.to_vec() });
        }
    }
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Log")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, mpsc};

    use super::*;

    #[test]
    fn only_what_is_wanted_is_said() {
        let log = Log::default();
        log.say(Level::Error, "test", "nobody listens", &[]);
        let heard = Arc::new(Mutex::new(Vec::new()));
        let ear = Arc::clone(&heard);
        log.set_hook(Some((Level::Info, Arc::new(move |record| ear.lock().unwrap().push(record)))));
        log.say(Level::Debug, "test", "too quiet", &[]);
        log.say(Level::Warn, "test", "loud", &[("rows", 3)]);
        let heard = heard.lock().unwrap().clone();
        assert_eq!(heard, [LogRecord { level: Level::Warn, target: "test", text: "loud", fields: vec![("rows", 3)] }]);
    }

    #[test]
    fn a_hook_that_is_taken_away_may_use_the_log_as_it_ends() {
        struct Ends(Arc<Log>, mpsc::Sender<()>);
        impl Drop for Ends {
            fn drop(&mut self) {
                self.0.say(Level::Info, "test", "the end", &[]);
                self.1.send(()).unwrap();
            }
        }
        let log = Arc::new(Log::default());
        let (ended, end) = mpsc::channel();
        let ends = Ends(Arc::clone(&log), ended);
        log.set_hook(Some((Level::Info, Arc::new(move |_| _ = &ends))));
        // In a thread of its own: with the lock held it would never come back.
        let taken_from = Arc::clone(&log);
        std::thread::spawn(move || taken_from.set_hook(None));
        end.recv_timeout(std::time::Duration::from_secs(10)).expect("it came to its end");
    }
}
