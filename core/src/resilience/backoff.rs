/// How long to wait before trying again.
///
/// After the `k`-th failure the wait is drawn evenly from 0 to `base · 2^k`, but not above the cap ("full jitter"): a
/// thousand devices that lost the same server come back spread over the whole span, and not in waves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackoffPolicy {
    /// The longest wait after the first failure.
    pub base_ms: u32,
    /// The longest wait after any.
    pub cap_ms: u32,
}

impl Default for BackoffPolicy {
    fn default() -> Self {
        Self {
            // A lost connection is mostly back within a second.
            base_ms: 1000,
            // After that a person looks whether anything happens; and two tries a minute are no burden to a server.
            cap_ms: 30_000,
        }
    }
}

impl BackoffPolicy {
    /// The longest a server may send a caller away: one day. A year is a mistake (of a broken proxy, say), and a device
    /// that obeyed would be lost.
    pub const MAX_RETRY_AFTER_MS: u32 = 24 * 60 * 60 * 1000;

    /// The wait before the next try, after `attempt` failures before the last one (0 after the first). `random` is any
    /// number, every one as likely.
    #[must_use]
    pub fn delay(&self, attempt: u32, random: u64) -> u32 {
        // The ceiling's 32 bits times the number's 64 fit in 128: no try is too late to be computed.
        let choices = u128::from(self.ceiling(attempt)) + 1;
        let drawn = (u128::from(random) * choices) >> u64::BITS;
        u32::try_from(drawn).unwrap_or(self.cap_ms)
    }

    /// As [`delay`](Self::delay), but not before the server wants to be asked again.
    ///
    /// The drawn wait comes on top of the server's: all who were told the same moment would come at that moment.
    #[must_use]
    pub fn delay_after(&self, attempt: u32, random: u64, retry_after_ms: Option<u32>) -> u32 {
        let floor = retry_after_ms.unwrap_or(0).min(Self::MAX_RETRY_AFTER_MS);
        floor.saturating_add(self.delay(attempt, random))
    }

    fn ceiling(&self, attempt: u32) -> u32 {
        let doubled = 1_u32.checked_shl(attempt).and_then(|factor| self.base_ms.checked_mul(factor));
        doubled.map_or(if self.base_ms == 0 { 0 } else { self.cap_ms }, |wait| wait.min(self.cap_ms))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_span_doubles_up_to_the_cap() {
        let policy = BackoffPolicy::default();
        let spans = [(0, 1000), (1, 2000), (2, 4000), (3, 8000), (4, 16_000), (5, 30_000), (31, 30_000), (32, 30_000)];
        for (attempt, longest) in spans.into_iter().chain([(u32::MAX, 30_000)]) {
            assert_eq!(policy.delay(attempt, u64::MAX), longest, "attempt {attempt}");
            assert_eq!(policy.delay(attempt, 0), 0, "attempt {attempt}");
            assert_eq!(policy.delay(attempt, 1 << 63), longest / 2, "attempt {attempt}");
            assert_eq!(BackoffPolicy { base_ms: 0, ..policy }.delay(attempt, u64::MAX), 0, "twice nothing is nothing");
        }
    }

    #[test]
    fn the_server_is_not_asked_before_it_wants_to_be() {
        let policy = BackoffPolicy::default();
        assert_eq!(policy.delay_after(0, 1 << 63, None), 500);
        assert_eq!(policy.delay_after(0, 0, Some(120_000)), 120_000);
        assert_eq!(policy.delay_after(0, u64::MAX, Some(120_000)), 121_000, "spread behind the moment");
        assert_eq!(policy.delay_after(0, 0, Some(u32::MAX)), BackoffPolicy::MAX_RETRY_AFTER_MS);
    }

    #[test]
    fn waits_are_spread_evenly() {
        let policy = BackoffPolicy::default();
        let mut tenths = [0; 10];
        let mut random: u64 = 1;
        for _ in 0..100_000 {
            // A multiplicative generator is random enough to fill ten drawers.
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            tenths[usize::try_from(policy.delay(9, random) / 3001).expect("small")] += 1;
        }
        assert!(tenths.iter().all(|drawn| (9_500..10_500).contains(drawn)), "{tenths:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_wait_leaves_its_span(base_ms: u32, cap_ms: u32, attempt: u32, random: u64, server: Option<u32>) {
            let policy = BackoffPolicy { base_ms, cap_ms };
            let delay = policy.delay(attempt, random);
            let longest = (u128::from(base_ms) << attempt.min(64)).min(u128::from(cap_ms));
            prop_assert!(u128::from(delay) <= longest);
            prop_assert_eq!(u128::from(policy.delay(attempt, u64::MAX)), longest);
            let floor = server.unwrap_or(0).min(BackoffPolicy::MAX_RETRY_AFTER_MS);
            prop_assert!(policy.delay_after(attempt, random, server) >= floor.max(delay));
        }
    }
}
