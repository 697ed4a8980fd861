//! Durations and self times by transaction, as plain values that can be added up.

use serde::{Deserialize, Serialize};

use crate::sketch::Sketch;

/// The key of an app's transactions with one kind and name.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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
        if let Some(heads) = self.heads_if(head.is_some()) {
            // The head is a part of the response.
            heads.insert(head.map_or(milliseconds, |head| head.min(milliseconds)));
        }
        self.count += 1;
        self.failed += u64::from(is_failure);
        self.sum_ms += milliseconds;
        self.min_ms = self.min_ms.min(milliseconds);
        self.max_ms = self.max_ms.max(milliseconds);
        self.sketch.insert(milliseconds);
    }

    /// Adds the durations of another rollup.
    pub(crate) fn merge(&mut self, other: &Self) {
        if let Some(heads) = self.heads_if(other.own_head_sketch.is_some()) {
            heads.merge(other.head_sketch());
        }
        self.count = self.count.saturating_add(other.count);
        self.failed = self.failed.saturating_add(other.failed);
        self.sum_ms += other.sum_ms;
        self.min_ms = self.min_ms.min(other.min_ms);
        self.max_ms = self.max_ms.max(other.max_ms);
        self.sketch.merge(&other.sketch);
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
        self.count = self.count.saturating_add(other.count);
        self.self_ms += other.self_ms;
    }
}
