//! The border to Kotlin, Swift and TypeScript: the only place that knows UniFFI.
//!
//! Each file holds one group of calls with the records they use. A record is *mirrored* here from the core's own type:
//! the compiler checks the mirror field by field, and the mirror carries the documentation that app developers read in
//! KDoc, Swift and TSDoc. A call converts nothing but errors: ids and times are custom types that convert themselves.
//!
//! Every asynchronous call runs as a task on the core's own runtime. A caller that goes away (a cancelled coroutine, an
//! aborted promise) therefore never leaves a half-done step behind: the work goes on to its end without it.

mod cache;
mod custom_types;
mod errors;
mod functions;
mod import;
mod key_value;
mod lifecycle;
mod observation;
mod operations;
mod ratings;
mod resilience;
mod safe_scan;
mod scans;
mod settings;
mod sync;
#[cfg(feature = "test-hooks")]
mod test_hooks;
mod upkeep;
mod votes;

pub use self::{
    functions::{canonical_qr, classify_qr, core_version, hash_qr_data},
    observation::{EventListener, EventReader, ListenerError, LogSink},
    safe_scan::SafeScan,
};

uniffi::setup_scaffolding!("safescan_core");
