//! Results as JSON. That no field or variant is forgotten is checked by the compiler.

use safescan_core::{engine::CircuitEntry, model::*, resilience::BreakerState};
use serde_json::{Map, Value};

use crate::read::camel_case;

/// A result as the scenarios write it.
pub(crate) trait Show {
    fn show(&self) -> Value;
}

impl Show for () {
    fn show(&self) -> Value {
        Value::Null
    }
}

impl<T: Show> Show for Option<T> {
    fn show(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::show)
    }
}

impl<T: Show> Show for Vec<T> {
    fn show(&self) -> Value {
        self.iter().map(T::show).collect()
    }
}

macro_rules! plain {
    ($($type:ty),*) => {$(
        impl Show for $type {
            fn show(&self) -> Value {
                self.clone().into()
            }
        }
    )*};
}
plain!(String, bool, u32, f64);

macro_rules! quantities {
    ($($type:ident),*) => {$(
        impl Show for $type {
            fn show(&self) -> Value {
                self.0.into()
            }
        }
    )*};
}
quantities!(UnixMillis, ByteCount);

macro_rules! ids {
    ($($type:ident),*) => {$(
        impl Show for $type {
            fn show(&self) -> Value {
                self.to_string().into()
            }
        }
    )*};
}
ids!(QrHash, VoterId, ScanId, OperationId);

/// Enums without data: their variant's name is what `Debug` says.
macro_rules! names {
    ($($type:ident),*) => {$(
        impl Show for $type {
            fn show(&self) -> Value {
                format!("{self:?}").into()
            }
        }
    )*};
}
names!(
    Assessment,
    BreakerState,
    HealthCause,
    IdentityKeySource,
    OperationKind,
    OperationState,
    ParkedReason,
    QrKind,
    RatingSource,
    Service,
    ServiceState,
    SpamRule,
    StoreName,
    Verdict,
    VoteChoice
);

macro_rules! records {
    ($($type:ident { $($field:ident),* })*) => {$(
        impl Show for $type {
            fn show(&self) -> Value {
                let Self { $($field),* } = self;
                let mut fields = Map::new();
                $(fields.insert(camel_case(stringify!($field)), $field.show());)*
                fields.into()
            }
        }
    )*};
}
records! {
    Scan { id, text, kind, verdict, scanned_at, qr_hash, metadata }
    ScanPage { scans, next_cursor, withheld }
    Vote { qr_hash, choice, voted_at, voter_id, pending }
    VotePage { votes, next_cursor, withheld }
    Rating {
        qr_hash, safe_votes, unsafe_votes, total_votes, confidence, lower, upper, effective_votes, assessment, source,
        last_updated, own_vote, host_hash
    }
    KvEntry { key, value }
    Settings { notifications, auto_sync, scan_retention_days, vote_retention_days }
    Operation { id, kind, state, parked_reason, created_at, attempts, last_error, next_attempt_at }
    SyncReport { sent, superseded, parked, deferred, received, waiting, plain_server }
    BackgroundRun { finished, report }
    OperationPage { operations, next_cursor, withheld }
    StorageUsage { used, limit, scans, votes, key_value, operations, on_disk }
    StoreReport { store, intact, damaged }
    IntegrityReport { intact, structure_intact, stores }
    RepairReport { rebuilt, stores, quarantine }
    CleanUpReport { expired_scans, expired_votes, evicted_scans, freed }
    ExportReport { records, written, withheld }
    CacheStatistics { entries, capacity, hits, misses, hit_rate }
    Statistics {
        scans, votes, rated_codes, lifetime_safe_votes, lifetime_unsafe_votes, kv_entries, pending_operations, cache
    }
    ServiceHealth { service, state, cause, since }
    Health { services, identity_key }
}

macro_rules! variants {
    (@show $variant:ident) => { stringify!($variant).into() };
    (@show $variant:ident { $($field:ident),* }) => {{
        let mut fields = Map::new();
        fields.insert("type".into(), stringify!($variant).into());
        $(fields.insert(camel_case(stringify!($field)), $field.show());)*
        fields.into()
    }};
    ($($type:ident { $($variant:ident $({ $($field:ident),* })?)* })*) => {$(
        impl Show for $type {
            fn show(&self) -> Value {
                match self {
                    $(Self::$variant $({ $($field),* })? => variants!(@show $variant $({ $($field),* })?),)*
                }
            }
        }
    )*};
}
variants! {
    VoteOutcome {
        Accepted { rating }
        Updated { rating }
        Retracted { rating }
        Unchanged { rating }
        Throttled { rule, retry_after_ms }
        NotVotable { kind }
    }
    CircuitEntry {
        Allowed { permit }
        Refused { retry_after_ms }
    }
    Event {
        ScansAdded { count, latest }
        ScansRemoved { count }
        ScansEvicted { count }
        VoteChanged { qr_hash }
        RatingChanged { rating }
        SettingsChanged
        KeyValueChanged { keys }
        DamageFound { store, count }
        Repaired { report }
        HealthChanged { health }
        SyncFinished { report }
        OperationSuperseded { id, kind }
        OperationParked { id, reason }
        OperationsChanged { pending }
        TokenWanted
        ImportProgress { done, total }
        Erased
        Missed { count }
    }
}
