//! How many requests are too many, by address, account and voter.

use std::{
    collections::HashMap,
    hash::Hash,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use safescan_core::{
    model::VoterId,
    resilience::{RateLimitPolicy, RateLimiter},
};

use crate::{
    config::{RateConfig, RequestConfig},
    rules::Account,
};

/// Buckets of one kind at most: some ten megabytes under a flood of made-up names.
const MOST: usize = 100_000;

/// The buckets of all kinds.
pub struct RequestLimits {
    addresses: Buckets<IpAddr>,
    accounts: Buckets<Account>,
    voters: Buckets<VoterId>,
}

impl RequestLimits {
    /// Full buckets.
    #[must_use]
    pub fn new(config: &RequestConfig) -> Self {
        Self {
            addresses: Buckets::new(config.address),
            accounts: Buckets::new(config.account),
            voters: Buckets::new(config.voter),
        }
    }

    /// A request from an address.
    ///
    /// # Errors
    /// In how many milliseconds it may come again; so for the others.
    pub fn address(&self, address: IpAddr, now_ms: i64) -> Result<(), u32> {
        self.addresses.take(household(address), now_ms)
    }

    /// A request of an account.
    #[expect(clippy::missing_errors_doc, reason = "as above")]
    pub fn account(&self, account: &Account, now_ms: i64) -> Result<(), u32> {
        self.accounts.take(account.clone(), now_ms)
    }

    /// A request that brings operations of these voters; each of them counts once.
    #[expect(clippy::missing_errors_doc, reason = "as above")]
    pub fn voters(&self, mut voters: Vec<VoterId>, now_ms: i64) -> Result<(), u32> {
        voters.sort_unstable();
        voters.dedup();
        let waits = voters.into_iter().filter_map(|voter| self.voters.take(voter, now_ms).err());
        waits.max().map_or(Ok(()), Err)
    }
}

/// A household has 2^64 addresses of the sixth version, and one of the fourth.
fn household(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) >> 64 << 64).into()),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// A bucket for every key.
struct Buckets<K> {
    policy: RateLimitPolicy,
    /// After so long a bucket is full again, and can be forgotten.
    full_after_ms: i64,
    state: Mutex<HashMap<K, (RateLimiter, i64)>>,
}

impl<K: Eq + Hash> Buckets<K> {
    fn new(rate: RateConfig) -> Self {
        let policy = RateLimitPolicy { capacity: rate.burst, refill_per_second: rate.per_second };
        let full_after_ms = i64::from(rate.burst) * 1000 / i64::from(rate.per_second.max(1)) + 1;
        Self { policy, full_after_ms, state: Mutex::default() }
    }

    fn take(&self, key: K, now_ms: i64) -> Result<(), u32> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.len() >= MOST && !state.contains_key(&key) {
            state.retain(|_, (_, used)| now_ms.saturating_sub(*used) < self.full_after_ms);
            if state.len() >= MOST {
                // All of them are busy: whoever is forgotten starts with a full bucket, which is better than refusing
                // everybody new.
                let mut turn = false;
                state.retain(|_, _| {
                    turn = !turn;
                    turn
                });
            }
        }
        let (limiter, used) = state.entry(key).or_insert_with(|| (RateLimiter::new(self.policy), now_ms));
        *used = now_ms;
        limiter.take(now_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_do_not_share_a_bucket_and_their_number_is_bounded() {
        let buckets = Buckets::new(RateConfig { per_second: 1, burst: 2 });
        assert_eq!([buckets.take(0, 0), buckets.take(0, 0), buckets.take(0, 0)], [Ok(()), Ok(()), Err(1000)]);
        assert_eq!(buckets.take(1, 0), Ok(()));
        for key in 2..250_000 {
            let _ = buckets.take(key, 1);
        }
        assert!(buckets.state.lock().expect("nobody panicked").len() <= MOST);
    }

    #[test]
    fn a_household_shares_its_bucket() {
        let address = |text: &str| household(text.parse().expect("an address"));
        assert_eq!(address("2001:db8:1:2::1"), address("2001:db8:1:2:ffff::9"));
        assert_ne!(address("2001:db8:1:2::1"), address("2001:db8:1:3::1"));
        assert_eq!(address("::ffff:10.0.0.1"), address("10.0.0.1"));
        assert_ne!(address("10.0.0.1"), address("10.0.0.2"));
    }
}
