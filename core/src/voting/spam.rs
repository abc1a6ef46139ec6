//! How many votes are too many: more than a person could mean.
//!
//! Time is a monotonic reading in milliseconds, so that turning the clock neither frees nor locks anybody. Where it
//! goes back all the same (another process, a restart), what lies in the future counts as having happened now: nobody
//! is locked out for longer than a minute.

use std::collections::{HashMap, VecDeque};

use crate::model::{MINUTE_MS, QrHash, SpamRule, VoterId};

/// The limits of one voter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpamPolicy {
    /// At most so many votes a minute.
    pub votes_per_minute: u32,
    /// At most so many votes on the same code a minute.
    pub changes_per_code: u32,
}

impl Default for SpamPolicy {
    fn default() -> Self {
        Self {
            // One every six seconds is about as fast as codes can be scanned, looked at and judged.
            votes_per_minute: 10,
            // Somebody who changed their mind five times within a minute is playing.
            changes_per_code: 5,
        }
    }
}

/// A vote came too early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throttle {
    /// The limit it ran into; of two the one that holds longer.
    pub rule: SpamRule,
    /// When the same vote would pass, in milliseconds from now.
    pub retry_after_ms: u32,
}

/// One voter's last minute. It holds no more than [`SpamPolicy::votes_per_minute`] votes.
#[derive(Clone, Debug, Default)]
pub struct SpamWindow {
    /// Oldest first.
    votes: VecDeque<(i64, QrHash)>,
}

/// Every voter's last minute. Voters who were silent for a minute are forgotten.
#[derive(Clone, Debug)]
pub struct SpamGuard {
    policy: SpamPolicy,
    windows: HashMap<VoterId, SpamWindow>,
    swept_at: i64,
}

impl SpamWindow {
    /// Whether a vote on this code may be cast now. It is not counted by that.
    ///
    /// # Errors
    /// The limit it would break, and when it would not any more.
    pub fn check(&mut self, policy: &SpamPolicy, now_ms: i64, code: &QrHash) -> Result<(), Throttle> {
        self.settle(now_ms);
        let any = wait(self.votes.iter().map(|vote| vote.0), policy.votes_per_minute, now_ms);
        let same = self.votes.iter().filter(|vote| vote.1 == *code).map(|vote| vote.0);
        let same = wait(same, policy.changes_per_code, now_ms);
        let (rule, retry_after_ms) =
            if same > any { (SpamRule::RepeatedCode, same) } else { (SpamRule::RapidVoting, any) };
        match retry_after_ms {
            None => Ok(()),
            Some(retry_after_ms) => Err(Throttle { rule, retry_after_ms }),
        }
    }

    /// Counts a vote that was cast.
    pub fn record(&mut self, policy: &SpamPolicy, now_ms: i64, code: &QrHash) {
        self.settle(now_ms);
        self.votes.push_back((now_ms, *code));
        let limit = usize::try_from(policy.votes_per_minute).unwrap_or(usize::MAX);
        while self.votes.len() > limit {
            self.votes.pop_front();
        }
    }

    /// Whether the last minute is empty.
    #[must_use]
    pub fn is_idle(&mut self, now_ms: i64) -> bool {
        self.settle(now_ms);
        self.votes.is_empty()
    }

    /// Drops what is older than a minute, and brings back what a clock that went back left in the future.
    fn settle(&mut self, now_ms: i64) {
        while self.votes.front().is_some_and(|vote| now_ms.saturating_sub(vote.0) >= MINUTE_MS) {
            self.votes.pop_front();
        }
        for vote in self.votes.iter_mut().rev().take_while(|vote| vote.0 > now_ms) {
            vote.0 = now_ms;
        }
    }
}

impl SpamGuard {
    /// So many voters are remembered at most, by about 700 bytes each at the default limits: 12 MB under a flood of
    /// made-up voters. A phone has a handful of voters; a server that has more active ones within a minute limits them
    /// by address before it comes to this.
    pub const MAX_VOTERS: usize = 16_384;

    /// Nobody voted yet.
    #[must_use]
    pub fn new(policy: SpamPolicy) -> Self {
        Self { policy, windows: HashMap::new(), swept_at: i64::MIN }
    }

