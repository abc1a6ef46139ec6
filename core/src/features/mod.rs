//! What the core does for an app, one subject a file. A use-case checks its arguments, then does its work in one
//! transaction; what it decides, it decides by the pure policies in [`voting`](crate::voting), [`qr`](crate::qr) and
//! [`resilience`](crate::resilience).

mod cloud;
mod context;
mod health;
mod import;
mod key_value;
mod operations;
pub(crate) mod outgoing;
pub(crate) mod ratings;
mod scans;
mod seen;
mod settings;
mod upkeep;
mod votes;
mod watched;

pub(crate) use self::{
    cloud::{Cloud, escaped},
    context::{Context, Names},
    health::{HealthBoard, Reach, cause_of},
    seen::SeenRatings,
    watched::Watched,
};
pub use self::{
    import::Import, key_value::KeyValue, operations::Operations, ratings::Ratings, scans::Scans,
    settings::SettingsStore, upkeep::Upkeep, votes::Votes,
};
