//! Sockets: who wants to know of which changes, and is told.
//!
//! A *session* outlives its sockets: topics, numbers and what was not yet received wait for a device that comes back
//! within some minutes. It never holds ratings, only which codes changed: what is sent is read at the moment of sending.
//! So a client that is slow, or away, costs 32 bytes for each code at the most, however often the code changes meanwhile,
//! and always gets the newest.

mod backlog;
mod greeting;
mod hub;
mod session;
mod socket;

pub(crate) use self::greeting::upgrade;
pub use self::hub::Hub;
