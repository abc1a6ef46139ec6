//! What votes are worth, who cast them, and how many are too many.
//!
//! Everything here is a decision without a memory of its own: it takes the moment, the parameters and what is stored,
//! and says what follows. Nothing reads a clock, a file or a random number, so that a phone and a server that hold the
//! same votes come to the same number, to the last bit.
//!
//! A rating is made in three steps:
//!
//! 1. [`Tally`] keeps the sums of a code's votes. A vote loses weight with age, yet the sums need not be touched:
//!    see the derivation in its module. Whoever stores it also keeps an index of the votes by time, and asks
//!    [`Tally::crossing`] which of them have to change drawers before a reading.
//! 2. [`Weights`] are the two sides' weights at one moment, as integers.
//! 3. [`Score`] is what a person is shown: the share of safe, how certain it is, and a word for it.
//!
//! [`Reputation`] is how much one voter's word counts. [`IdentityKey`] makes voters out of users without naming them.
//! [`SpamGuard`] holds off who votes faster than a person scans.

mod identity;
mod reputation;
mod score;
mod spam;
mod tally;

pub use self::{identity::*, reputation::*, score::*, spam::*, tally::*};
