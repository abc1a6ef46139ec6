//! A tally as bytes: fixed places, little-endian. Sums outgrow SQLite's 64-bit integers at a few thousand votes.

use safescan_core::{
    model::UnixMillis,
    voting::{Side, Tally},
};

const SIDE: usize = 4 + 3 * 16;
const INSTANT: usize = 8;
const LENGTH: usize = 2 * SIDE + 3 * INSTANT;
/// Stands for "none" among instants: no vote is that old.
const NONE: i64 = i64::MIN;

pub(super) fn encode(tally: &Tally) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(LENGTH);
    for side in [&tally.safe, &tally.unsafe_] {
        bytes.extend(side.count.to_le_bytes());
        [side.n, side.s, side.c].iter().for_each(|sum| bytes.extend(sum.to_le_bytes()));
    }
    let instant = |at: Option<UnixMillis>| at.map_or(NONE, |at| at.0);
    for at in [tally.watermark.0, instant(tally.newest), instant(tally.exact_until)] {
        bytes.extend(at.to_le_bytes());
    }
    bytes
}

pub(super) fn decode(bytes: &[u8]) -> Option<Tally> {
    if bytes.len() != LENGTH {
        return None;
    }
    let sum = |at: usize| Some(i128::from_le_bytes(bytes.get(at..at + 16)?.try_into().ok()?));
    let side = |at: usize| {
        let count = u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?);
        Some(Side { count, n: sum(at + 4)?, s: sum(at + 20)?, c: sum(at + 36)? })
    };
    let instant = |index: usize| {
        let at = 2 * SIDE + index * INSTANT;
        Some(i64::from_le_bytes(bytes.get(at..at + INSTANT)?.try_into().ok()?))
    };
    let optional = |at: i64| (at != NONE).then_some(UnixMillis(at));
    Some(Tally {
        safe: side(0)?,
        unsafe_: side(SIDE)?,
        watermark: UnixMillis(instant(0)?),
        newest: optional(instant(1)?),
        exact_until: optional(instant(2)?),
    })
}

#[cfg(test)]
mod tests {
    use safescan_core::{
        model::VoteChoice,
        voting::{Ballot, Reputation},
    };

    use super::*;

    #[test]
    fn what_is_encoded_is_decoded() {
        let mut tally = Tally::default();
        assert_eq!(decode(&encode(&tally)), Some(tally), "empty");
        let ballot = Ballot { choice: VoteChoice::Safe, at: UnixMillis(i64::MAX / 2), reputation: Reputation::MAX };
        for _ in 0..5 {
            tally.add(&ballot);
        }
        assert_eq!(decode(&encode(&tally)), Some(tally), "sums beyond 64 bits");
        assert_eq!(decode(&[0; LENGTH - 1]), None);
    }
}
