//! Moving in from AsyncStorage, with files as each platform writes them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on must stop")]

#[path = "../support/mod.rs"]
mod support;

mod again;
mod android;
mod apple;
mod broken;
mod confirm;
mod files;
mod kills;
mod said;
mod stores;
