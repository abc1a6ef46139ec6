//! What a frame says. The other side is not trusted: anything may come.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;

use crate::{net::Frame, protocol::ServerFrame};

/// Bytes in a message: the protocol's limit, held below already; what is longer is not even looked at.
const LONGEST: usize = 256 * 1024;

/// What came.
#[derive(Clone, Debug)]
pub(super) enum Reading {
    /// A frame of this protocol, and how long it was.
    Said(ServerFrame, usize),
    /// A frame of an older kind of server, `{"type":…}`: something happened.
    Hint,
    /// Nobody knows.
    Unreadable,
    /// The end.
    Closed(Option<u16>),
}

impl Reading {
    pub(super) fn of(frame: &Frame) -> Self {
        match frame {
            Frame::Close(code) => Self::Closed(*code),
            Frame::Text(text) if text.len() <= LONGEST => match serde_json::from_str(text) {
                Ok(frame) => Self::Said(frame, text.len()),
                Err(_) if is_hint(text) => Self::Hint,
                Err(_) => Self::Unreadable,
            },
            Frame::Text(_) | Frame::Binary => Self::Unreadable,
        }
    }
}

fn is_hint(text: &str) -> bool {
    serde_json::from_str::<BTreeMap<String, IgnoredAny>>(text)
        .is_ok_and(|members| members.contains_key("type") && !members.contains_key("op"))
}
