//! The task that goes from one connection to the next.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};

use super::{
    Dialogue, Ended, LiveHost, LiveState, RESUMABLE, Retry, TARGET, Wanted, connection::Connection, dialogue::Memory,
    retry::Next,
};
use crate::{
    entropy::Entropy,
    log::{Level, Log},
    net::{Failure, RealtimeConnector},
};

/// How long a connector may take. It has limits of its own, ten seconds for each of name, connection and upgrade at the
/// most; this one is for a connector that forgot them.
const CONNECT: Duration = Duration::from_secs(30);

/// The live link of a core.
pub(crate) struct LiveLink {
    pub(super) wanted: watch::Receiver<Wanted>,
    pub(super) voice: Voice,
    pub(super) retry: Retry,
    pub(super) memory: Memory,
    /// What the last connection was tried for.
    pub(super) terms: Terms,
    connector: Arc<dyn RealtimeConnector>,
    entropy: Arc<dyn Entropy>,
    /// Until when the server knows the remembered session.
    resumable_until: Option<Instant>,
    resumable_by: String,
    /// Which version of the token was refused.
    refused: Option<u64>,
}

/// What tells the world about the link.
pub(super) struct Voice {
    pub(super) host: Arc<dyn LiveHost>,
    pub(super) log: Log,
    told: Option<LiveState>,
}

impl LiveLink {
    /// A link that wants nothing until `wanted` says so. It does not read clocks: its waits, and the age of a session, are
    /// measured on tokio's time.
    pub(crate) fn new(
        connector: Arc<dyn RealtimeConnector>,
        entropy: Arc<dyn Entropy>,
        log: Log,
        host: Arc<dyn LiveHost>,
        wanted: watch::Receiver<Wanted>,
    ) -> Self {
        Self {
            wanted,
            voice: Voice { host, log, told: None },
            retry: Retry::default(),
            memory: Memory::default(),
            terms: Terms::default(),
            connector,
            entropy,
            resumable_until: None,
            resumable_by: String::new(),
            refused: None,
        }
    }

    /// Runs until the other end of `wanted` is dropped. May be dropped at any time: that closes the socket.
    pub(crate) async fn run(mut self) {
        let mut next = Next::Rest;
        loop {
            next = match next {
                Next::Stop => break,
                Next::Rest => self.rest().await,
                Next::Connect => self.connect().await,
                Next::Wait { why, ms, until_network } => self.wait(why, ms, until_network).await,
                Next::Poll => self.poll().await,
                Next::AwaitToken => self.await_token().await,
            };
        }
        self.voice.tell(LiveState::Off);
    }

    /// One connection, from its opening to what comes after it.
    async fn connect(&mut self) -> Next {
        let wanted = self.wanted.borrow_and_update().clone();
        if !wanted.live {
            // It was, a moment ago: nobody would tell the socket again that it is not wanted.
            return Next::Rest;
        }
        if wanted.network_version != self.terms.network_version {
            self.retry.start_over();
        }
        self.terms = Terms::of(&wanted);
        self.memory.forget_all_but(&wanted.topics);
        if self.refused == Some(wanted.token_version) {
            return Next::AwaitToken;
        }
        // A way round is in use until this one is known to work.
        if self.voice.told != Some(LiveState::Polling) {
            self.voice.tell(LiveState::Connecting);
        }
        self.forget_what_lapsed(&wanted.device);
        let ended = self.converse(&wanted).await;
        if ended == Ended::Protocol {
            // Whatever led there is not gone on with.
            self.memory.session = None;
        }
        self.next_after(ended)
    }

    async fn converse(&mut self, wanted: &Wanted) -> Ended {
        let connector = Arc::clone(&self.connector);
        let socket = match self.attend(timeout(CONNECT, connector.connect()), Heed::All).await {
            Ok(Ok(Ok(socket))) => socket,
            Ok(Ok(Err(failure))) => return Ended::Failed(failure),
            Ok(Err(_late)) => return Ended::Failed(Failure::TimedOut),
            Err(ended) => return ended,
        };
        let mut dialogue = Dialogue::begin(std::mem::take(&mut self.memory), wanted);
        let Self { voice, retry, wanted, terms, .. } = self;
        let ended = Connection { voice, retry, wanted, terms }.hold(socket, &mut dialogue).await;
        let (memory, was_open) = dialogue.end();
        self.memory = memory;
        if was_open {
            // The moment is all that is wanted of it: nothing waits.
            self.resumable_until = Some(sleep(RESUMABLE).deadline());
        }
        ended
    }

    /// A session belongs to a device, and is known for a while only.
    fn forget_what_lapsed(&mut self, device: &str) {
        let lapsed = self.resumable_until.is_some_and(|until| !until.elapsed().is_zero());
        if lapsed || self.resumable_by != device {
            self.memory.session = None;
            device.clone_into(&mut self.resumable_by);
        }
    }

    /// What comes after such an end.
    pub(super) fn next_after(&mut self, ended: Ended) -> Next {
        let level = if ended == Ended::Protocol { Level::Warn } else { Level::Debug };
        self.voice.log.say(level, TARGET, ended.text(), &[]);
        if ended == Ended::Unauthorized {
            self.refused = Some(self.terms.token_version);
            self.voice.host.token_refused(self.terms.token_version);
        }
        let random = self.random();
        self.retry.after(ended, random)
    }

    pub(super) fn random(&self) -> u64 {
        let mut bytes = [0; 8];
        self.entropy.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }
}

impl Voice {
    /// Says how the link stands, if that is news.
    pub(super) fn tell(&mut self, state: LiveState) {
        if self.told.replace(state) != Some(state) {
            self.host.state(state);
        }
    }
}

/// For whom, where and over which network something is done.
#[derive(Debug, Default)]
pub(super) struct Terms {
    device: String,
    token_version: u64,
    network_version: u64,
}

/// Which changes of the terms matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heed {
    All,
    TokenOnly,
    Nothing,
}

impl Terms {
    fn of(wanted: &Wanted) -> Self {
        Self {
            device: wanted.device.clone(),
            token_version: wanted.token_version,
            network_version: wanted.network_version,
        }
    }

    /// Why what was begun on these terms should not go on.
    pub(super) fn broken_by(&self, wanted: &Wanted, heed: Heed) -> Option<Ended> {
        if !wanted.live {
            return Some(Ended::Unwanted);
        }
        let other_token = self.token_version != wanted.token_version || self.device != wanted.device;
        // A connection of the network before is not waited for: it can be resumed over this one.
        let other_network = self.network_version != wanted.network_version;
        let broken = match heed {
            Heed::All => other_token || other_network,
            Heed::TokenOnly => other_token,
            Heed::Nothing => false,
        };
        broken.then_some(Ended::Outdated)
    }
}