    /// See [`SpamWindow::check`].
    ///
    /// # Errors
    /// See [`SpamWindow::check`].
    pub fn check(&mut self, voter: VoterId, now_ms: i64, code: &QrHash) -> Result<(), Throttle> {
        match self.windows.get_mut(&voter) {
            Some(window) => window.check(&self.policy, now_ms, code),
            None => SpamWindow::default().check(&self.policy, now_ms, code),
        }
    }

    /// See [`SpamWindow::record`].
    pub fn record(&mut self, voter: VoterId, now_ms: i64, code: &QrHash) {
        self.make_room(now_ms);
        self.windows.entry(voter).or_default().record(&self.policy, now_ms, code);
    }

    /// How many voters are remembered.
    #[must_use]
    pub fn voters(&self) -> usize {
        self.windows.len()
    }

    /// Forgets the idle once a minute, and the less recent half when there are too many: so a vote pays a constant
    /// share of either sweep. Who is forgotten early starts a new minute; refusing everybody else instead would be the
    /// worse end.
    fn make_room(&mut self, now_ms: i64) {
        let is_full = self.windows.len() >= Self::MAX_VOTERS;
        let since_sweep = now_ms.saturating_sub(self.swept_at);
        if !is_full && (0..MINUTE_MS).contains(&since_sweep) {
            return;
        }
        self.swept_at = now_ms;
        self.windows.retain(|_, window| !window.is_idle(now_ms));
        let mut surplus = self.windows.len().saturating_sub(Self::MAX_VOTERS / 2);
        if is_full && surplus > 0 {
            let mut latest: Vec<i64> = self.windows.values().filter_map(SpamWindow::latest).collect();
            let (_, &mut newest_to_go, _) = latest.select_nth_unstable(surplus - 1);
            self.windows.retain(|_, window| {
                // Several may share that very moment: then it is enough for some of them to go.
                let goes = surplus > 0 && window.latest().is_none_or(|latest| latest <= newest_to_go);
                surplus -= usize::from(goes);
                !goes
            });
        }
    }
}

impl SpamWindow {
    fn latest(&self) -> Option<i64> {
        self.votes.back().map(|vote| vote.0)
    }
}

