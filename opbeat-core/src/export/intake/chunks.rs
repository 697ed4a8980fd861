//! A batch in bodies that servers take.
//!
//! Counts go first, and samples in bodies of their own behind them: what a server has against a large sample costs no
//! count. Each body follows from what is left of the batch alone, so that a repeated one is the same under the same key.

use super::encode::AgentIdentity;
use crate::pipeline::Batch;
use crate::record::{BreakdownRecord, Drops, DurationGroup};
use opbeat_protocol::TransactionsBody;

/// Bytes of JSON that a body may have, by a rough reckoning for counts. Compressed, even the worst is no larger than what
/// proxies let through by default, and no array is longer than servers take.
const MAX_BYTES: usize = 1 << 20;

/// Durations that a body may have of one group.
const MAX_DURATIONS: usize = 50_000;

/// The keys and punctuation of a group, and a duration with its comma.
const GROUP: usize = 128;
const DURATION: usize = 12;

/// One body for `transactions/`, and what of the batch it has.
pub(super) struct Chunk {
    durations: usize,
    breakdown: usize,
    samples: usize,
    has_drops: bool,
    pub(super) key: String,
    pub(super) body: TransactionsBody,
}

/// Makes the batch's next body. `None` when counts and samples are settled.
pub(super) fn next(batch: &mut Batch, identity: &AgentIdentity) -> Option<Chunk> {
    let key = format!("{:032x}-{}", batch.id, batch.finished_bodies);
    if batch.durations.is_empty() && batch.breakdown.is_empty() && batch.drops.is_empty() {
        if batch.samples.is_empty() {
            return None;
        }
        let (body, samples) = identity.samples(&batch.samples, MAX_BYTES);
        return Some(Chunk { durations: 0, breakdown: 0, samples, has_drops: false, key, body });
    }
    split_large(&mut batch.durations);
    let mut left = MAX_BYTES;
    let durations = fitting(&batch.durations, &mut left, weight);
    let breakdown = fitting(&batch.breakdown, &mut left, breakdown_weight);
    let body = identity.counts(&batch.durations[..durations], &batch.breakdown[..breakdown], batch.drops);
    Some(Chunk { durations, breakdown, samples: 0, has_drops: !batch.drops.is_empty(), key, body })
}

impl Chunk {
    /// Takes out of the batch what arrived.
    pub(super) fn delivered(&self, batch: &mut Batch) {
        batch.drops = Drops::default();
        self.take_out(batch);
    }

    /// Takes out of the batch what will never arrive.
    pub(super) fn rejected(&self, batch: &mut Batch, reason: &str) {
        let transactions = batch.durations[..self.durations].iter().map(|group| group.milliseconds.len() as u64).sum();
        let mut lost = Drops { transactions, samples: self.samples as u64, ..Drops::default() };
        // News of losses that is rejected comes again and again, and is no loss itself.
        lost.rejected = u64::from(self.durations + self.breakdown + self.samples > 0);
        batch.reject(lost, reason);
        if self.has_drops {
            batch.reject_drops(reason);
        }
        self.take_out(batch);
    }

    fn take_out(&self, batch: &mut Batch) {
        batch.durations.drain(..self.durations);
        batch.breakdown.drain(..self.breakdown);
        batch.samples.drain(..self.samples);
        batch.finished_bodies += 1;
    }
}

/// Returns how many of the first items fit, one at the least if nothing else is in the body.
fn fitting<T>(items: &[T], left: &mut usize, weight: fn(&T) -> usize) -> usize {
    let mut count = 0;
    for item in items {
        let weight = weight(item);
        if weight > *left && (count > 0 || *left < MAX_BYTES) {
            break;
        }
        *left = left.saturating_sub(weight);
        count += 1;
    }
    count
}

fn weight(group: &DurationGroup) -> usize {
    GROUP + group.name.len() + group.kind.len() + DURATION * group.milliseconds.len()
}

fn breakdown_weight(record: &BreakdownRecord) -> usize {
    GROUP + record.name.len() + record.kind.len() + record.span_kind.len()
}

/// Splits groups that would not fit by themselves.
fn split_large(durations: &mut Vec<DurationGroup>) {
    while let Some(index) = durations.iter().position(|group| group.milliseconds.len() > MAX_DURATIONS) {
        let group = &mut durations[index];
        let milliseconds = group.milliseconds.split_off(MAX_DURATIONS);
        let (name, kind, result) = (group.name.clone(), group.kind.clone(), group.result.clone());
        let rest = DurationGroup { minute: group.minute, name, kind, result, milliseconds };
        durations.insert(index + 1, rest);
    }
}
