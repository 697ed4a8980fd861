//! Failed sign-ins, by address and by account.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::intake::hash_token;

/// The failed sign-ins that an address has in each window.
const OF_ADDRESS: Limit = Limit { failures: 10, window: Duration::from_secs(60) };

/// The failed sign-ins that an account has in each window, from all addresses. Passwords can be guessed, so that an account
/// needs a limit that many addresses do not get around.
const OF_ACCOUNT: Limit = Limit { failures: 10, window: Duration::from_secs(600) };

/// The largest number of addresses, and of accounts, that are remembered.
const MAX_KEYS: usize = 4_096;

/// The attempts of the last minutes that failed.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    addresses: Mutex<Failures<IpAddr>>,
    accounts: Mutex<Failures<[u8; 32]>>,
}

/// A number of failures in a time.
#[derive(Clone, Copy, Debug)]
struct Limit {
    failures: u32,
    window: Duration,
}

/// An attempt that has to wait, since too many before it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Blocked {
    /// The time until the next attempt is possible.
    pub(super) wait: Duration,
    /// Whether it is the first one that has to wait for the account.
    pub(super) is_first_of_account: bool,
}

#[derive(Debug)]
struct Failures<K> {
    by_key: HashMap<K, Count>,
}

#[derive(Clone, Copy, Debug)]
struct Count {
    since: Instant,
    failures: u32,
}

impl<K> Default for Failures<K> {
    fn default() -> Self {
        Self { by_key: HashMap::new() }
    }
}

impl Attempts {
    /// Counts a failed attempt with a token, and returns the time to wait if there were too many.
    pub(super) fn fail(&self, address: IpAddr) -> Option<Duration> {
        let mut addresses = lock(&self.addresses);
        let count = addresses.count(network(address), OF_ADDRESS);
        match count.wait(OF_ADDRESS) {
            Some(wait) => Some(wait),
            None => {
                count.failures += 1;
                None
            }
        }
    }

    /// Counts an attempt with a password as failed, before the password is looked at: otherwise many attempts at the same
    /// time would all be admitted. A successful one is taken back by [`Self::succeed`].
    pub(super) fn begin(&self, address: IpAddr, account: &str) -> Result<(), Blocked> {
        let mut addresses = lock(&self.addresses);
        let of_address = addresses.count(network(address), OF_ADDRESS);
        if let Some(wait) = of_address.wait(OF_ADDRESS) {
            return Err(Blocked { wait, is_first_of_account: false });
        }
        let mut accounts = lock(&self.accounts);
        let of_account = accounts.count(hash_token(account), OF_ACCOUNT);
        if let Some(wait) = of_account.wait(OF_ACCOUNT) {
            // One more than the limit marks that the blocked account was reported.
            let is_first_of_account = of_account.failures == OF_ACCOUNT.failures;
            of_account.failures = OF_ACCOUNT.failures + 1;
            return Err(Blocked { wait, is_first_of_account });
        }
        of_address.failures += 1;
        of_account.failures += 1;
        Ok(())
    }

    /// Counts an attempt without a password as failed, before it is looked at. Returns the time to wait if too many failed. A
    /// successful one is taken back by [`Self::succeed_from`].
    pub(super) fn begin_from(&self, address: IpAddr) -> Result<(), Duration> {
        self.fail(address).map_or(Ok(()), Err)
    }

    /// Takes back an attempt of an address that succeeded.
    pub(super) fn succeed_from(&self, address: IpAddr) {
        lock(&self.addresses).take_back(&network(address));
    }

    /// Takes back an attempt that succeeded.
    pub(super) fn succeed(&self, address: IpAddr, account: &str) {
        lock(&self.addresses).take_back(&network(address));
        lock(&self.accounts).take_back(&hash_token(account));
    }
}

impl<K: Copy + Eq + Hash> Failures<K> {
    /// Returns the failures of a key in the current window.
    fn count(&mut self, key: K, limit: Limit) -> &mut Count {
        let now = Instant::now();
        let is_over = |count: &Count| now.duration_since(count.since) >= limit.window;
        if self.by_key.len() >= MAX_KEYS && !self.by_key.contains_key(&key) {
            self.by_key.retain(|_, count| !is_over(count));
            if self.by_key.len() >= MAX_KEYS {
                // A blocked one is forgotten last: otherwise many others could free it.
                let least = self.by_key.iter().min_by_key(|(_, count)| (count.failures, count.since));
                let least = least.map(|(key, _)| *key);
                least.map(|least| self.by_key.remove(&least));
            }
        }
        let count = self.by_key.entry(key).or_insert(Count { since: now, failures: 0 });
        if is_over(count) {
            *count = Count { since: now, failures: 0 };
        }
        count
    }

    fn take_back(&mut self, key: &K) {
        if let Some(count) = self.by_key.get_mut(key) {
            count.failures = count.failures.saturating_sub(1);
        }
    }
}

impl Count {
    /// Returns the time until the next attempt, if there were too many failures.
    fn wait(&self, limit: Limit) -> Option<Duration> {
        (self.failures >= limit.failures).then(|| limit.window.saturating_sub(self.since.elapsed()))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the network of an IPv6 address, since one customer of a provider has all addresses of a /64.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_blocked_from_all_addresses_and_reported_once() {
        let attempts = Attempts::default();
        let address = |number: u8| IpAddr::from([10, 0, 0, number]);
        for number in 0..10 {
            assert_eq!(attempts.begin(address(number), "ana"), Ok(()));
        }
        assert!(attempts.begin(address(10), "ana").is_err_and(|blocked| blocked.is_first_of_account));
        assert!(attempts.begin(address(11), "ana").is_err_and(|blocked| !blocked.is_first_of_account));
        assert_eq!(attempts.begin(address(11), "bo"), Ok(()), "another account");
    }

    #[test]
    fn successes_do_not_count_and_many_keys_do_not_free_a_blocked_account() {
        let attempts = Attempts::default();
        let address = IpAddr::from([10, 0, 0, 1]);
        for _ in 0..30 {
            assert_eq!(attempts.begin(address, "ana"), Ok(()));
            attempts.succeed(address, "ana");
        }
        for number in 0..10 {
            assert_eq!(attempts.begin(IpAddr::from([10, 0, 1, number]), "ana"), Ok(()));
        }
        for number in 0..10_000_u32 {
            let address = IpAddr::from((0x0b00_0000 + number).to_be_bytes());
            assert_eq!(attempts.begin(address, &format!("nobody {number}")), Ok(()));
        }
        assert!(attempts.begin(address, "ana").is_err());
        assert!(lock(&attempts.accounts).by_key.len() <= MAX_KEYS);
    }
}
