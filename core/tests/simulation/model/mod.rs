//! A server as the protocol describes it, as simple as it can be: everything in memory, every rating made anew from all
//! votes. It shares the words of the wire and the arithmetic of one tally with the core, and nothing else. It also keeps
//! a ledger of what every operation did, which no real server could afford.

mod feed;
mod ledger;
mod registers;
mod requests;
mod sockets;
mod sync;

use std::collections::{BTreeMap, BTreeSet};

use safescan_core::{
    model::{OperationId, UnixMillis},
    protocol::Outcome,
};

pub(crate) use self::{
    ledger::Ledger,
    registers::Registers,
    requests::{Reply, problem},
    sockets::{Outgoing, Sockets},
};

/// What the server accepts, and how it behaves just now. A run may change it at any time.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    /// Operations in a request.
    pub(crate) max_ops: u32,
    /// Bytes in a request's body.
    pub(crate) max_bytes: u32,
    /// Whether it tells these two; otherwise it tells generous ones and refuses all the same, as a proxy before it may.
    pub(crate) tells_limits: bool,
    /// Changes in a page.
    pub(crate) page: usize,
    /// Ratings in a page of a look-up.
    pub(crate) ratings_page: usize,
    pub(crate) min_interval_ms: u32,
    pub(crate) backoff_ms: u32,
    /// Whether requests need a token.
    pub(crate) tokens: bool,
    /// Whether it speaks the plain protocol only, in which an answer is a list of conflicts.
    pub(crate) plain: bool,
    pub(crate) upgrade: Upgrade,
    pub(crate) spam: Spam,
    /// A body with this in it is refused as malformed, as a firewall with odd ideas does.
    pub(crate) forbidden: Option<&'static str>,
    /// Data frames kept for a session that is away.
    pub(crate) kept_frames: usize,
    pub(crate) max_topics: u32,
}

/// Whether clients of this version are sent away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Upgrade {
    /// They are welcome.
    No,
    /// Uploads are answered by 426.
    Status,
    /// Uploads are answered by 200, `upgrade-required` and no results.
    Control,
}

/// How much voting is too much.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spam {
    pub(crate) window_ms: i64,
    pub(crate) per_window: usize,
    pub(crate) per_code: usize,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            max_ops: 200,
            max_bytes: 262_144,
            tells_limits: true,
            page: 500,
            ratings_page: 500,
            min_interval_ms: 0,
            backoff_ms: 0,
            tokens: true,
            plain: false,
            upgrade: Upgrade::No,
            spam: Spam { window_ms: 60_000, per_window: 10_000, per_code: 10_000 },
            forbidden: None,
            kept_frames: 200,
            max_topics: 256,
        }
    }
}

/// The server.
pub(crate) struct Server {
    pub(crate) rules: Rules,
    pub(crate) registers: Registers,
    pub(crate) ledger: Ledger,
    pub(crate) sockets: Sockets,
    /// Account and end of life of every token ever given out.
    tokens: BTreeMap<String, (String, UnixMillis)>,
    /// By account and device.
    devices: BTreeMap<(String, String), Device>,
    /// Cursors of another age are worth nothing.
    age: u32,
}

/// What is remembered of a device.
#[derive(Default)]
struct Device {
    /// Operations below it are forgotten.
    floor: i64,
    highest: i64,
    /// The first outcome of each that was settled, and its place.
    settled: BTreeMap<OperationId, (i64, Outcome)>,
    /// Those that were sent away with "later": their next try counts by its receipt.
    deferred: BTreeSet<OperationId>,
}

impl Server {
    pub(crate) fn new(rules: Rules) -> Self {
        Self {
            rules,
            registers: Registers::default(),
            ledger: Ledger::default(),
            sockets: Sockets::default(),
            tokens: BTreeMap::new(),
            devices: BTreeMap::new(),
            age: 1,
        }
    }

    /// A new token for an account.
    pub(crate) fn issue(&mut self, account: &str, until: UnixMillis) -> String {
        let token = format!("token-{}-{account}", self.tokens.len());
        self.tokens.insert(token.clone(), (account.to_owned(), until));
        token
    }

    /// Every token ends now.
    pub(crate) fn expire_tokens(&mut self, now: UnixMillis) {
        for (_, until) in self.tokens.values_mut() {
            *until = (*until).min(now);
        }
    }

    /// Forgets how things came about; what stands, stands. Cursors given out so far are worth nothing from now on.
    pub(crate) fn lose_log(&mut self) {
        self.age += 1;
    }

    /// Stops and starts again: what is on the disk stays, sockets and their sessions do not.
    pub(crate) fn restart(&mut self, farewell: bool) {
        self.sockets.close_all(farewell);
    }

    /// Whose request it is; `None` if it is nobody's.
    fn account(&self, token: Option<&str>, device: &str, now: UnixMillis) -> Option<String> {
        if !self.rules.tokens {
            return Some(format!("device {device}"));
        }
        let (account, until) = self.tokens.get(token?)?;
        (*until > now).then(|| account.clone())
    }
}
