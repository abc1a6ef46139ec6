//! How many votes are too many. A vote is rated by its own (clamped) time, so that an honest backlog passes at once;
//! one that was deferred is rated by its receipt when it comes again, so that every queue drains.

use safescan_core::model::{DAY_MS, MINUTE_MS, UnixMillis};
use serde::Deserialize;

use super::{Cast, DayUse};

/// The limits. Only votes that took effect count; a retraction counts as a change of its code and nothing else, for
/// nobody should have to wait a day to take something back. A limit of 0 is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VoteLimits {
    /// A voter's votes in a minute.
    pub voter_per_minute: u32,
    /// An account's votes in a minute: bounds whoever makes up a voter for every vote.
    pub account_per_minute: u32,
    /// Changes of one vote in a minute.
    pub changes_per_code: u32,
    /// A voter's votes received in a day.
    pub voter_per_day: u32,
    /// An account's votes received in a day.
    pub account_per_day: u32,
}

impl Default for VoteLimits {
    fn default() -> Self {
        Self {
            // One every six seconds is about as fast as codes can be scanned, looked at and judged; devices keep to it.
            voter_per_minute: 10,
            // A family on one device, each at their own limit.
            account_per_minute: 60,
            // Somebody who changed their mind five times within a minute is playing.
            changes_per_code: 5,
            // A working day of nothing else.
            voter_per_day: 500,
            account_per_day: 2_000,
        }
    }
}

/// The shortest wait that is asked for: less would only make devices spin.
const SHORTEST_WAIT_MS: i64 = 1_000;

/// Whether one more at `at` is too many: whether some minute that it lies in holds `limit` of these moments already.
pub(super) fn is_crowded(mut moments: Vec<UnixMillis>, limit: u32, at: UnixMillis) -> bool {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if limit == 0 || moments.len() < limit {
        return false;
    }
    moments.push(at);
    moments.sort_unstable();
    // With `at` itself among them, one more than `limit` is what must not fit into a minute around it.
    let mut crowds = moments.windows(limit + 1).filter(|crowd| crowd[0] <= at && crowd[limit] >= at);
    crowds.any(|crowd| crowd[limit].since(crowd[0]) < MINUTE_MS)
}

/// How long after `now` one more, rated by its receipt, would pass; `recent` are the moments of the last minute.
pub(super) fn wait_by_receipt(recent: &mut Vec<UnixMillis>, limit: u32, now: UnixMillis) -> i64 {
    recent.retain(|moment| *moment > now.minus(MINUTE_MS));
    recent.sort_unstable();
    let surplus = recent.len().checked_sub(usize::try_from(limit).unwrap_or(usize::MAX));
    let leaves =
        surplus.map_or(0, |surplus| recent.get(surplus).map_or(MINUTE_MS, |moment| moment.plus(MINUTE_MS).since(now)));
    leaves.max(SHORTEST_WAIT_MS)
}

/// Whether the day's share is used up; if so, how long until the next day.
pub(super) fn day(used: DayUse, limit: u32, now: UnixMillis) -> Option<i64> {
    let today = now.0.div_euclid(DAY_MS);
    (limit > 0 && used.day == today && used.votes >= limit).then(|| (today + 1).saturating_mul(DAY_MS) - now.0)
}

/// One more today.
pub(super) fn one_more(used: DayUse, now: UnixMillis) -> DayUse {
    let today = now.0.div_euclid(DAY_MS);
    let votes = if used.day == today { used.votes } else { 0 };
    DayUse { day: today, votes: votes.saturating_add(1) }
}

/// The moments of the casts that `counts`.
pub(super) fn moments(casts: &[Cast], counts: impl Fn(&Cast) -> bool) -> Vec<UnixMillis> {
    casts.iter().filter(|cast| counts(cast)).map(|cast| cast.at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: &[i64]) -> Vec<UnixMillis> {
        millis.iter().map(|millis| UnixMillis(*millis)).collect()
    }

    #[test]
    fn a_minute_is_crowded_wherever_it_begins() {
        let moments = at(&[1_000, 30_000, 60_000]);
        assert!(is_crowded(moments.clone(), 3, UnixMillis(60_999)), "the minute from 1,000 on");
        assert!(!is_crowded(moments.clone(), 3, UnixMillis(61_000)), "the first one has left");
        assert!(
            is_crowded(moments.clone(), 3, UnixMillis(20_000)),
            "between them, as a backlog may arrive in any order"
        );
        assert!(is_crowded(moments.clone(), 3, UnixMillis(900)), "before them: the minute from 900 on holds all three");
        assert!(!is_crowded(moments.clone(), 3, UnixMillis(0)), "the minute from 0 on ends before the third");
        assert!(!is_crowded(moments, 4, UnixMillis(20_000)));
        assert!(!is_crowded(at(&[0; 100]), 0, UnixMillis(0)), "a limit of zero is none");
    }

    #[test]
    fn the_wait_is_until_enough_have_left() {
        let now = UnixMillis(100_000);
        assert_eq!(wait_by_receipt(&mut at(&[50_000, 60_000, 70_000]), 3, now), 10_000);
        assert_eq!(wait_by_receipt(&mut at(&[50_000, 60_000, 70_000]), 2, now), 20_000);
        assert_eq!(wait_by_receipt(&mut at(&[10_000]), 1, now), SHORTEST_WAIT_MS, "long ago");
    }

    #[test]
    fn a_day_ends_at_midnight() {
        let noon = UnixMillis(10 * DAY_MS + DAY_MS / 2);
        let used = DayUse { day: 10, votes: 5 };
        assert_eq!(day(used, 5, noon), Some(DAY_MS / 2));
        assert_eq!(day(used, 6, noon), None);
        assert_eq!(day(DayUse { day: 9, ..used }, 5, noon), None);
        assert_eq!(one_more(used, noon), DayUse { day: 10, votes: 6 });
        assert_eq!(one_more(DayUse { day: 9, ..used }, noon), DayUse { day: 10, votes: 1 });
    }
}
