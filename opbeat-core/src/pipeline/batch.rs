//! What is sent at once.

use crate::record::{BreakdownRecord, Drops, DurationGroup, ErrorRecord, TransactionRecord};

/// What was recorded in one interval, or what is left of it to deliver.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Batch {
    /// Tells the batch from all others, so that a server can tell a repeated delivery.
    pub id: u128,
    /// The duration of every transaction.
    pub durations: Vec<DurationGroup>,
    /// The time that all transactions spent in each kind of span.
    pub breakdown: Vec<BreakdownRecord>,
    /// Some transactions with their spans: failed, slowest and first-seen ones, and a random share.
    pub samples: Vec<TransactionRecord>,
    /// The errors.
    pub errors: Vec<ErrorRecord>,
    /// What was left out since the last batch.
    pub drops: Drops,
}

impl Batch {
    /// Returns whether nothing is left to deliver.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.durations.is_empty() && self.samples.is_empty() && self.errors.is_empty() && self.drops.is_empty()
    }

    /// Returns how many transactions it counts.
    #[must_use]
    pub fn transactions(&self) -> usize {
        self.durations.iter().map(|group| group.milliseconds.len()).sum()
    }

    /// Returns how many errors it tells of.
    #[must_use]
    pub fn occurrences(&self) -> u64 {
        self.errors.iter().map(|error| error.occurrences).sum()
    }

    /// Returns what is lost with it. What it says of earlier losses is none.
    pub(super) fn everything(&self) -> Drops {
        Drops {
            transactions: self.transactions() as u64,
            samples: self.samples.len() as u64,
            errors: self.occurrences(),
            ..Drops::default()
        }
    }
}
