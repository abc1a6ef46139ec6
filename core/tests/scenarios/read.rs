//! Arguments out of JSON.

use std::path::Path;

use safescan_core::{UniFfiTag, config::*, error::SafeScanError, model::*};
use serde_json::{Map, Value};
use uniffi::{Lift, Lower, RustBuffer};

/// A value of a scenario as a type of the core. Ids are refused as they are where they cross the language border; that a
/// scenario gives a number for a text, say, is a mistake in the scenario.
pub(crate) trait Read: Sized {
    fn read(value: Value) -> Result<Self, SafeScanError>;
}

/// An object whose fields are taken one by one. What is missing is null; what is left over was misspelt.
pub(crate) struct Fields(Map<String, Value>);

impl Fields {
    pub(crate) fn of(value: Value) -> Self {
        match value {
            Value::Object(fields) => Self(fields),
            Value::Null => Self(Map::new()),
            other => panic!("{other} should be an object"),
        }
    }

    /// The field that Rust knows by this name.
    pub(crate) fn take<T: Read>(&mut self, name: &str) -> Result<T, SafeScanError> {
        T::read(self.0.remove(&camel_case(name)).unwrap_or_default())
    }

    pub(crate) fn take_or<T: Read>(&mut self, name: &str, default: T) -> Result<T, SafeScanError> {
        Ok(self.take::<Option<T>>(name)?.unwrap_or(default))
    }

    /// To be called when everything was taken.
    pub(crate) fn end(self) {
        assert!(self.0.is_empty(), "nobody knows {:?}", self.0.keys().collect::<Vec<_>>());
    }

    pub(crate) fn config(mut self, directory: &Path) -> Result<Config, SafeScanError> {
        let config = Config {
            directory: directory.to_str().expect("a temporary folder has a plain name").to_owned(),
            identity_key: None,
            unlinkable_votes: self.take_or("unlinkable_votes", false)?,
            votable_kinds: self.take("votable_kinds")?,
            max_storage: self.take("max_storage")?,
            cleanup_threshold: self.take("cleanup_threshold")?,
            votes_per_minute: self.take("votes_per_minute")?,
            cache_capacity: self.take("cache_capacity")?,
            cache_ttl_ms: self.take("cache_ttl_ms")?,
            sync: self.take("sync")?,
        };
        self.end();
        Ok(config)
    }
}

/// `scanned_at` as `scannedAt`.
pub(crate) fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| name + &word[..1].to_uppercase() + &word[1..])
}

impl<T: Read> Read for Option<T> {
    fn read(value: Value) -> Result<Self, SafeScanError> {
        if value.is_null() { Ok(None) } else { T::read(value).map(Some) }
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(value: Value) -> Result<Self, SafeScanError> {
        match value {
            Value::Array(items) => items.into_iter().map(T::read).collect(),
            other => panic!("{other} should be a list"),
        }
    }
}

macro_rules! plain {
    ($($type:ty),*) => {$(
        impl Read for $type {
            fn read(value: Value) -> Result<Self, SafeScanError> {
                Ok(serde_json::from_value(value).expect(stringify!($type)))
            }
        }
    )*};
}
plain!(String, bool, u8, u32, i64, f64);

macro_rules! quantities {
    ($($type:ident),*) => {$(
        impl Read for $type {
            fn read(value: Value) -> Result<Self, SafeScanError> {
                i64::read(value).map($type)
            }
        }
    )*};
}
quantities!(UnixMillis, ByteCount);

macro_rules! ids {
    ($($type:ident),*) => {$(
        impl Read for $type {
            fn read(value: Value) -> Result<Self, SafeScanError> {
                across_the_border(String::read(value)?)
            }
        }
    )*};
}
ids!(QrHash, ScanId, OperationId);

/// As a text from another language becomes an id.
fn across_the_border<T: Lift<UniFfiTag, FfiType = RustBuffer>>(text: String) -> Result<T, SafeScanError> {
    let lifted = T::try_lift(<String as Lower<UniFfiTag>>::lower(text));
    lifted.map_err(|error| error.downcast().expect("an id is refused by an error for the app"))
}

macro_rules! names {
    ($($type:ident { $($variant:ident),* })*) => {$(
        impl Read for $type {
            fn read(value: Value) -> Result<Self, SafeScanError> {
                match value.as_str() {
                    $(Some(stringify!($variant)) => Ok(Self::$variant),)*
                    _ => panic!("{value} is no {}", stringify!($type)),
                }
            }
        }
    )*};
}
names! {
    QrKind { WebLink, AppLink, Wifi, Contact, Otp, Email, Sms, Phone, Location, Calendar, Payment, Product, Text }
    Verdict { Unknown, Safe, Suspicious, Unsafe }
    VoteChoice { Safe, Unsafe }
    MemoryPressure { Moderate, Critical }
    NetworkState { Unknown, Online, Offline }
}

macro_rules! records {
    ($($type:ident { $($field:ident $(= $default:literal)?),* })*) => {$(
        impl Read for $type {
            fn read(value: Value) -> Result<Self, SafeScanError> {
                let mut fields = Fields::of(value);
                let record = Self { $($field: records!(fields $field $($default)?)),* };
                fields.end();
                Ok(record)
            }
        }
    )*};
    ($fields:ident $field:ident) => { $fields.take(stringify!($field))? };
    ($fields:ident $field:ident $default:literal) => { $fields.take_or(stringify!($field), $default)? };
}
records! {
    NewScan { text, verdict, scanned_at, metadata }
    ScanQuery { limit = 50, cursor, verdict, kind, from, until, text }
    NewVote { code, choice, user_id, voted_at }
    VoteQuery { limit = 50, cursor, user_id }
    KvPair { key, value }
    SettingsUpdate { notifications, auto_sync, scan_retention_days, vote_retention_days }
    SyncConfig {
        base_url, share_scans = false, share_settings = false,
        only_when_asked = false, allow_plain_loopback = false, trusted_roots, pinned_keys
    }
}

impl Read for CodeRef {
    fn read(value: Value) -> Result<Self, SafeScanError> {
        let mut fields = Fields::of(value);
        let code = match fields.take::<String>("type")?.as_str() {
            "Text" => Self::Text { text: fields.take("text")? },
            "Hash" => Self::Hash { qr_hash: fields.take("qr_hash")? },
            other => panic!("{other} is no CodeRef"),
        };
        fields.end();
        Ok(code)
    }
}
