//! One socket, from hello to its end.

use std::{
    future::pending,
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

use futures_util::{StreamExt, future::BoxFuture};
use tokio::{
    select,
    sync::watch,
    time::{Sleep, sleep},
};

use super::{
    Dialogue, Ended, Inbox, LiveHost, LiveState, Pull, Retry, TARGET, Wanted,
    dialogue::{Step, WELCOME},
    link::{Heed, Terms, Voice},
    outbox::Outbox,
    reading::Reading,
};
use crate::{
    log::Level,
    net::{Failure, Socket},
};

/// How long a connection must hold until the next loss counts as a first one. As long as the longest wait: whoever loses
/// connections faster than that is to wait longer each time.
const STEADY: Duration = Duration::from_secs(30);

/// What a connection works with.
pub(super) struct Connection<'a> {
    pub(super) voice: &'a mut Voice,
    pub(super) retry: &'a mut Retry,
    pub(super) wanted: &'a mut watch::Receiver<Wanted>,
    /// What it was opened for.
    pub(super) terms: &'a Terms,
}

impl Connection<'_> {
    /// Holds the conversation until one side ends it. The socket is closed when this returns.
    pub(super) async fn hold(mut self, socket: Socket, dialogue: &mut Dialogue) -> Ended {
        let Socket { mut incoming, outgoing } = socket;
        let host = Arc::clone(&self.voice.host);
        let mut outbox = Outbox::new(outgoing);
        let mut inbox = Inbox::default();
        let mut storing: Option<Storing<'_>> = None;
        let mut alarm = pin!(sleep(WELCOME));
        let mut steady = pin!(sleep(STEADY));
        let (mut opened, mut is_steady) = (false, false);
        loop {
            if outbox.is_empty() {
                dialogue.speak();
            }
            for step in dialogue.steps() {
                match step {
                    Step::Send(frame) => outbox.push(&frame),
                    Step::Store(arrived) => {
                        if let Err(overflowed) = inbox.push(arrived) {
                            let frames = i64::try_from(overflowed.frames).unwrap_or(i64::MAX);
                            self.voice.log.say(Level::Warn, TARGET, "too much at once", &[("frames", frames)]);
                            self.voice.host.pull(Pull::Overflow);
                        }
                    }
                    Step::Opened => {
                        self.retry.welcomed();
                        // A reset does not make a connection younger.
                        if !opened {
                            steady.set(sleep(STEADY));
                        }
                        opened = true;
                    }
                    Step::Alarm(after) => alarm.set(sleep(after)),
                    Step::End(ended) => return ended,
                    step => self.pass_on(step),
                }
            }
            if storing.is_none() {
                storing = Storing::next(&mut inbox, dialogue, &*host);
            }
            // In this order, so that no flood of frames keeps anything else from happening.
            select! { biased;
                changed = self.wanted.changed() => {
                    if changed.is_err() {
                        return Ended::Abandoned;
                    }
                    let wanted = self.wanted.borrow_and_update();
                    match self.terms.broken_by(&wanted, Heed::All) {
                        Some(ended) => return ended,
                        None => dialogue.want(&wanted.topics),
                    }
                }
                (session, seq) = Storing::done(&mut storing) => {
                    storing = None;
                    dialogue.stored(session, seq);
                }
                drained = outbox.drain() => {
                    if let Err(failure) = drained {
                        return broken(failure);
                    }
                }
                () = &mut alarm => dialogue.alarm(),
                () = passed(steady.as_mut()), if opened && !is_steady => {
                    is_steady = true;
                    self.retry.start_over();
                }
                frame = incoming.next() => match frame {
                    Some(Ok(frame)) => dialogue.hear(Reading::of(&frame)),
                    Some(Err(failure)) => return broken(failure),
                    None => return Ended::Closed(None),
                },
            }
        }
    }

    /// What is for others to do.
    fn pass_on(&mut self, step: Step) {
        let host = &self.voice.host;
        match step {
            Step::Pull(why) => host.pull(why),
            Step::LookUp(topics) => host.look_up(topics, true),
            Step::ServerTime(now) => host.server_time(now),
            Step::Live { left_out } => self.voice.tell(LiveState::Live { left_out }),
            Step::Note(level, text) => self.voice.log.say(level, TARGET, text, &[]),
            Step::Send(_) | Step::Store(_) | Step::Opened | Step::Alarm(_) | Step::End(_) => {}
        }
    }
}

/// Ratings on their way to the disk.
struct Storing<'a> {
    session: u32,
    seq: u64,
    work: BoxFuture<'a, ()>,
}

impl<'a> Storing<'a> {
    /// Takes the next ratings out; frames without any are done at once.
    fn next(inbox: &mut Inbox, dialogue: &mut Dialogue, host: &'a dyn LiveHost) -> Option<Self> {
        while let Some(arrived) = inbox.pop() {
            if !arrived.ratings.is_empty() {
                let work = host.ratings(arrived.ratings);
                return Some(Self { session: arrived.session, seq: arrived.seq, work });
            }
            dialogue.stored(arrived.session, arrived.seq);
        }
        None
    }

    /// Waits for the end of what is there.
    async fn done(storing: &mut Option<Self>) -> (u32, u64) {
        let Some(storing) = storing else { return pending().await };
        storing.work.as_mut().await;
        (storing.session, storing.seq)
    }
}

async fn passed(moment: Pin<&mut Sleep>) {
    moment.await;
}

/// A message beyond every limit is no accident of the network.
fn broken(failure: Failure) -> Ended {
    if failure == Failure::TooLarge { Ended::Protocol } else { Ended::Failed(failure) }
}
