//! The values that the last reads did not contain.

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::Instant;

/// The least time for which a value counts as unknown without another read. The longest time is twice as much.
const AGE: Duration = Duration::from_secs(1);

/// The largest number of values of one generation, of 32 bytes each.
const MAX_VALUES: usize = 10_000;

/// The hashes of values that are unknown, for one to two seconds.
///
/// Values leave by generations, so that a flood of them costs no search for the oldest one. If a generation is full,
/// further values are not remembered: their requests wait for the next read, which they share.
#[derive(Debug)]
pub(super) struct Unknown {
    recent: HashSet<[u8; 32]>,
    earlier: HashSet<[u8; 32]>,
    turned_at: Instant,
}

impl Unknown {
    pub(super) fn new() -> Self {
        Self { recent: HashSet::new(), earlier: HashSet::new(), turned_at: Instant::now() }
    }

    /// Returns whether a value was unknown a moment ago.
    pub(super) fn contains(&mut self, hash: &[u8; 32]) -> bool {
        self.turn();
        self.recent.contains(hash) || self.earlier.contains(hash)
    }

    /// Remembers that a value is unknown.
    pub(super) fn insert(&mut self, hash: [u8; 32]) {
        self.turn();
        if self.recent.len() < MAX_VALUES {
            self.recent.insert(hash);
        }
    }

    /// Forgets the values of the generation before the last one.
    fn turn(&mut self) {
        let age = self.turned_at.elapsed();
        if age < AGE {
            return;
        }
        std::mem::swap(&mut self.recent, &mut self.earlier);
        self.recent.clear();
        if age >= AGE * 2 {
            self.earlier.clear();
        }
        self.turned_at = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(number: usize) -> [u8; 32] {
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&number.to_le_bytes());
        hash
    }

    #[tokio::test(start_paused = true)]
    async fn a_value_is_unknown_for_one_to_two_seconds() {
        let mut unknown = Unknown::new();
        for start in [0, 700] {
            tokio::time::advance(Duration::from_millis(start)).await;
            unknown.insert(hash(1));
            tokio::time::advance(Duration::from_millis(999)).await;
            assert!(unknown.contains(&hash(1)), "{start}");
            tokio::time::advance(Duration::from_millis(1_001)).await;
            assert!(!unknown.contains(&hash(1)), "{start}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_takes_little_memory() {
        let mut unknown = Unknown::new();
        for number in 0..10 * MAX_VALUES {
            if number.is_multiple_of(1_000) {
                tokio::time::advance(Duration::from_millis(20)).await;
            }
            unknown.insert(hash(number));
        }
        assert!(unknown.recent.len() + unknown.earlier.len() <= 2 * MAX_VALUES);
        assert!(unknown.recent.capacity() < 4 * MAX_VALUES);
    }
}
