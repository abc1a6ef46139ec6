//! Many runs of several phones and a server, each determined by a seed: see `README.md` in this folder.
#![cfg(feature = "test-hooks")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on must stop")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "progress and traces are for whoever runs it")]

mod book;
mod checks;
mod client;
mod deeds;
mod dice;
mod fake;
mod handset;
mod model;
mod network;
mod phone;
mod plan;
mod seeds;
mod selftest;
mod settle;
mod sockets;
mod time;
mod trace;
mod world;
