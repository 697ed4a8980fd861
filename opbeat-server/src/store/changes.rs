//! The changes that bodies make in the store, as plain values that can be added up.

use std::collections::BTreeMap;

use opbeat_protocol::{ErrorBody, Frame};

use super::document::SampleDocument;
use crate::sketch::Sketch;

/// The changes of one or more bodies.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changes {
    /// Durations by transaction, minute (seconds since 1970) and result.
    pub(crate) rollups: BTreeMap<(TransactionKey, i64, String), Rollup>,
    /// Self time by transaction, minute and kind of span.
    pub(crate) breakdowns: BTreeMap<(TransactionKey, i64, String), SelfTime>,
    /// Sampled transactions.
    pub(crate) samples: Vec<NewSample>,
    /// Stacks that spans were started from.
    pub(crate) span_stacks: Vec<NewSpanStack>,
    /// Errors.
    pub(crate) errors: Vec<NewError>,
    /// How much data agents dropped.
    pub(crate) drops: BTreeMap<DropKey, u64>,
}

/// The key under which an app's drops are counted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DropKey {
    /// The app's id.
    pub(crate) app_id: String,
    /// The minute in which the server received the report, in seconds since 1970.
    pub(crate) minute: i64,
    /// The reason, one of [`DROP_REASONS`](opbeat_protocol::DROP_REASONS).
    pub(crate) reason: String,
}

/// The key of an app's transactions with one kind and name.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TransactionKey {
    /// The app's id.
    pub(crate) app_id: String,
    /// The kind, or an empty string.
    pub(crate) kind: String,
    /// The name.
    pub(crate) name: String,
}

/// The durations of one transaction, minute and result.
#[derive(Clone, Debug)]
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
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct SelfTime {
    /// The number of spans.
    pub(crate) count: u64,
    /// Their self time, in milliseconds.
    pub(crate) self_ms: f64,
}

/// A sampled transaction.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewSample {
    /// The transaction.
    pub(crate) transaction: TransactionKey,
    /// When it began, in microseconds since 1970.
    pub(crate) happened_at: i64,
    /// Its duration, in milliseconds.
    pub(crate) duration_ms: f64,
    /// Its result.
    pub(crate) result: String,
    /// Its outcome, or an empty string.
    pub(crate) outcome: String,
    /// The id that the agent gave it, or an empty string.
    pub(crate) external_id: String,
    /// Its spans and context.
    pub(crate) document: SampleDocument,
}

/// A stack that spans were started from.
#[derive(Clone, Debug)]
pub(crate) struct NewSpanStack {
    /// The app's id.
    pub(crate) app_id: String,
    /// The spans' kind.
    pub(crate) kind: String,
    /// The spans' short name.
    pub(crate) signature: String,
    /// The frames, the oldest call first.
    pub(crate) frames: Vec<Frame>,
}

/// A reported error, with everything that finds or creates its group.
#[derive(Clone, Debug)]
pub(crate) struct NewError {
    /// The app's id.
    pub(crate) app_id: String,
    /// The fingerprint: errors with the same one are in the same group.
    pub(crate) fingerprint: Vec<u8>,
    /// When it happened, in microseconds since 1970.
    pub(crate) happened_at: i64,
    /// Its type, or an empty string.
    pub(crate) type_name: String,
    /// Its message.
    pub(crate) message: String,
    /// Its culprit: the function or the transaction that caused it.
    pub(crate) culprit: String,
    /// The number of similar errors that it stands for.
    pub(crate) occurrences: i64,
    /// The error as it is shown, with the frame of the oldest call first.
    pub(crate) document: ErrorBody,
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
        self.count += other.count;
        self.failed += other.failed;
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
        self.count += other.count;
        self.self_ms += other.self_ms;
    }
}

impl Changes {
    /// Adds the changes of other bodies.
    pub(crate) fn merge(&mut self, other: Self) {
        for (key, rollup) in other.rollups {
            self.rollups.entry(key).or_default().merge(&rollup);
        }
        for (key, self_time) in other.breakdowns {
            self.breakdowns.entry(key).or_default().merge(self_time);
        }
        self.samples.extend(other.samples);
        self.span_stacks.extend(other.span_stacks);
        self.errors.extend(other.errors);
        for (key, count) in other.drops {
            *self.drops.entry(key).or_default() += count;
        }
    }
}
