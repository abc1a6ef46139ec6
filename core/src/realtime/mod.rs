//! The live connection: what others vote, and what the account's other devices do, within a second of it.
//!
//! It is a convenience and never the truth. Everything that comes over the socket can also be pulled with the cursor, so
//! whenever something may have been missed the answer is one and the same: ask the [`LiveHost`] to pull. That is what
//! allows every queue here to be bounded, every doubtful frame to be dropped, and the link to die at any instant.
//!
//! ```text
//!            wanted                      welcome / resumed
//!   Off ───────────────▶ Connecting ─────────────────────────▶ Live
//!    ▲                    │  ▲   │ no upgrade, 3 times          │ cut, silence, bye, 4002
//!    │ not wanted,        │  │   ▼                              ▼
//!    └─ from everywhere   │  └── Polling (probes again)       Waiting ──▶ Connecting
//!                         └───▶ Unauthorized (until there is another token)
//! ```
//!
//! The rules, which `docs/protocol.md` gives the reasons for:
//! 1. **One socket.** A single task goes through the states; it drops a socket before it asks for the next. While nothing
//!    is wanted there is no socket and no timer, only the wait for a word on the watch channel.
//! 2. **It never gives up** while wanted: after a loss it waits 1 s, doubling to 30 s, with full jitter. Only 30 s of
//!    connection, or the network's return, start the row anew, so that a server that accepts and hangs up is not hammered.
//!    A `bye` is obeyed even if the network changes; a refused token is never shown twice.
//! 3. **Frames are numbered.** A number that is not the next one means a pull. What is resumed, for five minutes, is the
//!    last frame that was *stored*: what came but was not stored when the link died comes again.
//! 4. **Ratings are stored one frame at a time**; what comes meanwhile waits in a bounded [`Inbox`], and if that overflows
//!    it is emptied and a pull makes good for it. A slow disk does not look like a dead connection.
//! 5. **Nothing is queued to be said.** What is said follows from the difference between the topics wanted and those held,
//!    worked out when the wire is free; hence subscriptions survive whatever happens to a connection.
//! 6. **A new session is followed by one pull**, once its topics stand: changes between the two connections are in it. A
//!    new topic is looked up once it stands, for it brings later changes only.
//! 7. **Topics for which the server has no place** are pulled for, with every heartbeat: they come later, not never.
//!
//! The pure parts ([`Dialogue`], [`Topics`], [`Inbox`], [`Retry`]) know no socket and no time. The loops around them wait
//! with tokio's timers and poll in a fixed order, so that a simulation under paused time repeats to the bit.

mod connection;
mod dialogue;
mod host;
mod inbox;
mod link;
mod outbox;
mod reading;
mod retry;
mod topics;
mod wait;

#[cfg(test)]
mod tests;

use std::time::Duration;

use self::{dialogue::Dialogue, inbox::Inbox, retry::Retry, topics::Topics};
pub(crate) use self::{
    host::{LiveHost, LiveState, PollOutcome, Pull, Wanted},
    link::LiveLink,
    retry::Ended,
};

/// How this room signs its records.
const TARGET: &str = "realtime";
/// How long a server goes on knowing a session whose connection is gone.
const RESUMABLE: Duration = Duration::from_secs(5 * 60);
