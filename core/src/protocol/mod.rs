//! What a device and a server say to each other: `docs/protocol.md` as types.
//!
//! Both sides use these, so that they cannot disagree about a name. What comes from the other side is never trusted: a
//! field that is missing or of another kind is an error of the whole message, an unknown field is passed over, and an
//! unknown kind of change, result or frame is a value of its own ([`Change::Unknown`] and its like), so that a newer peer
//! can be talked to.

mod message;
mod operation;
mod problem;
mod rating;
mod read;
mod realtime;
mod shape;
mod text;

pub use self::{message::*, operation::*, problem::*, rating::*, read::*, realtime::*};

/// The version that this module speaks.
pub const VERSION: u32 = 1;

/// Where operations are sent and changes come from.
pub const SYNC_PATH: &str = "/api/sync";
/// Where changes alone come from, at once or when there are any.
pub const CHANGES_PATH: &str = "/api/sync/changes";
/// Where ratings are looked up; the beginning of a hash follows.
pub const RATINGS_PATH: &str = "/api/ratings/prefix/";
/// Where the socket is.
pub const SOCKET_PATH: &str = "/ws";
/// The socket's subprotocol.
pub const SUBPROTOCOL: &str = "safescan.v1";

/// Bytes in a page of changes or ratings.
pub const MAX_PAGE_BYTES: usize = 512 * 1024;
/// How long a server holds a request for changes when there are none, in milliseconds.
pub const LONG_POLL_MS: u32 = 15_000;
/// Hexadecimal digits in a topic or a looked-up prefix: 16 bits, shared by one in 65,536 codes, tell little.
pub const PREFIX_DIGITS: usize = 4;
