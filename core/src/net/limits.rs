//! How much of anything a server may take, whatever it does. The numbers stand in `docs/protocol.md`; a field and not a
//! constant each, so that a test need not wait for half a minute.

use std::time::Duration;

/// The bounds of one request, one answer and one socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Until the name is resolved and a connection with its TLS stands: the slowest mobile networks need some seconds.
    pub connect: Duration,
    /// For a whole request, whatever patience it has.
    pub request: Duration,
    /// Between two parts of an answer's body, and for anything sent on a socket to go. Longer than a server holds a long
    /// poll.
    pub idle: Duration,
    /// Bytes of an answer's body, decompressed: twice the largest page.
    pub body: usize,
    /// Lines in an answer's head. Together they have at most 400 KiB, the size of the buffer they are read in.
    pub headers: usize,
    /// Bytes of a message on a socket, either way.
    pub message: usize,
    /// Bytes of a frame that comes on a socket.
    pub frame: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            request: Duration::from_secs(30),
            idle: Duration::from_secs(20),
            body: 1024 * 1024,
            headers: 64,
            message: 256 * 1024,
            frame: 64 * 1024,
        }
    }
}
