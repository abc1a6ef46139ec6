//! The on-device data core of SafeScan: everything an app that judges QR codes keeps and computes on the phone.
//!
//! A core is opened on a directory and replaces what an app would otherwise build from a key-value store, a cache, a sync
//! queue and a handful of singletons: scan history, votes, community ratings, settings, key-value data, a cache, circuit
//! breakers and health. What it acknowledges survives a killed process and a power cut; what it cannot reach it replaces
//! by the next best thing and says so.
//!
//! The code lies in layers, and an arrow only ever points down:
//!
//! | layer | rooms | what they may do |
//! |---|---|---|
//! | border | `ffi` | convert for Kotlin, Swift and TypeScript; the only place that knows UniFFI |
//! | engine | [`engine`] | run: threads, tasks, events, the life of a core |
//! | exchange | [`sync`], `realtime` | bring what happened here to the server, and what happened there here |
//! | features | `features` | one use-case after another, each one transaction |
//! | exchange's words | `remote` | one request, and what its answer means |
//! | adapters | `storage`, [`net`], `cache` | the disk (the only SQL), the network and memory |
//! | policy | [`voting`], [`resilience`], [`qr`], [`protocol`] | decide, from nothing but their arguments |
//! | base | [`model`], [`config`], [`error`], [`limits`], [`clock`], [`entropy`], [`log`] | words, numbers, doors to the world |
//!
//! Without the feature `engine` only policy and its base are built: a server computes the very same ratings with them.
//!
//! ```
//! # async fn example() -> Result<(), safescan_core::error::Error> {
//! use safescan_core::{config::Config, engine::Core, model::{NewScan, NewVote, VoteChoice}};
//!
//! let core = Core::open(Config::new("/data/app/safescan")).await?;
//! core.scans.record(NewScan::of("https://example.com/menu")).await?;
//! core.votes.submit(NewVote::of("https://example.com/menu", VoteChoice::Safe)).await?;
//! core.shutdown().await
//! # }
//! ```

pub mod model;
#[cfg(feature = "protocol")]
pub mod protocol;
pub mod qr;
pub mod resilience;
pub mod voting;

#[cfg(feature = "engine")]
mod cache;
#[cfg(feature = "engine")]
pub mod clock;
#[cfg(feature = "engine")]
pub mod config;
#[cfg(feature = "engine")]
pub mod engine;
#[cfg(feature = "engine")]
pub mod entropy;
#[cfg(feature = "engine")]
pub mod error;
#[cfg(feature = "engine")]
pub mod features;
#[cfg(feature = "ffi")]
pub mod ffi;
#[cfg(feature = "engine")]
pub mod limits;
#[cfg(feature = "engine")]
pub mod log;
#[cfg(feature = "engine")]
pub mod net;
#[cfg(feature = "engine")]
mod realtime;
#[cfg(feature = "engine")]
mod remote;
#[cfg(feature = "engine")]
mod storage;
#[cfg(feature = "engine")]
pub mod sync;

#[cfg(feature = "ffi")]
#[doc(hidden)]
pub use ffi::UniFfiTag;
