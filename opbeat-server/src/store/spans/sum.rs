//! The sums of spans with one name, and the division of a kind's time among names.

use crate::changes::SelfTime;

/// The observed spans with a name.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Seen {
    /// Their number.
    pub(super) count: u64,
    /// The sum of their durations, in milliseconds.
    pub(super) sum_ms: f64,
    /// The number of single samples that have them.
    pub(super) samples: u64,
    /// The number of those in which the agent flagged them as N+1.
    pub(super) n_plus_one: u64,
    /// The number of spans whose success or failure is known.
    pub(super) answered: u64,
    /// The number of those that failed.
    pub(super) failed: u64,
}

impl Seen {
    /// Adds others.
    pub(super) fn merge(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
        self.sum_ms += other.sum_ms;
        self.samples = self.samples.saturating_add(other.samples);
        self.n_plus_one = self.n_plus_one.saturating_add(other.n_plus_one);
        self.answered = self.answered.saturating_add(other.answered);
        self.failed = self.failed.saturating_add(other.failed);
    }
}

/// The sums of a kind and signature.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct SpanSum {
    /// The number of spans.
    pub(super) count: f64,
    /// Their time, in milliseconds.
    pub(super) sum_ms: f64,
    /// The part of the time that is an estimate.
    pub(super) estimated_ms: f64,
    /// The number of samples that have them.
    pub(super) samples: u64,
    /// The number of samples in which they are flagged as N+1.
    pub(super) n_plus_one: u64,
    /// The number of observed spans whose success or failure is known.
    pub(super) answered: u64,
    /// The number of those that failed.
    pub(super) failed: u64,
}

/// The part that one name has in the observed spans of a kind.
#[derive(Clone, Debug)]
pub(super) struct Share<N> {
    /// The name, or the id of its row.
    pub(super) of: N,
    /// The number of spans.
    pub(super) count: f64,
    /// Their time, in milliseconds.
    pub(super) sum_ms: f64,
}

impl SpanSum {
    /// Returns the number and the time of observed spans that stand for more. They are an estimate if the scale is not 1.
    pub(super) fn of(seen: &Seen, scale: f64) -> Self {
        let sum_ms = seen.sum_ms * scale;
        let estimated_ms = if scale > 1.0 { sum_ms } else { 0.0 };
        Self { count: seen.count as f64 * scale, sum_ms, estimated_ms, ..Self::default() }
    }

    /// Adds another sum.
    pub(super) fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.sum_ms += other.sum_ms;
        self.estimated_ms += other.estimated_ms;
        self.samples = self.samples.saturating_add(other.samples);
        self.n_plus_one = self.n_plus_one.saturating_add(other.n_plus_one);
        self.answered = self.answered.saturating_add(other.answered);
        self.failed = self.failed.saturating_add(other.failed);
    }

    /// Adds the facts of observed spans, without their number and time.
    pub(super) fn observe(&mut self, seen: &Seen) {
        let Seen { samples, n_plus_one, answered, failed, .. } = *seen;
        self.merge(&Self { samples, n_plus_one, answered, failed, ..Self::default() });
    }
}

/// Divides the number and the time of a kind's spans in proportion to observed ones.
pub(super) fn divide<N>(shares: Vec<Share<N>>, all: SelfTime) -> Vec<(N, SpanSum)> {
    let all_ms: f64 = shares.iter().map(|share| share.sum_ms).sum();
    let all_count: f64 = shares.iter().map(|share| share.count).sum();
    let part = |share: Share<N>| {
        let of_count = if all_count > 0.0 { share.count / all_count } else { 0.0 };
        let of_time = if all_ms > 0.0 { share.sum_ms / all_ms } else { of_count };
        let sum_ms = all.self_ms * of_time;
        let sum = SpanSum { count: all.count as f64 * of_count, sum_ms, estimated_ms: sum_ms, ..SpanSum::default() };
        (share.of, sum)
    };
    shares.into_iter().map(part).collect()
}
