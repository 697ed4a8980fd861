//! What is sent at once.

use std::mem;

use super::refusal::Refusal;
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
    /// How many bodies of it are settled: the next one's key follows from that.
    #[cfg(feature = "intake")]
    pub(crate) settled: u32,
    pub(super) refusal: Option<Refusal>,
}

impl Batch {
    /// Returns whether nothing is left to deliver.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.durations.is_empty()
            && self.breakdown.is_empty()
            && self.samples.is_empty()
            && self.errors.is_empty()
            && self.drops.is_empty()
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

    /// Returns what is lost if it is never delivered.
    pub(crate) fn contents(&self) -> Drops {
        Drops {
            transactions: self.transactions() as u64,
            samples: self.samples.len() as u64,
            errors: self.occurrences(),
            ..Drops::default()
        }
    }

    /// Notes that an exporter took something out which will never be delivered, and why.
    ///
    /// It is counted among what was left out, [`Agent::flush`](crate::Agent::flush) tells the reason, and so does the
    /// log, once.
    pub fn refuse(&mut self, lost: Drops, reason: impl Into<String>) {
        self.refusal.get_or_insert_with(|| Refusal::new(reason.into())).lost += lost;
    }

    /// Notes that a body with its drops was refused: another has to tell them.
    pub(crate) fn refuse_drops(&mut self, reason: &str) {
        let untold = mem::take(&mut self.drops);
        self.refusal.get_or_insert_with(|| Refusal::new(reason.to_owned())).untold += untold;
    }

    /// Gives up all that is left.
    pub(crate) fn refuse_all(&mut self, reason: &str) {
        self.refuse_drops(reason);
        self.refuse(self.contents(), reason);
        *self = Self { id: self.id, refusal: self.refusal.take(), ..Self::default() };
    }

    /// Takes out what was refused since the last call.
    pub(crate) fn take_refusal(&mut self) -> Option<Refusal> {
        self.refusal.take()
    }
}
