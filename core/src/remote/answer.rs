//! Reading an answer: of this protocol, or of the plain one that knows conflicts only.

use serde::{Deserialize, de::IgnoredAny};

use crate::{
    model::OperationId,
    protocol::{self, SyncResponse},
};

/// What a server says to operations.
#[derive(Debug)]
pub(crate) enum Synced {
    /// In this protocol.
    Full(Box<SyncResponse>),
    /// In the plain one: these operations were in conflict, all others were taken.
    Plain { conflicts: Vec<OperationId> },
}

#[derive(Deserialize)]
struct Plain {
    #[serde(default)]
    protocol: Option<serde_json::Value>,
    conflicts: Vec<PlainConflict>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum PlainConflict {
    Id(String),
    Item { id: String },
    Other(IgnoredAny),
}

/// Reads an answer to operations; `None` if it is none.
pub(crate) fn read_synced(body: &[u8]) -> Option<Synced> {
    if let Ok(response) = protocol::read::<SyncResponse>(body) {
        return (response.protocol > 0).then(|| Synced::Full(Box::new(response)));
    }
    let plain: Plain = protocol::read(body).ok()?;
    if plain.protocol.is_some() {
        // It speaks this protocol, and not properly.
        return None;
    }
    let id = |conflict: &PlainConflict| match conflict {
        PlainConflict::Id(id) | PlainConflict::Item { id } => OperationId::parse(id),
        PlainConflict::Other(_) => None,
    };
    Some(Synced::Plain { conflicts: plain.conflicts.iter().filter_map(id).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plain_protocol_is_recognised() {
        let id = "0199c2e1-0000-7000-8000-000000000001";
        let conflicts = |json: &str| match read_synced(json.as_bytes()) {
            Some(Synced::Plain { conflicts }) => Some(conflicts.len()),
            _ => None,
        };
        assert_eq!(conflicts(r#"{"conflicts":[]}"#), Some(0));
        assert_eq!(conflicts(&format!(r#"{{"conflicts":["{id}",{{"id":"{id}","x":1}},17]}}"#)), Some(2));
        assert_eq!(conflicts(r#"{"protocol":1,"conflicts":[]}"#), None, "this protocol without a time");
        assert_eq!(conflicts(r#"{"conflicts":"none"}"#), None);
        assert_eq!(conflicts("<html>"), None);
    }

    #[test]
    fn the_full_protocol_is_recognised() {
        let json = r#"{"conflicts":[],"protocol":1,"serverTime":5}"#;
        assert!(matches!(read_synced(json.as_bytes()), Some(Synced::Full(response)) if response.server_time.0 == 5));
    }
}
