//! When to try, when to wait, and when to leave a service alone.
//!
//! Three policies, each a few numbers and a pure function of the moment:
//!
//! - [`Breaker`] stops calls to a service that fails, and lets a probe through from time to time; [`Breakers`] holds
//!   one for every name.
//! - [`BackoffPolicy`] says how long to wait before trying again, each caller another while.
//! - [`RateLimiter`] lets through so many calls a second, and a few more at once.
//!
//! Moments are monotonic readings in milliseconds, given by the caller. A reading that goes back (another process took
//! over the state, a test turned the clock) may shorten a wait; it never makes one longer than the policy says.

mod backoff;
mod breaker;
mod breakers;
mod limiter;

pub use self::{backoff::*, breaker::*, breakers::*, limiter::*};
