use std::collections::{BTreeMap, BTreeSet, VecDeque};

use safescan_core::{
    model::{QrHash, UnixMillis},
    protocol::{ClientFrame, Resume, ServerFrame, VERSION, close},
};

use super::{Server, sync::Settled};

/// How often a device is asked to ping.
const HEARTBEAT_MS: u32 = 25_000;
/// How long a session waits for its device.
const RESUMABLE_MS: i64 = 5 * 60 * 1000;

/// Something to be brought to a device.
#[derive(Clone, Debug)]
pub(crate) enum Outgoing {
    /// A frame.
    Text(String),
    /// The end, with a code.
    Close(u16),
    /// The end without a word.
    Reset,
}

/// Sockets, and the sessions on them.
#[derive(Default)]
pub(crate) struct Sockets {
    /// The session of each open socket, once it has said hello.
    open: BTreeMap<u64, Option<String>>,
    sessions: BTreeMap<String, Session>,
    /// For whoever carries it away.
    outgoing: Vec<(u64, Outgoing)>,
    named: u64,
}

struct Session {
    account: String,
    device: String,
    topics: BTreeSet<String>,
    /// The last data frame's number.
    seq: u64,
    /// The last frames.
    kept: VecDeque<(u64, String)>,
    socket: Option<u64>,
    left: UnixMillis,
}

impl Sockets {
    pub(crate) fn opened(&mut self, socket: u64) {
        self.open.insert(socket, None);
    }

    /// The device closed it, or it broke.
    pub(crate) fn closed(&mut self, socket: u64, now: UnixMillis) {
        if let Some(Some(name)) = self.open.remove(&socket)
            && let Some(session) = self.sessions.get_mut(&name)
            && session.socket == Some(socket)
        {
            session.socket = None;
            session.left = now;
        }
    }

    /// What is to be carried away.
    pub(crate) fn take_outgoing(&mut self) -> Vec<(u64, Outgoing)> {
        std::mem::take(&mut self.outgoing)
    }

    pub(super) fn close_all(&mut self, farewell: bool) {
        for socket in std::mem::take(&mut self.open).into_keys() {
            if farewell {
                let frame = text(&ServerFrame::Bye { reconnect_after_ms: [1_000, 5_000] });
                self.outgoing.push((socket, Outgoing::Text(frame)));
                self.outgoing.push((socket, Outgoing::Close(1001)));
            } else {
                self.outgoing.push((socket, Outgoing::Reset));
            }
        }
        self.sessions.clear();
    }

    fn send(&mut self, socket: u64, frame: &ServerFrame) {
        self.outgoing.push((socket, Outgoing::Text(text(frame))));
    }

    fn refuse(&mut self, socket: u64, code: &str, close: u16) {
        self.send(socket, &ServerFrame::Error { code: code.to_owned() });
        self.outgoing.push((socket, Outgoing::Close(close)));
    }

    /// Numbers a data frame and sends it, or keeps it for when the device comes back.
    fn send_data(&mut self, name: &str, kept_frames: usize, frame: impl FnOnce(u64) -> ServerFrame) {
        let Some(session) = self.sessions.get_mut(name) else { return };
        session.seq += 1;
        let frame = text(&frame(session.seq));
        session.kept.push_back((session.seq, frame.clone()));
        while session.kept.len() > kept_frames {
            session.kept.pop_front();
        }
        if let Some(socket) = session.socket {
            self.outgoing.push((socket, Outgoing::Text(frame)));
        }
    }
}

impl Server {
    /// Takes a frame in.
    pub(crate) fn frame(&mut self, socket: u64, frame: &str, now: UnixMillis) {
        let Some(greeted) = self.sockets.open.get(&socket).cloned() else { return };
        let Ok(frame) = serde_json::from_str::<ClientFrame>(frame) else {
            return self.sockets.refuse(socket, "protocol", close::PROTOCOL);
        };
        match (frame, greeted) {
            (ClientFrame::Hello { protocol: VERSION, device, token, resume }, None) => {
                match self.account(token.as_deref(), &device, now) {
                    Some(account) => self.welcome(socket, account, device, resume, now),
                    None => self.sockets.refuse(socket, "auth", close::AUTH),
                }
            }
            (ClientFrame::Hello { .. }, _) | (_, None) => self.sockets.refuse(socket, "protocol", close::PROTOCOL),
            (ClientFrame::Sub { reference, topics }, Some(name)) => self.subscribe(socket, &name, reference, topics),
            (ClientFrame::Unsub { reference, topics }, Some(name)) => {
                if let Some(session) = self.sockets.sessions.get_mut(&name) {
                    session.topics.retain(|topic| !topics.contains(topic));
                }
                self.sockets.send(socket, &ServerFrame::UnsubOk { reference });
            }
            (ClientFrame::Ack { seq }, Some(name)) => {
                if let Some(session) = self.sockets.sessions.get_mut(&name) {
                    session.kept.retain(|(number, _)| *number > seq);
                }
            }
            (ClientFrame::Ping { t }, Some(_)) => self.sockets.send(socket, &ServerFrame::Pong { t }),
        }
    }

