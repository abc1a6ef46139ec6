//! What the server says, and what it means for the conversation. Nothing it says is believed without a look at the
//! moment it is said in: what has no place there is a stray, and few of those are borne.

use std::time::Duration;

use super::{
    super::{Ended, Pull, Topics, inbox::Arrived, reading::Reading},
    Dialogue, Phase, Session, Step, WELCOME,
};
use crate::{
    log::Level,
    protocol::{Rating, ServerFrame, close},
};

/// Between which lengths of a heartbeat a server may choose, in milliseconds. More often drains the battery; more seldom,
/// and a dead connection shows a quarter of an hour late.
const HEARTBEAT_MS: (u32, u32) = (5_000, 5 * 60 * 1000);
/// Frames out of place until the conversation is given up: some may be a newer server's, or a proxy's, manners.
const STRAYS: u32 = 8;

impl Dialogue {
    /// Something came.
    pub(in super::super) fn hear(&mut self, reading: Reading) {
        match reading {
            Reading::Said(frame, bytes) => self.said(frame, bytes),
            Reading::Hint => self.steps.push(Step::Pull(Pull::Hint)),
            Reading::Unreadable => {
                self.steps.push(Step::Pull(Pull::Unreadable));
                self.stray("an unreadable frame");
            }
            Reading::Closed(code) => self.steps.push(Step::End(match code {
                Some(close::AUTH) => Ended::Unauthorized,
                Some(close::PROTOCOL | close::BINARY) => Ended::Protocol,
                code => Ended::Closed(code),
            })),
        }
    }

    fn said(&mut self, frame: ServerFrame, bytes: usize) {
        match frame {
            ServerFrame::Welcome { session, heartbeat_ms, max_topics, server_time } => {
                self.steps.push(Step::ServerTime(server_time));
                self.welcome(session, heartbeat_ms, max_topics);
            }
            ServerFrame::Resumed { from } => self.resumed(from),
            ServerFrame::Reset { .. } => self.reset(),
            ServerFrame::SubOk { reference } => {
                let Phase::Open(session) = &mut self.phase else { return self.stray("an answer before the welcome") };
                let held = session.topics.accepted(reference).into_iter();
                let new: Vec<String> = held.filter(|topic| self.known.insert(topic.clone())).collect();
                if !new.is_empty() {
                    self.steps.push(Step::LookUp(new));
                }
                // It may have left while its request was on the way.
                self.known.retain(|topic| self.wanted.contains(topic));
                self.settle();
            }
            ServerFrame::SubErr { reference, code } => {
                let Phase::Open(session) = &mut self.phase else { return self.stray("an answer before the welcome") };
                let too_many = code == "too_many";
                session.topics.refused(reference, too_many);
                self.unsettled |= too_many;
                self.steps.push(match too_many {
                    true => Step::Note(Level::Warn, "the server has fewer places for topics than it said"),
                    false => Step::Note(Level::Error, "the server does not understand a topic"),
                });
                self.settle();
            }
            ServerFrame::UnsubOk { reference } => {
                let Phase::Open(session) = &mut self.phase else { return self.stray("an answer before the welcome") };
                session.topics.left(reference);
            }
            ServerFrame::Rating { seq, data } => self.arrived(seq, data, bytes),
            ServerFrame::Changed { seq } => {
                self.steps.push(Step::Pull(Pull::Changed));
                self.arrived(seq, Vec::new(), bytes);
            }
            ServerFrame::Pong { .. } => self.unanswered_pings = 0,
            ServerFrame::Bye { reconnect_after_ms } => self.steps.push(Step::End(Ended::Bye(reconnect_after_ms))),
            ServerFrame::Error { code } => match code.as_str() {
                "auth" => self.steps.push(Step::End(Ended::Unauthorized)),
                "protocol" => self.steps.push(Step::End(Ended::Protocol)),
                // The server closes next, with a code that says more.
                _ => self.steps.push(Step::Note(Level::Debug, "the server reports an error")),
            },
            ServerFrame::Unknown => self.steps.push(Step::Note(Level::Debug, "an unknown frame")),
        }
    }

    fn welcome(&mut self, name: String, heartbeat_ms: u32, max_topics: u32) {
        let reset = match &self.phase {
            Phase::Greeting { reset, .. } => *reset,
            Phase::Open(_) => {
                self.stray("a second welcome");
                true
            }
        };
        let (shortest, longest) = HEARTBEAT_MS;
        let heartbeat = Duration::from_millis(heartbeat_ms.clamp(shortest, longest).into());
        let catch_up = Some(if reset { Pull::Reset } else { Pull::NewSession });
        self.received = 0;
        self.open(Session { name, stored: 0, heartbeat, topics: Topics::new(max_topics), catch_up });
    }

    fn resumed(&mut self, from: u64) {
        let Phase::Greeting { resuming, .. } = &mut self.phase else { return self.stray("resumed without a question") };
        let Some(mut session) = resuming.take() else { return self.stray("resumed without a question") };
        // It counts from where it says; if that is not where we were, something lies between.
        self.received = from.saturating_sub(1);
        if self.received > session.stored {
            self.steps.push(Step::Pull(Pull::Gap));
        }
        session.topics.resumed();
        self.open(session);
    }

    fn open(&mut self, session: Session) {
        self.sessions = self.sessions.wrapping_add(1);
        self.unacknowledged = 0;
        self.unanswered_pings = 0;
        self.unsettled = true;
        self.steps.extend([Step::Opened, Step::Alarm(session.heartbeat)]);
        self.phase = Phase::Open(session);
    }

    fn reset(&mut self) {
        if matches!(self.phase, Phase::Open(_)) {
            self.stray("a reset of an open session");
        }
        // The pull comes with the new session; without one, the connection ends, and it comes with the one after.
        self.phase = Phase::Greeting { resuming: None, reset: true };
        self.steps.push(Step::Alarm(WELCOME));
    }

    fn arrived(&mut self, seq: u64, ratings: Vec<Rating>, bytes: usize) {
        let Phase::Open(_) = &self.phase else { return self.stray("data before the welcome") };
        if self.received.checked_add(1) != Some(seq) {
            self.steps.push(Step::Pull(Pull::Gap));
        }
        // A number that was there before comes with something old, or the server has lost count: the pull knows.
        if seq > self.received {
            self.received = seq;
            self.steps.push(Step::Store(Arrived { session: self.sessions, seq, ratings, bytes }));
        }
    }

    fn stray(&mut self, what: &'static str) {
        self.strays += 1;
        self.steps.push(Step::Note(Level::Warn, what));
        if self.strays >= STRAYS {
            self.steps.push(Step::End(Ended::Protocol));
        }
    }
}
