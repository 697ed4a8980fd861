//! A batch in the backlog.

use super::Batch;
use super::sums::{self, Sum};
use crate::pipeline::queue::MAX_CHECK_INS;
use crate::record::{Drops, DurationGroup};

/// The number of transactions and of groups at which a batch is full: its body stays well below what servers accept.
const FULL_TRANSACTIONS: usize = 100_000;
const FULL_GROUPS: usize = 20_000;

/// The largest number of samples in one batch.
const MAX_SAMPLES: usize = 200;

/// A batch in the backlog, with its size. More data can be added to it until its first attempt.
pub(super) struct QueuedBatch {
    batch: Batch,
    transactions: usize,
    bytes: usize,
}

impl QueuedBatch {
    pub(super) fn new(batch: Batch) -> Self {
        let (transactions, bytes) = measure(&batch);
        Self { batch, transactions, bytes }
    }

    pub(super) fn into_batch(self) -> Batch {
        self.batch
    }

    /// Returns the number of transactions that it counts.
    pub(super) fn transactions(&self) -> usize {
        self.transactions
    }

    /// Returns about how many bytes of memory its counts take.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn has_room(&self) -> bool {
        let Batch { durations, breakdown, .. } = &self.batch;
        self.transactions < FULL_TRANSACTIONS && durations.len() < FULL_GROUPS && breakdown.len() < FULL_GROUPS
    }

    /// Moves the first groups of the list into the batch, until the batch is full.
    pub(super) fn add_durations(&mut self, groups: &mut Vec<DurationGroup>) {
        let (mut transactions, mut count) = (self.transactions, self.batch.durations.len());
        let is_beyond = |group: &DurationGroup| {
            let is_full = transactions >= FULL_TRANSACTIONS || count >= FULL_GROUPS;
            transactions += group.milliseconds.len();
            count += 1;
            is_full
        };
        let fitting = groups.iter().position(is_beyond).unwrap_or(groups.len());
        sums::add(&mut self.batch.durations, groups.drain(..fitting));
        (self.transactions, self.bytes) = measure(&self.batch);
    }

    /// Adds everything of another batch but its durations.
    pub(super) fn add_rest(&mut self, more: Batch) {
        sums::add(&mut self.batch.breakdown, more.breakdown);
        self.batch.samples.extend(more.samples);
        self.batch.errors.extend(more.errors);
        self.batch.drops += more.drops;
        for check_in in more.check_ins {
            check_in.add_to(&mut self.batch.check_ins, MAX_CHECK_INS);
        }
        (self.transactions, self.bytes) = measure(&self.batch);
    }

    /// Drops the oldest samples and errors beyond the given limits, and lowers the limits by the number of those that
    /// stay.
    pub(super) fn drop_oldest(&mut self, samples: &mut usize, errors: &mut usize) -> Drops {
        let Batch { samples: its_samples, errors: its_errors, .. } = &mut self.batch;
        let surplus_samples = its_samples.len().saturating_sub(MAX_SAMPLES.min(*samples));
        let surplus_errors = its_errors.len().saturating_sub(*errors);
        let dropped = Drops {
            samples: its_samples.drain(..surplus_samples).count() as u64,
            errors: its_errors.drain(..surplus_errors).map(|error| error.occurrences).sum(),
            ..Drops::default()
        };
        *samples -= its_samples.len();
        *errors -= its_errors.len();
        dropped
    }
}

/// Returns the number of transactions that a batch counts, and about how many bytes of memory its counts take.
fn measure(batch: &Batch) -> (usize, usize) {
    let durations: usize = batch.durations.iter().map(Sum::bytes).sum();
    let breakdown: usize = batch.breakdown.iter().map(Sum::bytes).sum();
    (batch.transactions(), durations + breakdown)
}
