//! What a code's text is, and the name it goes by.
//!
//! A scanned code is nothing but text. Three questions are answered here from that text alone, without a clock, a
//! disk or a network, so that every phone and every server answers them alike:
//!
//! 1. **What does it hold?** [`classify`] tells the kind by the formats in real use. It knows no error: whatever it does
//!    not recognise is [`QrKind::Text`](crate::model::QrKind::Text).
//! 2. **Which code is it?** [`canonical`] brings a web link into the one form in which a browser would open it, so that
//!    `HTTPS://EXAMPLE.COM` and `https://example.com/#top` are rated as one; [`canonical_host`] takes its host, the
//!    second subject that is rated. [`hash_text`] and [`hash_host`] make the names under which both are known.
//! 3. **May anybody hear of it?** [`is_votable`] stands between a code and the network. A Wi-Fi password or a
//!    visiting card has no business on a server, not even as a hash: short secrets are guessed back from their hash
//!    within seconds. What is never let out is written down in [`NEVER_VOTABLE`], and no configuration changes it.
//!
//! Which way doubt goes: between "this is a link" and "this is a text that happens to look like one" the answer is the
//! link only if a reader of codes would open it. A text that is not taken for a link stays on the device.
//!
//! **What is absent.** No list of tracking parameters, shorteners or dangerous hosts: those change by the week and are
//! opinions, while the name of a code has to stay the same for years. A change of [`canonical`] orphans every rating
//! given before it; treat it as a change of the file format.

mod canonical;
mod firewall;
mod hash;
mod kind;
mod link;

pub use self::canonical::{canonical, canonical_host};
pub use self::firewall::{DEFAULT_VOTABLE, NEVER_VOTABLE, is_votable, validate_votable};
pub use self::hash::{hash_host, hash_text};
pub use self::kind::classify;
