//! What comes after a connection: when to try again, and when to try another way.

use crate::{net::Failure, resilience::BackoffPolicy};

/// Upgrades that fail in a row until another way is taken: one may be a server that restarts, two a coincidence.
const REFUSALS: u32 = 3;
/// How long until a road that was found closed is tried again, in milliseconds: some five minutes (a network that blocks
/// sockets, or a server that speaks otherwise, seldom changes its ways), drawn so that devices do not come in step.
pub(super) const SLOW_MS: [u32; 2] = [4 * 60 * 1000, 6 * 60 * 1000];
/// The longest a `bye` may send a device away: a server that stops for longer is found again by trying.
const LONGEST_BYE_MS: u32 = 5 * 60 * 1000;

/// Why there is no connection any more, or none yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Nobody wants it now.
    Unwanted,
    /// Nobody will ever want it again.
    Abandoned,
    /// Another account, device or network: this connection is not the right one any more.
    Outdated,
    /// It could not be opened, or broke.
    Failed(Failure),
    /// The other side closed it, with this code.
    Closed(Option<u16>),
    /// It opened, but nobody said welcome.
    NoWelcome,
    /// Nobody answered pings.
    Silent,
    /// The token is not taken.
    Unauthorized,
    /// One side does not speak as the other expects.
    Protocol,
    /// Nobody answered when changes were asked for.
    NoAnswer,
    /// The server stops, and wants to be tried again between these, in milliseconds.
    Bye([u32; 2]),
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing until it is wanted.
    Rest,
    /// Nothing any more.
    Stop,
    /// Connect at once.
    Connect,
    /// Connect after so many milliseconds.
    Wait {
        why: Ended,
        ms: u32,
        /// Whether the network's return ends the wait.
        until_network: bool,
    },
    /// Ask for changes.
    Poll,
    /// Nothing until there is another token.
    AwaitToken,
}

/// How the last tries went.
#[derive(Debug, Default)]
pub(super) struct Retry {
    policy: BackoffPolicy,
    /// Failures since a connection that held.
    attempts: u32,
    /// Upgrades in a row that failed.
    refusals: u32,
    /// Tokens in a row that were refused.
    denials: u32,
}

impl Retry {
    /// A connection ended. `random` is any number, every one as likely.
    pub(super) fn after(&mut self, ended: Ended, random: u64) -> Next {
        match ended {
            Ended::Unwanted => Next::Rest,
            Ended::Abandoned => Next::Stop,
            Ended::Outdated => Next::Connect,
            Ended::Unauthorized => {
                self.denials = self.denials.saturating_add(1);
                Next::AwaitToken
            }
            Ended::Protocol => Next::Wait { why: ended, ms: between(SLOW_MS, random), until_network: true },
            Ended::Bye(span) => {
                let ms = between(span.map(|ms| ms.min(LONGEST_BYE_MS)), random);
                Next::Wait { why: ended, ms, until_network: false }
            }
            // A proxy that lets the upgrade through and swallows what follows is as good as one that does not.
            Ended::Failed(Failure::Refused(_)) | Ended::NoWelcome => {
                self.refusals = self.refusals.saturating_add(1);
                if self.refusals >= REFUSALS { Next::Poll } else { self.failed(ended, random) }
            }
            Ended::Failed(_) | Ended::Closed(_) | Ended::Silent | Ended::NoAnswer => self.failed(ended, random),
        }
    }

    /// There is another token. The first is tried at once; but an app that goes on giving bad ones is not followed at its
    /// own speed.
    pub(super) fn with_new_token(&mut self, random: u64) -> Next {
        if self.denials > 1 { self.failed(Ended::Unauthorized, random) } else { Next::Connect }
    }

    /// A connection opened.
    pub(super) fn welcomed(&mut self) {
        self.refusals = 0;
        self.denials = 0;
    }

    /// The server answers reliably, or the network is another one.
    pub(super) fn start_over(&mut self) {
        self.attempts = 0;
    }
}

impl Retry {
    fn failed(&mut self, why: Ended, random: u64) -> Next {
        let ms = self.policy.delay(self.attempts, random);
        self.attempts = self.attempts.saturating_add(1);
        Next::Wait { why, ms, until_network: true }
    }
}

impl Ended {
    /// What the log says of it.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Unwanted => "closed: not wanted",
            Self::Abandoned => "closed for good",
            Self::Outdated => "closed: another account, device or network",
            Self::Failed(_) => "failed",
            Self::Closed(_) => "closed by the server",
            Self::NoWelcome => "no welcome came",
            Self::Silent => "pings stay unanswered",
            Self::Unauthorized => "the token is refused",
            Self::Protocol => "the protocol is not kept",
            Self::NoAnswer => "no answer to a long poll",
            Self::Bye(_) => "the server stops",
        }
    }
}

/// A number between two, in whichever order they are given.
pub(super) fn between([one, other]: [u32; 2], random: u64) -> u32 {
    let (low, high) = (one.min(other), one.max(other));
    let choices = u128::from(high - low) + 1;
    let drawn = (u128::from(random) * choices) >> u64::BITS;
    low.saturating_add(u32::try_from(drawn).unwrap_or(0))
}
