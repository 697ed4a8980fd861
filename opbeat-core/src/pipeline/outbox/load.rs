//! A batch that waits, and may grow.

use super::sums::{self, Sum};
use crate::pipeline::Batch;
use crate::record::{Drops, DurationGroup};

/// A batch that counts so much is full: its body stays well below what servers take.
const FULL_TRANSACTIONS: usize = 100_000;
const FULL_SUMS: usize = 20_000;

/// Samples of one batch, at the most.
const MAX_SAMPLES: usize = 200;

/// A batch, and how much it counts.
pub(super) struct Load {
    batch: Batch,
    transactions: usize,
    bytes: usize,
}

impl Load {
    pub(super) fn of(batch: Batch) -> Self {
        let (transactions, bytes) = measure(&batch);
        Self { batch, transactions, bytes }
    }

    pub(super) fn into_batch(self) -> Batch {
        self.batch
    }

    /// Returns how many transactions it counts.
    pub(super) fn transactions(&self) -> usize {
        self.transactions
    }

    /// Returns about how much memory its counts take.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn has_room(&self) -> bool {
        let Batch { durations, breakdown, .. } = &self.batch;
        self.transactions < FULL_TRANSACTIONS && durations.len() < FULL_SUMS && breakdown.len() < FULL_SUMS
    }

    /// Takes over groups until it is full.
    pub(super) fn count(&mut self, groups: &mut Vec<DurationGroup>) {
        let (mut transactions, mut sums) = (self.transactions, self.batch.durations.len());
        let fits = |group: &DurationGroup| {
            let is_full = transactions >= FULL_TRANSACTIONS || sums >= FULL_SUMS;
            transactions += group.milliseconds.len();
            sums += 1;
            is_full
        };
        let fitting = groups.iter().position(fits).unwrap_or(groups.len());
        sums::add(&mut self.batch.durations, groups.drain(..fitting));
        (self.transactions, self.bytes) = measure(&self.batch);
    }

    /// Takes over all but the durations.
    pub(super) fn add(&mut self, more: Batch) {
        sums::add(&mut self.batch.breakdown, more.breakdown);
        self.batch.samples.extend(more.samples);
        self.batch.errors.extend(more.errors);
        self.batch.drops += more.drops;
        (self.transactions, self.bytes) = measure(&self.batch);
    }

    /// Gives up the oldest samples and errors, as far as there are more than are allowed, and lowers what is allowed by
    /// those that stay.
    pub(super) fn thin_out(&mut self, samples: &mut usize, errors: &mut usize) -> Drops {
        let Batch { samples: its_samples, errors: its_errors, .. } = &mut self.batch;
        let surplus_samples = its_samples.len().saturating_sub(MAX_SAMPLES.min(*samples));
        let surplus_errors = its_errors.len().saturating_sub(*errors);
        let lost = Drops {
            samples: its_samples.drain(..surplus_samples).count() as u64,
            errors: its_errors.drain(..surplus_errors).map(|error| error.occurrences).sum(),
            ..Drops::default()
        };
        *samples -= its_samples.len();
        *errors -= its_errors.len();
        lost
    }
}

/// Returns how many transactions a batch counts, and about how much memory that takes.
fn measure(batch: &Batch) -> (usize, usize) {
    let durations: usize = batch.durations.iter().map(Sum::bytes).sum();
    let breakdown: usize = batch.breakdown.iter().map(Sum::bytes).sum();
    (batch.transactions(), durations + breakdown)
}
