use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering::Relaxed},
        mpsc::{SyncSender, TrySendError, sync_channel},
    },
    thread,
};

use crate::{error::Error, log::LogRecord, model::Event};

/// Calls that may wait for the app's code: as many as events are kept for a pulling reader.
const WAITING: usize = 1024;

/// The app's code failed; it was told what it was told, and the core goes on.
#[derive(Debug)]
pub struct ListenerFailed;

/// Takes events.
pub type Listener = Arc<dyn Fn(Event) -> Result<(), ListenerFailed> + Send + Sync>;
/// Takes log records.
pub type Sink = Arc<dyn Fn(LogRecord) -> Result<(), ListenerFailed> + Send + Sync>;

/// Calls the app's code: from one thread, one call after another, never with a lock of ours held. What the app does there
/// can take its time; it holds up nothing but later calls.
pub(super) struct Dispatcher {
    calls: SyncSender<Call>,
    missed: AtomicU32,
    listener: Mutex<Option<Listener>>,
}

enum Call {
    Event(Listener, Event),
    Log(Sink, LogRecord),
}

impl Dispatcher {
    /// Starts the thread, which ends when the dispatcher is dropped.
    pub(super) fn start() -> Result<Self, Error> {
        let (calls, waiting) = sync_channel(WAITING);
        thread::Builder::new()
            .name("safescan-events".into())
            .spawn(move || {
                for call in waiting {
                    // A failing listener has only itself to harm.
                    let _ = match call {
                        Call::Event(listener, event) => listener(event),
                        Call::Log(sink, record) => sink(record),
                    };
                }
            })
            .map_err(|error| Error::io(&error, "starting the thread for events"))?;
        Ok(Self { calls, missed: AtomicU32::new(0), listener: Mutex::default() })
    }

    pub(super) fn set_listener(&self, listener: Option<Listener>) {
        let before = {
            let mut place = self.listener.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *place, listener)
        };
        // Its end may be the app's code, which must not meet a lock of ours.
        drop(before);
    }

    /// Passes events on; what does not fit is counted and told of with the next one.
    pub(super) fn publish(&self, events: &[Event]) {
        let listener = self.listener.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(listener) = listener else { return };
        for event in events {
            let missed = self.missed.swap(0, Relaxed);
            if missed > 0 && !self.send(Call::Event(Arc::clone(&listener), Event::Missed { count: missed })) {
                self.missed.fetch_add(missed, Relaxed);
            }
            if !self.send(Call::Event(Arc::clone(&listener), event.clone())) {
                self.missed.fetch_add(1, Relaxed);
            }
        }
    }

    /// Passes a record on, if there is room: the log must not hold up the work it is about.
    pub(super) fn log(&self, sink: &Sink, record: LogRecord) {
        self.send(Call::Log(Arc::clone(sink), record));
    }

    fn send(&self, call: Call) -> bool {
        match self.calls.try_send(call) {
            Ok(()) => true,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => false,
        }
    }
}
