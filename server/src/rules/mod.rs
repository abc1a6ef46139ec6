//! What the server makes of operations: the rules of the protocol, over any [`Ledger`].
//!
//! A batch is judged operation by operation, each by these steps:
//!
//! 1. An operation whose id the device's memory holds is a duplicate and repeats its outcome. The memory reaches down to
//!    the *floor*, the oldest place that the device says is not settled; below it the register alone judges.
//! 2. The register judges: the later time wins, then the larger device, then the later place. A deletion always wins.
//! 3. A vote that would win is held against the limits, and may be deferred.
//! 4. What wins is written, with everything that follows from it: the code's sums, the register on the host, the host's
//!    sums, revisions, the device's memory. All of it, or, when the transaction fails, nothing.

mod apply;
mod batch;
mod floor;
mod hosts;
mod items;
mod ledger;
mod limits;
mod stamp;
mod sums;
mod votes;

pub use self::{apply::apply, batch::*, floor::floor_after, ledger::*, limits::VoteLimits, stamp::Stamp, sums::settle};
