//! A running core: opened once per directory, observed while it runs, shut down at the end. The only layer that spawns.

mod background;
mod bus;
#[cfg(feature = "ffi")]
mod calls;
mod circuits;
mod core;
mod dispatcher;
mod hub;
mod registry;

pub use self::{
    bus::EventReader,
    circuits::CircuitEntry,
    core::{Core, Environment},
    dispatcher::{Listener, ListenerFailed, Sink},
};
