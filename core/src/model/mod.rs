//! The words the whole core speaks: plain data without behaviour of its own, the same in every language.
//!
//! What has a meaning has a type (a hash is not a voter id is not a scan id), and what could give a person away has a
//! `Debug` that does not.

#[cfg(feature = "engine")]
mod event;
#[cfg(feature = "engine")]
mod health;
mod id;
#[cfg(feature = "engine")]
mod import;
#[cfg(feature = "engine")]
mod kv;
mod operation;
mod quantity;
mod rating;
mod scan;
#[cfg(feature = "engine")]
mod settings;
#[cfg(feature = "engine")]
mod statistics;
#[cfg(feature = "engine")]
mod sync;
#[cfg(feature = "engine")]
mod token;
#[cfg(feature = "engine")]
mod upkeep;
mod vote;

#[cfg(feature = "engine")]
pub use self::{event::*, health::*, import::*, kv::*, settings::*, statistics::*, sync::*, token::*, upkeep::*};
pub use self::{id::*, operation::*, quantity::*, rating::*, scan::*, vote::*};
