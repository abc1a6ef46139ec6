//! One conversation with a server, without the wire: frames and moments go in, [`Step`]s come out.
//!
//! It begins with a greeting, is open from the welcome on (or from `resumed`), and falls back to the greeting if the server
//! resets it. What outlives it, the [`Memory`], is handed from one conversation to the next.

mod hearing;

use std::{collections::BTreeSet, mem, time::Duration};

use super::{Ended, Pull, Topics, Wanted, inbox::Arrived};
use crate::{
    log::Level,
    model::UnixMillis,
    protocol::{ClientFrame, Resume, VERSION},
};

/// How long a server may take to say welcome: as long as it waits for a hello.
pub(super) const WELCOME: Duration = Duration::from_secs(10);
/// Pings in a row that may stay without an answer: one is lost in a tunnel, two are a dead connection.
const MISSED_PINGS: u32 = 2;
/// Data frames until the server is told that they are stored: it keeps them until then.
const ACK_EVERY: u32 = 32;
/// What is to be done, in order.
#[derive(Debug, PartialEq)]
pub(super) enum Step {
    Send(ClientFrame),
    Store(Arrived),
    Pull(Pull),
    LookUp(Vec<String>),
    ServerTime(UnixMillis),
    /// The server knows us.
    Opened,
    /// Changes come, but not of so many topics.
    Live {
        left_out: usize,
    },
    /// Call [`Dialogue::alarm`] after so long, and not at an earlier agreed moment.
    Alarm(Duration),
    Note(Level, &'static str),
    End(Ended),
}

/// What outlives a conversation.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// The session to go on with.
    pub(super) session: Option<Session>,
    /// Wanted topics that were looked up once; from then on pulls bring what the socket misses.
    pub(super) known: BTreeSet<String>,
}

impl Memory {
    /// What is not wanted for a while is as new when it is wanted again: pulls did not name it meanwhile.
    pub(super) fn forget_all_but(&mut self, wanted: &BTreeSet<String>) {
        self.known.retain(|topic| wanted.contains(topic));
    }
}

/// What a server knows by a name.
#[derive(Debug)]
pub(super) struct Session {
    name: String,
    /// The last frame whose ratings are stored.
    stored: u64,
    heartbeat: Duration,
    topics: Topics,
    /// The pull that a new session is followed by, until it was asked for.
    catch_up: Option<Pull>,
}

/// A conversation.
#[derive(Debug)]
pub(super) struct Dialogue {
    phase: Phase,
    wanted: BTreeSet<String>,
    known: BTreeSet<String>,
    /// Whether what is wanted has yet to be compared with what is held.
    unsettled: bool,
    told_left_out: Option<usize>,
    /// Tells frames of this session from those of one that was reset.
    sessions: u32,
    /// The last frame that came.
    received: u64,
    unacknowledged: u32,
    unanswered_pings: u32,
    pings: i64,
    strays: u32,
    steps: Vec<Step>,
}

#[derive(Debug)]
enum Phase {
    Greeting { resuming: Option<Session>, reset: bool },
    Open(Session),
}

impl Dialogue {
    /// The first thing said is hello.
    pub(super) fn begin(memory: Memory, wanted: &Wanted) -> Self {
        let Memory { session, known } = memory;
        let resume = session.as_ref().map(|session| Resume { session: session.name.clone(), seq: session.stored });
        let hello = ClientFrame::Hello {
            protocol: VERSION,
            device: wanted.device.clone(),
            token: wanted.token.as_ref().map(|token| token.reveal().to_owned()),
            resume,
        };
        Self {
            phase: Phase::Greeting { resuming: session, reset: false },
            wanted: wanted.topics.clone(),
            known,
            unsettled: true,
            told_left_out: None,
            sessions: 0,
            received: 0,
            unacknowledged: 0,
            unanswered_pings: 0,
            pings: 0,
            strays: 0,
            steps: vec![Step::Send(hello), Step::Alarm(WELCOME)],
        }
    }

    /// What is left when the connection is gone, and whether it was open.
    pub(super) fn end(self) -> (Memory, bool) {
        let (session, open) = match self.phase {
            Phase::Open(session) => (Some(session), true),
            Phase::Greeting { resuming, .. } => (resuming, false),
        };
        (Memory { session, known: self.known }, open)
    }

    /// What is to be done now.
    pub(super) fn steps(&mut self) -> Vec<Step> {
        mem::take(&mut self.steps)
    }

    /// Other topics are wanted.
    pub(super) fn want(&mut self, topics: &BTreeSet<String>) {
        if self.wanted != *topics {
            self.wanted.clone_from(topics);
            self.known.retain(|topic| topics.contains(topic));
            self.unsettled = true;
        }
    }

    /// Nothing waits to be sent any more. Whatever can wait is said only now, hence in the fewest words.
    pub(super) fn speak(&mut self) {
        let Phase::Open(session) = &mut self.phase else { return };
        let unsettled = mem::take(&mut self.unsettled);
        if unsettled {
            self.steps.extend(session.topics.requests(&self.wanted).into_iter().map(Step::Send));
        }
        if self.unacknowledged >= ACK_EVERY {
            self.unacknowledged = 0;
            self.steps.push(Step::Send(ClientFrame::Ack { seq: session.stored }));
        }
        if unsettled {
            self.settle();
        }
    }

    /// What was handed out with [`Step::Store`] is stored.
    pub(super) fn stored(&mut self, session: u32, seq: u64) {
        // A frame of a session that is no more says nothing about the numbers of this one.
        if let (Phase::Open(open), true) = (&mut self.phase, session == self.sessions) {
            open.stored = seq;
            self.unacknowledged = self.unacknowledged.saturating_add(1);
        }
    }

    /// The agreed moment has come.
    pub(super) fn alarm(&mut self) {
        let Phase::Open(session) = &mut self.phase else { return self.steps.push(Step::End(Ended::NoWelcome)) };
        if self.unanswered_pings >= MISSED_PINGS {
            return self.steps.push(Step::End(Ended::Silent));
        }
        self.unanswered_pings += 1;
        self.pings = self.pings.wrapping_add(1);
        if mem::take(&mut self.unacknowledged) > 0 {
            self.steps.push(Step::Send(ClientFrame::Ack { seq: session.stored }));
        }
        self.steps.push(Step::Send(ClientFrame::Ping { t: self.pings }));
        self.steps.push(Step::Alarm(session.heartbeat));
        // Topics are asked for and nobody answers: what can be had is had without them.
        self.steps.extend(session.catch_up.take().map(Step::Pull));
        if self.told_left_out.is_some_and(|left_out| left_out > 0) {
            self.steps.push(Step::Pull(Pull::LeftOut));
        }
    }

    /// Asks for what a new session needs, once all its topics stand, and says how many do not.
    fn settle(&mut self) {
        let Phase::Open(session) = &mut self.phase else { return };
        if self.unsettled {
            return;
        }
        let left_out = session.topics.left_out(&self.wanted);
        if self.told_left_out.replace(left_out) != Some(left_out) {
            self.steps.push(Step::Live { left_out });
        }
        if !session.topics.are_asked() {
            self.steps.extend(session.catch_up.take().map(Step::Pull));
        }
    }
}
