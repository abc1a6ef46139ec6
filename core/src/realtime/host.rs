//! What the live link is told, and what it tells. Whoever drives the synchronisation implements [`LiveHost`].

use std::collections::BTreeSet;

use futures_util::future::BoxFuture;

use super::Ended;
use crate::{
    model::{Token, UnixMillis},
    protocol::Rating,
};

/// What the app wants of the link now. Sent anew whenever it changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// Whether there should be a connection: a server is configured, the app is in front, the network is not known to be
    /// down. Topics need not be watched: the account's own changes come as well.
    pub(crate) live: bool,
    /// Beginnings of the hashes of watched codes.
    pub(crate) topics: BTreeSet<String>,
    /// For whom.
    pub(crate) token: Option<Token>,
    /// The token's number: another one whenever the app gives a token.
    pub(crate) token_version: u64,
    /// Another number whenever the network comes back or becomes another one.
    pub(crate) network_version: u64,
    /// Which device.
    pub(crate) device: String,
}

/// Where everything goes that comes over the link.
///
/// All but [`ratings`](Self::ratings) and [`long_poll`](Self::long_poll) are notes: they must return at once, and they
/// are made as often as there is a reason, so whoever takes them folds them together.
pub(crate) trait LiveHost: Send + Sync + 'static {
    /// Stores ratings; the next ones come when this is done. It may be dropped half-way: what was not stored comes again
    /// or is pulled.
    fn ratings(&self, ratings: Vec<Rating>) -> BoxFuture<'_, ()>;

    /// Something was missed, or may have been: pull with the cursor. Must be kept in mind until a pull has succeeded.
    fn pull(&self, why: Pull);

    /// These topics bring later changes from now on: what they have so far is to be looked up.
    /// Whether later changes come over the socket, or with polls, is told as well.
    fn look_up(&self, topics: Vec<String>, over_socket: bool);

    /// What the server's clock shows.
    fn server_time(&self, now: UnixMillis);

    /// How the link stands, whenever that changes.
    fn state(&self, state: LiveState);

    /// The server does not take the token of this version. The link waits until there is another.
    fn token_refused(&self, version: u64);

    /// Asks for changes once, with patience, as the way round a network that lets no socket through.
    fn long_poll(&self) -> BoxFuture<'_, PollOutcome>;
}

/// Why a pull is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pull {
    /// A new session began: what happened before it is not in it.
    NewSession,
    /// The same, because the server could not go on with the old one.
    Reset,
    /// A frame did not have the next number.
    Gap,
    /// The account changed.
    Changed,
    /// More came than could be stored.
    Overflow,
    /// A frame without a number that says that something happened.
    Hint,
    /// A frame that nobody can read: it may have been a change.
    Unreadable,
    /// The server has no place for some topics: with every heartbeat it is looked whether theirs changed.
    LeftOut,
}

/// How the link stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LiveState {
    /// Not wanted, and closed.
    Off,
    /// A socket is being opened.
    Connecting,
    /// Changes come at once.
    Live {
        /// Topics for which the server has no place: pulls bring theirs.
        left_out: usize,
    },
    /// Not connected, and trying again in a while.
    Waiting {
        /// What ended the last try.
        why: Ended,
        /// How long, in milliseconds.
        ms: u32,
    },
    /// No socket gets through: changes are asked for.
    Polling,
    /// The server does not take the token.
    Unauthorized,
}

/// How a long poll ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PollOutcome {
    /// Changes came, and are stored.
    Changed,
    /// There were none.
    Nothing,
    /// There is no answer.
    Failed,
    /// The token is not taken.
    Unauthorized,
}
