//! The engine of synchronisation against a server that a test scripts, on tokio's paused time: whatever waits, waits no
//! longer than it takes to say so, and each run is the same as the one before.
//!
//! Most cores here send and fetch only when they are asked, so that a test decides when a run begins. Where the moment
//! itself is the subject, the core does it by itself.
#![cfg(feature = "test-hooks")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on must stop")]

mod access;
mod account;
mod background;
mod batches;
mod clocks;
mod conflicts;
mod failures;
#[path = "../support/held.rs"]
mod held;
mod hostile;
mod kills;
mod outbox;
mod pacing;
mod ratings;
mod refetch;
mod server;
mod sleep;
mod world;
