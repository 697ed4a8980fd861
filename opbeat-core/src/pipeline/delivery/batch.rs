//! The data of one delivery.

use std::mem;

use super::rejections::Rejection;
use crate::record::{BreakdownRecord, CheckInRecord, Drops, DurationGroup, ErrorRecord, TransactionRecord};

/// The data recorded in one interval, or the undelivered rest of it.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Batch {
    /// A random id. It stays the same when the batch is sent again, so that a server can recognise the repetition.
    pub id: u128,
    /// The duration of every transaction.
    pub durations: Vec<DurationGroup>,
    /// The time that all transactions spent in each kind of span.
    pub breakdown: Vec<BreakdownRecord>,
    /// Some transactions with their spans: failed, slowest and first-seen ones, and a random share.
    pub samples: Vec<TransactionRecord>,
    /// The errors.
    pub errors: Vec<ErrorRecord>,
    /// The starts and ends of scheduled jobs.
    pub check_ins: Vec<CheckInRecord>,
    /// The data dropped since the last batch.
    pub drops: Drops,
    /// The number of its bodies that were accepted or rejected. The key of the next body follows from it.
    #[cfg(feature = "intake")]
    pub(crate) finished_bodies: u32,
    pub(in crate::pipeline) rejection: Option<Rejection>,
}

impl Batch {
    /// Returns whether nothing is left to deliver.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.durations.is_empty()
            && self.breakdown.is_empty()
            && self.samples.is_empty()
            && self.errors.is_empty()
            && self.check_ins.is_empty()
            && self.drops.is_empty()
    }

    /// Returns the number of transactions that it counts.
    #[must_use]
    pub fn transactions(&self) -> usize {
        self.durations.iter().map(|group| group.milliseconds.len()).sum()
    }

    /// Returns the number of errors, where each report stands for all of its occurrences.
    #[must_use]
    pub fn occurrences(&self) -> u64 {
        self.errors.iter().map(|error| error.occurrences).sum()
    }

    /// Returns its contents as drops, for when it is never delivered.
    pub(crate) fn contents(&self) -> Drops {
        Drops {
            transactions: self.transactions() as u64,
            samples: self.samples.len() as u64,
            errors: self.occurrences(),
            ..Drops::default()
        }
    }

    /// Counts data as dropped that an exporter took out of the batch and will never deliver.
    ///
    /// [`Agent::flush`](crate::Agent::flush) returns the reason, and the log shows it once.
    pub fn reject(&mut self, dropped: Drops, reason: impl Into<String>) {
        self.rejection.get_or_insert_with(|| Rejection::new(reason.into())).dropped += dropped;
    }

    /// Notes that a body with earlier drops was rejected: another body has to report them.
    pub(crate) fn reject_drops(&mut self, reason: &str) {
        let unsent = mem::take(&mut self.drops);
        self.rejection.get_or_insert_with(|| Rejection::new(reason.to_owned())).unsent += unsent;
    }

    /// Drops everything that is left.
    pub(crate) fn reject_all(&mut self, reason: &str) {
        self.reject_drops(reason);
        self.reject(self.contents(), reason);
        *self = Self { id: self.id, rejection: self.rejection.take(), ..Self::default() };
    }

    /// Takes out the data rejected since the last call.
    pub(super) fn take_rejection(&mut self) -> Option<Rejection> {
        self.rejection.take()
    }
}
