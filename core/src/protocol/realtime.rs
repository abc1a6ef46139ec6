use serde::{Deserialize, Serialize};

use super::{Rating, shape::objects};
use crate::model::UnixMillis;

objects!(ClientFrame, Resume, ServerFrame);

/// What a device says on the socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", tag = "op", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ClientFrame {
    /// Who is there. The first frame, within ten seconds.
    Hello {
        /// [`VERSION`](super::VERSION).
        protocol: u32,
        /// Which device.
        device: String,
        /// Of the account.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<String>,
        /// Which session to go on with.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        resume: Option<Resume>,
    },
    /// More topics.
    Sub {
        /// Comes back in the answer.
        #[serde(rename = "ref")]
        reference: u32,
        /// Beginnings of hashes.
        topics: Vec<String>,
    },
    /// Fewer topics.
    Unsub {
        /// Comes back in the answer.
        #[serde(rename = "ref")]
        reference: u32,
        /// Beginnings of hashes.
        topics: Vec<String>,
    },
    /// Everything up to here has come.
    Ack {
        /// Of the last frame that came.
        seq: u64,
    },
    /// Is anybody there?
    Ping {
        /// Comes back in the answer.
        t: i64,
    },
}

/// A session to go on with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Resume {
    /// Its name.
    pub session: String,
    /// The last frame that came.
    pub seq: u64,
}

/// What a server says on the socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", tag = "op", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ServerFrame {
    /// A new session.
    Welcome {
        /// Its name.
        session: String,
        /// How often to ping, in milliseconds.
        heartbeat_ms: u32,
        /// Topics at a time.
        max_topics: u32,
        /// The server's clock.
        server_time: UnixMillis,
    },
    /// The session goes on.
    Resumed {
        /// The next data frame's number.
        from: u64,
    },
    /// The session cannot go on: frames were lost. A welcome follows; topics must be subscribed again.
    Reset {
        /// Why, in a word.
        reason: String,
    },
    /// Topics were added.
    SubOk {
        /// From the request.
        #[serde(rename = "ref")]
        reference: u32,
    },
    /// Topics were not added.
    SubErr {
        /// From the request.
        #[serde(rename = "ref")]
        reference: u32,
        /// `too_many` or `malformed`.
        code: String,
    },
    /// Topics were taken away.
    UnsubOk {
        /// From the request.
        #[serde(rename = "ref")]
        reference: u32,
    },
    /// Ratings changed.
    Rating {
        /// One more than the data frame's before.
        seq: u64,
        /// The newest of each.
        data: Vec<Rating>,
    },
    /// Something of the account changed: fetch it.
    Changed {
        /// One more than the data frame's before.
        seq: u64,
    },
    /// Somebody is there.
    Pong {
        /// From the ping.
        t: i64,
    },
    /// The server is about to stop.
    Bye {
        /// Come back after a moment drawn between these, in milliseconds.
        reconnect_after_ms: [u32; 2],
    },
    /// Something is wrong; the socket is closed next.
    Error {
        /// `auth`, `protocol` or `silence`.
        code: String,
    },
    /// Something that this version does not know.
    #[serde(other)]
    Unknown,
}

/// Why a socket was closed.
pub mod close {
    /// The token is not accepted.
    pub const AUTH: u16 = 4001;
    /// The other side does not keep to the protocol.
    pub const PROTOCOL: u16 = 4002;
    /// Nothing was heard for too long.
    pub const SILENCE: u16 = 4009;
    /// A binary frame came.
    pub const BINARY: u16 = 1003;
}
