//! Failed sign-ins, by address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The number of failed sign-ins that an address has in each window.
const MAX_FAILURES: u32 = 10;

const WINDOW: Duration = Duration::from_secs(60);

/// The largest number of addresses that are remembered. The oldest one is forgotten first.
const MAX_ADDRESSES: usize = 4_096;

/// The attempts of the last minute that failed.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    by_address: Mutex<HashMap<IpAddr, Failures>>,
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    since: Instant,
    count: u32,
}

impl Attempts {
    /// Counts a failed attempt, and returns the time to wait if there were too many.
    pub(super) fn fail(&self, address: IpAddr) -> Option<Duration> {
        let now = Instant::now();
        let mut by_address = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        let address = network(address);
        let is_over = |failures: &Failures| now.duration_since(failures.since) >= WINDOW;
        if by_address.len() >= MAX_ADDRESSES && !by_address.contains_key(&address) {
            by_address.retain(|_, failures| !is_over(failures));
            if by_address.len() >= MAX_ADDRESSES {
                let oldest = by_address.iter().min_by_key(|(_, failures)| failures.since).map(|(address, _)| *address);
                oldest.map(|oldest| by_address.remove(&oldest));
            }
        }
        let failures = by_address.entry(address).or_insert(Failures { since: now, count: 0 });
        if is_over(failures) {
            *failures = Failures { since: now, count: 0 };
        }
        if failures.count >= MAX_FAILURES {
            return Some(WINDOW.saturating_sub(now.duration_since(failures.since)));
        }
        failures.count += 1;
        None
    }
}

/// Returns the network of an IPv6 address, since one customer of a provider has all addresses of a /64.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
        address => address,
    }
}
