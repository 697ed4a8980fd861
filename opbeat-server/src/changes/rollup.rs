//! Durations and self times by transaction, as plain values that can be added up.

use serde::{Deserialize, Serialize};

use crate::sketch::Sketch;

/// The time that rows by minute are kept, in seconds. Earlier transactions are only in rows of longer times.
pub(crate) const MINUTES_KEPT: i64 = 14 * DAY;

const DAY: i64 = 86_400;

/// A length of time that rows stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Resolution {
    /// The length, in seconds.
    pub(crate) seconds: i64,
    /// The time that its rows are kept, in seconds, or `None` if an app decides it.
    pub(crate) kept: Option<i64>,
}

/// The lengths of time that rows stand for: a minute, ten minutes, an hour and a day. Each divides the next one.
pub(crate) const RESOLUTIONS: [Resolution; 4] = [
    Resolution { seconds: 60, kept: Some(MINUTES_KEPT) },
    Resolution { seconds: 600, kept: Some(60 * DAY) },
    Resolution { seconds: 3_600, kept: Some(400 * DAY) },
    Resolution { seconds: DAY, kept: None },
];

/// The largest count. Larger ones stay at it, so that no sum of the database overflows.
pub(crate) const MAX_COUNT: u64 = 1_000_000_000_000_000;

/// The largest sum of durations in milliseconds: 31,000 years.
const MAX_SUM: f64 = 1e15;

/// The key of an app's transactions with one kind and name.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct TransactionKey {
    /// The app's id.
    pub(crate) app_id: String,
    /// The kind, or an empty string.
    pub(crate) kind: String,
    /// The name.
    pub(crate) name: String,
}

/// The durations of one transaction, minute and result.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Rollup {
    /// The number of durations.
    pub(crate) count: u64,
    /// The number of failed transactions among them.
    pub(crate) failed: u64,
    /// Their sum in milliseconds.
    pub(crate) sum_ms: f64,
    /// The shortest one, in milliseconds.
    pub(crate) min_ms: f64,
    /// The longest one, in milliseconds.
    pub(crate) max_ms: f64,
    /// Their distribution.
    pub(crate) sketch: Sketch,
    /// The distribution of the times to the response head, if one of them was sent. The others count their duration.
    pub(crate) own_head_sketch: Option<Sketch>,
}

/// The time in spans with the same kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SelfTime {
    /// The number of spans.
    pub(crate) count: u64,
    /// Their self time, in milliseconds.
    pub(crate) self_ms: f64,
    /// The number of sampled transactions that the time is estimated from, or 0 if it is exact.
    pub(crate) samples: u64,
}

impl Default for Rollup {
    fn default() -> Self {
        Self {
            count: 0,
            failed: 0,
            sum_ms: 0.0,
            min_ms: f64::MAX,
            max_ms: 0.0,
            sketch: Sketch::default(),
            own_head_sketch: None,
        }
    }
}

impl Rollup {
    /// Counts a duration, and the time to the response head if it was sent, in milliseconds.
    pub(crate) fn insert(&mut self, milliseconds: f64, head: Option<f64>, is_failure: bool) {
        let milliseconds = if milliseconds.is_nan() { 0.0 } else { milliseconds.clamp(0.0, MAX_SUM) };
        if let Some(heads) = self.heads_if(head.is_some()) {
            // The head is a part of the response.
            heads.insert(head.map_or(milliseconds, |head| head.min(milliseconds)));
        }
        self.count = add_counts(self.count, 1);
        self.failed = add_counts(self.failed, u64::from(is_failure));
        self.sum_ms = add_sums(self.sum_ms, milliseconds);
        self.min_ms = self.min_ms.min(milliseconds);
        self.max_ms = self.max_ms.max(milliseconds);
        self.sketch.insert(milliseconds);
    }

    /// Adds the durations of another rollup.
    pub(crate) fn merge(&mut self, other: &Self) {
        if let Some(heads) = self.heads_if(other.own_head_sketch.is_some()) {
            heads.merge(other.head_sketch());
        }
        self.count = add_counts(self.count, other.count);
        self.failed = add_counts(self.failed, other.failed);
        self.sum_ms = add_sums(self.sum_ms, other.sum_ms);
        self.min_ms = self.min_ms.min(other.min_ms);
        self.max_ms = self.max_ms.max(other.max_ms);
        self.sketch.merge(&other.sketch);
    }

    /// Returns the duration in milliseconds that a share of all, from 0 to 1, does not exceed.
    ///
    /// The sketch estimates it within 1 %; the result is never outside the shortest and the longest duration.
    pub(crate) fn quantile(&self, share: f64) -> Option<f64> {
        let estimate = self.sketch.quantile(share)?;
        Some(estimate.max(self.min_ms).min(self.max_ms))
    }

    /// Returns the same of the times to the response head, none of which exceeds the longest duration.
    pub(crate) fn head_quantile(&self, share: f64) -> Option<f64> {
        match &self.own_head_sketch {
            Some(heads) => Some(heads.quantile(share)?.min(self.max_ms)),
            None => self.quantile(share),
        }
    }

    /// Returns the distribution of the times to the response head.
    pub(crate) fn head_sketch(&self) -> &Sketch {
        self.own_head_sketch.as_ref().unwrap_or(&self.sketch)
    }

    /// Returns the head times, if they differ from the durations before or after the next ones are added. All durations
    /// so far become head times when the first different one is added.
    fn heads_if(&mut self, next_differ: bool) -> Option<&mut Sketch> {
        if next_differ && self.own_head_sketch.is_none() {
            self.own_head_sketch = Some(self.sketch.clone());
        }
        self.own_head_sketch.as_mut()
    }
}

impl SelfTime {
    /// Adds another self time.
    pub(crate) fn merge(&mut self, other: Self) {
        self.count = add_counts(self.count, other.count);
        self.self_ms = add_sums(self.self_ms, other.self_ms);
        self.samples = add_counts(self.samples, other.samples);
    }
}

fn add_counts(a: u64, b: u64) -> u64 {
    a.saturating_add(b).min(MAX_COUNT)
}

/// Adds two sums of milliseconds. The result is a number that the database can store: neither NaN nor infinite. It can be
/// negative: a span that arrives late takes its time from the parts that are stored already.
fn add_sums(a: f64, b: f64) -> f64 {
    let sum = a + b;
    if sum.is_nan() { 0.0 } else { sum.clamp(-MAX_SUM, MAX_SUM) }
}
