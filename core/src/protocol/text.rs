//! How ids and choices are written in JSON.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::model::{OperationId, QrHash, UnixMillis, VoteChoice, VoterId};

macro_rules! as_text {
    ($($name:ident),*) => { $(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                // The text itself may be somebody's id: it is not repeated.
                $name::parse(&text).ok_or_else(|| D::Error::custom(concat!("not a ", stringify!($name))))
            }
        }
    )* };
}

as_text!(OperationId, QrHash, VoterId);

impl Serialize for UnixMillis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for UnixMillis {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        i64::deserialize(deserializer).map(Self)
    }
}

/// How a vote is written.
pub(super) const CHOICES: [(VoteChoice, &str); 2] = [(VoteChoice::Safe, "safe"), (VoteChoice::Unsafe, "unsafe")];

impl Serialize for VoteChoice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let written = CHOICES.iter().find(|(choice, _)| choice == self).map_or("", |(_, text)| text);
        serializer.serialize_str(written)
    }
}

impl<'de> Deserialize<'de> for VoteChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let read = CHOICES.iter().find(|(_, written)| *written == text).map(|(choice, _)| *choice);
        read.ok_or_else(|| D::Error::custom("not a vote"))
    }
}

/// A vote, or `"none"` for one that was taken back.
pub(super) mod standing {
    use super::*;

    pub(in crate::protocol) fn serialize<S: Serializer>(
        vote: &Option<VoteChoice>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match vote {
            Some(choice) => choice.serialize(serializer),
            None => serializer.serialize_str("none"),
        }
    }

    pub(in crate::protocol) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<VoteChoice>, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        if text == "none" {
            return Ok(None);
        }
        let read = CHOICES.iter().find(|(_, written)| *written == text).map(|(choice, _)| *choice);
        read.map(Some).ok_or_else(|| D::Error::custom("not a vote"))
    }
}
