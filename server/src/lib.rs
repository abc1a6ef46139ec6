//! The reference server of SafeScan.
//!
//! It keeps what devices send and tells them what others sent: votes as registers that converge whatever the order they
//! come in, and of each code the sums from which every device computes the same rating. `docs/protocol.md` is what it
//! speaks; the types are the core's own.
//!
//! | room | what it does |
//! |---|---|
//! | [`rules`] | decides what becomes of operations, over any database |
//! | [`storage`] | the databases: the trait, and SQLite |
//! | [`http`] | requests: connections, bounds, routes |
//! | [`realtime`] | sockets: sessions, topics, back-pressure |
//! | [`auth`], [`limits`] | who asks, and how often |
//! | [`faults`] | goes wrong on purpose, in front of all that |
//! | [`drain`], [`metrics`], [`log`] | the end, the figures, the lines |

pub mod app;
pub mod auth;
pub mod clock;
pub mod config;
pub mod drain;
pub mod error;
pub mod faults;
pub mod http;
pub mod limits;
pub mod log;
pub mod metrics;
pub mod options;
pub mod realtime;
pub mod rules;
pub mod storage;