    fn welcome(&mut self, socket: u64, account: String, device: String, resume: Option<Resume>, now: UnixMillis) {
        if let Some(resume) = resume {
            let session = self.sockets.sessions.get_mut(&resume.session).filter(|session| {
                session.account == account
                    && session.device == device
                    && (session.socket.is_some() || now.0 - session.left.0 <= RESUMABLE_MS)
                    && resume.seq <= session.seq
                    && session.kept.front().map_or(session.seq, |(first, _)| first - 1) <= resume.seq
            });
            if let Some(session) = session {
                let before = session.socket.replace(socket);
                session.kept.retain(|(number, _)| *number > resume.seq);
                let missed: Vec<String> = session.kept.iter().map(|(_, frame)| frame.clone()).collect();
                if let Some(before) = before {
                    self.sockets.open.remove(&before);
                    self.sockets.outgoing.push((before, Outgoing::Close(1008)));
                }
                self.sockets.open.insert(socket, Some(resume.session));
                self.sockets.send(socket, &ServerFrame::Resumed { from: resume.seq + 1 });
                self.sockets.outgoing.extend(missed.into_iter().map(|frame| (socket, Outgoing::Text(frame))));
                return;
            }
            self.sockets.send(socket, &ServerFrame::Reset { reason: "gap".to_owned() });
        }
        self.sockets.named += 1;
        let name = format!("session-{}", self.sockets.named);
        let (topics, kept) = (BTreeSet::new(), VecDeque::new());
        let session = Session { account, device, topics, seq: 0, kept, socket: Some(socket), left: now };
        self.sockets.sessions.insert(name.clone(), session);
        self.sockets.open.insert(socket, Some(name.clone()));
        let welcome = ServerFrame::Welcome {
            session: name,
            heartbeat_ms: HEARTBEAT_MS,
            max_topics: self.rules.max_topics,
            server_time: now,
        };
        self.sockets.send(socket, &welcome);
    }

    fn subscribe(&mut self, socket: u64, name: &str, reference: u32, topics: Vec<String>) {
        let sound = |topic: &String| !topic.is_empty() && topic.bytes().all(|digit| digit.is_ascii_hexdigit());
        let most = self.rules.max_topics as usize;
        let Some(session) = self.sockets.sessions.get_mut(name) else { return };
        let wanted: BTreeSet<String> = session.topics.iter().cloned().chain(topics.iter().cloned()).collect();
        let refused = if !topics.iter().all(sound) {
            Some("malformed")
        } else if wanted.len() > most {
            Some("too_many")
        } else {
            None
        };
        match refused {
            Some(code) => self.sockets.send(socket, &ServerFrame::SubErr { reference, code: code.to_owned() }),
            None => {
                session.topics = wanted;
                self.sockets.send(socket, &ServerFrame::SubOk { reference });
            }
        }
    }

    /// Tells everybody whom it concerns. The device that made the change has its answer.
    pub(super) fn publish(&mut self, settled: &Settled, account: &str, device: &str, now: UnixMillis) {
        let kept_frames = self.rules.kept_frames;
        let expired = |session: &Session| session.socket.is_none() && now.0 - session.left.0 > RESUMABLE_MS;
        self.sockets.sessions.retain(|_, session| !expired(session));
        let names: Vec<String> = self.sockets.sessions.keys().cloned().collect();
        for name in names {
            let session = &self.sockets.sessions[&name];
            let wants = |subject: &&QrHash| {
                let digits = subject.to_string();
                session.topics.iter().any(|topic| digits.starts_with(topic))
            };
            let ratings = settled.changed.iter().filter(wants);
            let data: Vec<_> = ratings.map(|subject| self.registers.rating(subject, &session.account, now)).collect();
            let concerned = settled.account_changed && session.account == account && session.device != device;
            if !data.is_empty() {
                self.sockets.send_data(&name, kept_frames, |seq| ServerFrame::Rating { seq, data });
            }
            if concerned {
                self.sockets.send_data(&name, kept_frames, |seq| ServerFrame::Changed { seq });
            }
        }
    }
}

fn text(frame: &ServerFrame) -> String {
    serde_json::to_string(frame).expect("plain data")
}
