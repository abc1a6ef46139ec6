/// How many calls are let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimitPolicy {
    /// So many at once, after a rest.
    pub capacity: u32,
    /// So many a second in the long run.
    pub refill_per_second: u32,
}

/// A token bucket: every call takes a token, and tokens come back steadily. It begins full.
#[derive(Clone, Debug)]
pub struct RateLimiter {
    policy: RateLimitPolicy,
    /// In thousandths of a token: so many tokens a second are as many thousandths a millisecond, unrounded.
    level: u64,
    at: i64,
}

/// One token, in the unit the level is counted in.
const TOKEN: u64 = 1000;

impl RateLimiter {
    /// A full bucket.
    #[must_use]
    pub fn new(policy: RateLimitPolicy) -> Self {
        Self { policy, level: u64::from(policy.capacity) * TOKEN, at: i64::MIN }
    }

    /// Lets one call through, if there is a token for it.
    ///
    /// # Errors
    /// In how many milliseconds there will be one, if nobody else takes it; `u32::MAX` if there never will.
    pub fn take(&mut self, now_ms: i64) -> Result<(), u32> {
        self.refill(now_ms);
        match self.level.checked_sub(TOKEN) {
            Some(rest) => {
                self.level = rest;
                Ok(())
            }
            None if self.policy.capacity == 0 || self.policy.refill_per_second == 0 => Err(u32::MAX),
            None => {
                let wait = (TOKEN - self.level).div_ceil(u64::from(self.policy.refill_per_second));
                Err(u32::try_from(wait).unwrap_or(u32::MAX))
            }
        }
    }

    /// A clock that went back brings nothing, and counts on from where it stands.
    fn refill(&mut self, now_ms: i64) {
        let elapsed = u64::try_from(now_ms.saturating_sub(self.at)).unwrap_or(0);
        let refilled = self.level.saturating_add(elapsed.saturating_mul(u64::from(self.policy.refill_per_second)));
        self.level = refilled.min(u64::from(self.policy.capacity) * TOKEN);
        self.at = now_ms;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn limiter(capacity: u32, refill_per_second: u32) -> RateLimiter {
        RateLimiter::new(RateLimitPolicy { capacity, refill_per_second })
    }

    #[test]
    fn a_burst_empties_the_bucket_and_time_fills_it() {
        let mut limiter = limiter(3, 2);
        for (now, taken) in [
            (0, Ok(())),
            (0, Ok(())),
            (0, Ok(())),
            (0, Err(500)),
            (499, Err(1)),
            (500, Ok(())),
            (501, Err(499)),
            (10_000, Ok(())),
            (10_000, Ok(())),
            (10_000, Ok(())),
            (10_000, Err(500)),
        ] {
            assert_eq!(limiter.take(now), taken, "at {now}");
        }
    }

    #[test]
    fn what_is_never_allowed_is_never_promised() {
        assert_eq!(limiter(0, 5).take(0), Err(u32::MAX));
        let mut once = limiter(1, 0);
        assert_eq!((once.take(0), once.take(i64::MAX)), (Ok(()), Err(u32::MAX)));
    }

    #[test]
    fn a_clock_that_goes_back_neither_gives_nor_locks() {
        let mut limiter = limiter(1, 1);
        assert_eq!(limiter.take(1_000_000), Ok(()));
        assert_eq!(limiter.take(0), Err(1000));
        assert_eq!(limiter.take(1000), Ok(()));
        assert_eq!(limiter.take(i64::MIN), Err(1000));
        assert_eq!(limiter.take(i64::MAX), Ok(()));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn never_more_than_the_bucket_and_what_flowed_in(
            capacity in 1..20_u32,
            refill_per_second in 1..200_u32,
            pauses in prop::collection::vec(0..400_i64, 1..200),
        ) {
            let mut limiter = limiter(capacity, refill_per_second);
            let (mut now, mut granted) = (0, 0_i64);
            for pause in pauses {
                now += pause;
                match limiter.take(now) {
                    Ok(()) => granted += 1,
                    Err(wait) => {
                        let wait = i64::from(wait);
                        prop_assert!(limiter.clone().take(now + wait - 1).is_err(), "not earlier");
                        prop_assert_eq!(limiter.clone().take(now + wait), Ok(()), "and then for sure");
                    }
                }
                prop_assert!(granted * 1000 <= i64::from(capacity) * 1000 + now * i64::from(refill_per_second));
            }
        }
    }
}
