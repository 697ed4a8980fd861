//! Splits a batch into bodies of a size that servers accept.
//!
//! Counts are sent first, and samples after them in bodies of their own: a server that rejects a large sample rejects
//! no counts. Each body depends only on the rest of the batch, so that a repeated body is the same under the same key.

use super::encode::AgentIdentity;
use crate::pipeline::Batch;
use crate::record::{BreakdownRecord, CheckInRecord, Drops, DurationGroup};
use opbeat_protocol::TransactionsBody;

/// The largest size of a body in bytes of JSON, roughly estimated for counts.
///
/// Even a body that compresses badly is then smaller than the default limit of proxies, and no array is longer than
/// servers accept.
const MAX_BYTES: usize = 1 << 20;

/// The largest number of durations and head times of one group in a body.
const MAX_TIMES: usize = 50_000;

/// The estimated size in bytes of a group's keys and punctuation, and of a duration with its comma.
const GROUP_BYTES: usize = 128;
const DURATION_BYTES: usize = 12;

/// One body for `transactions/`, and the number of the batch's first items that it contains.
pub(super) struct Chunk {
    durations: usize,
    breakdown: usize,
    samples: usize,
    check_ins: usize,
    has_drops: bool,
    pub(super) key: String,
    pub(super) body: TransactionsBody,
}

/// Makes the batch's next body. Returns `None` if no counts and samples are left.
pub(super) fn next(batch: &mut Batch, identity: &AgentIdentity) -> Option<Chunk> {
    let key = format!("{:032x}-{}", batch.id, batch.finished_bodies);
    let has_no_counts = batch.durations.is_empty() && batch.breakdown.is_empty() && batch.check_ins.is_empty();
    if has_no_counts && batch.drops.is_empty() {
        if batch.samples.is_empty() {
            return None;
        }
        let (body, samples) = identity.samples(&batch.samples, MAX_BYTES);
        return Some(Chunk { durations: 0, breakdown: 0, samples, check_ins: 0, has_drops: false, key, body });
    }
    split_large(&mut batch.durations);
    let mut left = MAX_BYTES;
    let durations = fitting(&batch.durations, &mut left, weight);
    let breakdown = fitting(&batch.breakdown, &mut left, breakdown_weight);
    let check_ins = fitting(&batch.check_ins, &mut left, check_in_weight);
    let body = identity.counts(
        &batch.durations[..durations],
        &batch.breakdown[..breakdown],
        &batch.check_ins[..check_ins],
        batch.drops,
    );
    Some(Chunk { durations, breakdown, samples: 0, check_ins, has_drops: !batch.drops.is_empty(), key, body })
}

impl Chunk {
    /// Removes the contents from the batch after the server accepted them.
    pub(super) fn remove_from(&self, batch: &mut Batch) {
        batch.drops = Drops::default();
        self.remove_items(batch);
    }

    /// Removes the contents from the batch after the server rejected them, and counts them as dropped.
    pub(super) fn reject(&self, batch: &mut Batch, reason: &str) {
        let transactions = batch.durations[..self.durations].iter().map(|group| group.milliseconds.len() as u64).sum();
        let mut dropped = Drops { transactions, samples: self.samples as u64, ..Drops::default() };
        // A body of drops alone contains no data, and its drops are sent again.
        let items = self.durations + self.breakdown + self.samples + self.check_ins;
        dropped.rejected = u64::from(items > 0);
        batch.reject(dropped, reason);
        if self.has_drops {
            batch.reject_drops(reason);
        }
        self.remove_items(batch);
    }

    fn remove_items(&self, batch: &mut Batch) {
        batch.durations.drain(..self.durations);
        batch.breakdown.drain(..self.breakdown);
        batch.samples.drain(..self.samples);
        batch.check_ins.drain(..self.check_ins);
        batch.finished_bodies += 1;
    }
}

/// Returns the number of first items that fit: at least one if the body is empty.
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
    GROUP_BYTES + group.name.len() + group.kind.len() + DURATION_BYTES * group.times()
}

fn breakdown_weight(record: &BreakdownRecord) -> usize {
    GROUP_BYTES + record.name.len() + record.kind.len() + record.span_kind.len()
}

fn check_in_weight(record: &CheckInRecord) -> usize {
    let time_zone = record.time_zone.as_ref().map_or(0, String::len);
    2 * GROUP_BYTES + record.monitor.len() + record.schedule.len() + time_zone
}

/// Splits groups that are too large for one body.
fn split_large(durations: &mut Vec<DurationGroup>) {
    while let Some(index) = durations.iter().position(|group| group.times() > MAX_TIMES) {
        let group = &mut durations[index];
        let transactions = if group.head_milliseconds.is_empty() { MAX_TIMES } else { MAX_TIMES / 2 };
        let rest = group.split_off(transactions);
        durations.insert(index + 1, rest);
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn head_times_are_split_with_their_durations() {
        let milliseconds: Vec<f32> = (0_u16..60_000).map(f32::from).collect();
        let (name, kind, result) = ("test".to_owned(), "".into(), "ok".into());
        let head_milliseconds = milliseconds.clone();
        let group = DurationGroup { minute: UNIX_EPOCH, name, kind, result, milliseconds, head_milliseconds };
        let without = DurationGroup { head_milliseconds: Vec::new(), ..group.clone() };
        let mut durations = vec![group, without];
        split_large(&mut durations);
        let lengths: Vec<_> =
            durations.iter().map(|group| (group.milliseconds.len(), group.head_milliseconds.len())).collect();
        assert_eq!(lengths, [(25_000, 25_000), (25_000, 25_000), (10_000, 10_000), (50_000, 0), (10_000, 0)]);
        assert!(durations[..3].iter().all(|group| group.milliseconds == group.head_milliseconds));
    }
}