/// How long until fewer than `limit` of these moments, oldest first, lie within the last minute; `None` if so already.
fn wait(moments: impl Iterator<Item = i64> + Clone, limit: u32, now_ms: i64) -> Option<u32> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let surplus = moments.clone().count().checked_sub(limit)?;
    // With a limit of 0 there is no moment to wait for; a minute is as good an answer as any.
    let leaves = moments.into_iter().nth(surplus).map_or(MINUTE_MS, |at| MINUTE_MS - now_ms.saturating_sub(at));
    Some(u32::try_from(leaves).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: QrHash = QrHash([1; 32]);
    const POLICY: SpamPolicy = SpamPolicy { votes_per_minute: 10, changes_per_code: 5 };

    fn code(number: u8) -> QrHash {
        QrHash([number; 32])
    }

    fn rapid(retry_after_ms: u32) -> Result<(), Throttle> {
        Err(Throttle { rule: SpamRule::RapidVoting, retry_after_ms })
    }

    #[test]
    fn the_eleventh_vote_of_a_minute_waits_until_the_first_is_a_minute_old() {
        let mut window = SpamWindow::default();
        for at in 0..10 {
            let code = code(u8::try_from(at).expect("small"));
            assert_eq!(window.check(&POLICY, at * 1000, &code), Ok(()));
            window.record(&POLICY, at * 1000, &code);
        }
        assert_eq!(window.check(&POLICY, 9_500, &code(99)), rapid(50_500));
        assert_eq!(window.check(&POLICY, 59_999, &code(99)), rapid(1));
        assert_eq!(window.check(&POLICY, 60_000, &code(99)), Ok(()));
        window.record(&POLICY, 60_000, &code(99));
        assert_eq!(window.check(&POLICY, 60_000, &code(98)), rapid(1000), "the next one leaves a second later");
    }

    #[test]
    fn the_sixth_change_of_one_code_waits_and_other_codes_do_not() {
        let mut window = SpamWindow::default();
        for at in 0..5 {
            assert_eq!(window.check(&POLICY, at * 100, &A), Ok(()));
            window.record(&POLICY, at * 100, &A);
        }
        let throttled = Err(Throttle { rule: SpamRule::RepeatedCode, retry_after_ms: 59_500 });
        assert_eq!(window.check(&POLICY, 500, &A), throttled);
        assert_eq!(window.check(&POLICY, 500, &code(2)), Ok(()));
        assert_eq!(window.check(&POLICY, 60_000, &A), Ok(()));
    }

    #[test]
    fn of_two_limits_the_longer_wait_is_told() {
        let mut window = SpamWindow::default();
        (0..5).for_each(|at| window.record(&POLICY, at, &code(2)));
        (10..15).for_each(|at| window.record(&POLICY, at, &A));
        let throttled = Err(Throttle { rule: SpamRule::RepeatedCode, retry_after_ms: 59_990 });
        assert_eq!(window.check(&POLICY, 20, &A), throttled);
        assert_eq!(window.check(&POLICY, 20, &code(3)), rapid(59_980));
    }

    #[test]
    fn a_window_filled_under_a_laxer_policy_waits_until_enough_votes_have_left() {
        let mut window = SpamWindow::default();
        (0..7).for_each(|at| window.record(&POLICY, at * 1000, &A));
        let strict = SpamPolicy { votes_per_minute: 3, changes_per_code: 5 };
        assert_eq!(window.check(&strict, 7_000, &A), rapid(57_000), "four must leave for any vote, two for this code");
        assert_eq!(window.check(&strict, 64_000, &A), Ok(()));
    }

    #[test]
    fn a_clock_that_goes_back_locks_nobody_out_for_longer_than_a_minute() {
        let mut window = SpamWindow::default();
        (0..10).for_each(|at| window.record(&POLICY, 1_000_000_000 + at, &code(7)));
        assert_eq!(window.check(&POLICY, 5, &code(8)), rapid(60_000));
        assert_eq!(window.check(&POLICY, 60_005, &code(8)), Ok(()));
        for now in [i64::MIN, i64::MAX, 0] {
            let _ = window.check(&POLICY, now, &A);
            window.record(&POLICY, now, &A);
            assert!(window.votes.len() <= 10);
        }
    }

    #[test]
    fn a_limit_of_zero_allows_nothing_and_a_window_never_grows() {
        let none = SpamPolicy { votes_per_minute: 0, ..POLICY };
        assert_eq!(SpamWindow::default().check(&none, 0, &A), rapid(60_000));
        let mut window = SpamWindow::default();
        (0..1000).for_each(|at| window.record(&POLICY, at / 100, &A));
        assert_eq!(window.votes.len(), 10);
    }

    #[test]
    fn voters_do_not_share_a_limit_and_the_idle_are_forgotten() {
        let mut guard = SpamGuard::new(POLICY);
        (0..10).for_each(|at| guard.record(VoterId([1; 16]), at, &code(1)));
        assert!(guard.check(VoterId([1; 16]), 10, &code(2)).is_err());
        assert_eq!(guard.check(VoterId([2; 16]), 10, &code(2)), Ok(()));
        assert_eq!(guard.voters(), 1, "asking is not remembered");
        guard.record(VoterId([2; 16]), 60_009, &A);
        assert_eq!(guard.voters(), 1, "the first voter's minute is over");
    }

    #[test]
    fn a_flood_of_voters_is_bounded_and_the_recent_ones_stay() {
        let mut guard = SpamGuard::new(POLICY);
        let voter = |number: u32| {
            let mut id = [0; 16];
            id[..4].copy_from_slice(&number.to_be_bytes());
            VoterId(id)
        };
        for number in 0..40_000 {
            guard.record(voter(number), i64::from(number / 1000), &A);
            assert!(guard.voters() <= SpamGuard::MAX_VOTERS);
        }
        let mut guard = SpamGuard::new(POLICY);
        let half = u32::try_from(SpamGuard::MAX_VOTERS / 2).expect("small");
        (0..2 * half).for_each(|number| guard.record(voter(number), i64::from(number / half), &A));
        guard.record(voter(2 * half), 2, &A);
        assert!((half..=2 * half).all(|number| guard.windows.contains_key(&voter(number))));
        assert!((0..half).all(|number| !guard.windows.contains_key(&voter(number))));
        // All at the same millisecond: nothing tells the recent half, and it must still be a half.
        let mut guard = SpamGuard::new(POLICY);
        (0..40_000).for_each(|number| guard.record(voter(number), 0, &A));
        assert!((SpamGuard::MAX_VOTERS / 2..=SpamGuard::MAX_VOTERS).contains(&guard.voters()));
    }
}
