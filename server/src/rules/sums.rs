//! A subject's sums, kept to the protocol of [`Tally`].

use safescan_core::{
    model::UnixMillis,
    voting::{Ballot, Crossing, Tally},
};

use super::{Ledger, Subject};
use crate::error::Result;

/// Puts the sums right after what counts of one voter changed; the registers are stored already.
pub(super) fn replace(
    ledger: &mut impl Ledger,
    subject: &mut Subject,
    before: Option<&Ballot>,
    after: Option<&Ballot>,
    now: UnixMillis,
) -> Result<()> {
    let in_doubt = before.is_some_and(|ballot| subject.tally.is_extreme(ballot));
    if let Some(ballot) = before {
        subject.tally.remove(ballot);
    }
    if let Some(ballot) = after {
        subject.tally.add(ballot);
    }
    if in_doubt {
        let (newest, oldest_linear) = ledger.extremes(subject.id, subject.tally.watermark)?;
        subject.tally.set_extremes(newest, oldest_linear);
    }
    settle(ledger, subject, now).map(drop)
}

/// Moves the votes that the line has passed over since the sums were stored. Returns whether anything is different.
///
/// # Errors
/// The database fails.
pub fn settle(ledger: &mut impl Ledger, subject: &mut Subject, now: UnixMillis) -> Result<bool> {
    let crossing = subject.tally.crossing(now);
    let (range, move_over): (_, fn(&mut Tally, &Ballot)) = match crossing {
        Crossing::None => return Ok(false),
        Crossing::Forward { after, up_to } => ((after, up_to), Tally::clamp),
        Crossing::Backward { after, up_to } => ((after, up_to), Tally::unclamp),
    };
    ledger.ballots_between(subject.id, range.0, range.1, &mut |ballot| move_over(&mut subject.tally, ballot))?;
    if let Some(watermark) = crossing.watermark() {
        subject.tally.set_watermark(watermark);
    }
    let (newest, oldest_linear) = ledger.extremes(subject.id, subject.tally.watermark)?;
    subject.tally.set_extremes(newest, oldest_linear);
    Ok(true)
}
