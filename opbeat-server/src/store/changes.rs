//! What a body changes in the store, as plain values that add up.

use std::collections::BTreeMap;

use opbeat_protocol::{ErrorBody, Frame};

use super::SampleDocument;
use crate::sketch::Sketch;

/// What one or more bodies change.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// Durations by transaction, minute (seconds since 1970) and result.
    pub rollups: BTreeMap<(TransactionKey, i64, String), Rollup>,
    /// Self time by transaction, minute and kind of span.
    pub breakdowns: BTreeMap<(TransactionKey, i64, String), SelfTime>,
    /// Sampled transactions.
    pub samples: Vec<NewSample>,
    /// Stacks that spans were started from.
    pub span_stacks: Vec<NewSpanStack>,
    /// Errors.
    pub errors: Vec<NewError>,
    /// How much agents left out.
    pub losses: BTreeMap<LossKey, u64>,
}

/// Names what an app's agents left out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LossKey {
    /// The app's id.
    pub app_id: String,
    /// The minute in which the server was told, in seconds since 1970.
    pub minute: i64,
    /// What: `errors`, `spans`, …
    pub what: String,
}

/// Names a transaction of an app.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct TransactionKey {
    /// The app's id.
    pub app_id: String,
    /// The kind, or an empty string.
    pub kind: String,
    /// The name.
    pub name: String,
}

/// Durations that were counted together.
#[derive(Clone, Debug)]
pub struct Rollup {
    /// How many.
    pub count: u64,
    /// How many of them failed.
    pub failed: u64,
    /// Their sum in milliseconds.
    pub sum_ms: f64,
    /// The shortest.
    pub min_ms: f64,
    /// The longest.
    pub max_ms: f64,
    /// How they are distributed.
    pub sketch: Sketch,
}

/// Time in spans of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SelfTime {
    /// How many spans.
    pub count: u64,
    /// Milliseconds.
    pub self_ms: f64,
}

/// A sampled transaction.
#[derive(Clone, Debug, Default)]
pub struct NewSample {
    /// The transaction.
    pub transaction: TransactionKey,
    /// When it began, in microseconds since 1970.
    pub happened_at: i64,
    /// How long it took.
    pub duration_ms: f64,
    /// Its result.
    pub result: String,
    /// How it ended, or an empty string.
    pub outcome: String,
    /// The agent's id of it, or an empty string.
    pub external_id: String,
    /// Its spans and context.
    pub document: SampleDocument,
}

/// A stack that spans were started from.
#[derive(Clone, Debug)]
pub struct NewSpanStack {
    /// The app's id.
    pub app_id: String,
    /// The spans' kind.
    pub kind: String,
    /// The spans' short name.
    pub signature: String,
    /// The calls, the oldest first.
    pub frames: Vec<Frame>,
}

/// An error, ready to be grouped.
#[derive(Clone, Debug)]
pub struct NewError {
    /// The app's id.
    pub app_id: String,
    /// What it is grouped by.
    pub fingerprint: Vec<u8>,
    /// When it happened, in microseconds since 1970.
    pub happened_at: i64,
    /// Its type, or an empty string.
    pub type_name: String,
    /// What it says.
    pub message: String,
    /// What is held responsible.
    pub culprit: String,
    /// How many errors it stands for.
    pub occurrences: i64,
    /// The error as it is shown, frames the oldest first.
    pub document: ErrorBody,
}

impl Default for Rollup {
    fn default() -> Self {
        Self { count: 0, failed: 0, sum_ms: 0.0, min_ms: f64::MAX, max_ms: 0.0, sketch: Sketch::default() }
    }
}

impl Rollup {
    /// Counts a duration in milliseconds.
    pub fn insert(&mut self, milliseconds: f64, is_failure: bool) {
        self.count += 1;
        self.failed += u64::from(is_failure);
        self.sum_ms += milliseconds;
        self.min_ms = self.min_ms.min(milliseconds);
        self.max_ms = self.max_ms.max(milliseconds);
        self.sketch.insert(milliseconds);
    }

    /// Adds all that another one counts.
    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.failed += other.failed;
        self.sum_ms += other.sum_ms;
        self.min_ms = self.min_ms.min(other.min_ms);
        self.max_ms = self.max_ms.max(other.max_ms);
        self.sketch.merge(&other.sketch);
    }
}

impl SelfTime {
    /// Adds another one.
    pub fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.self_ms += other.self_ms;
    }
}

impl Changes {
    /// Adds what other bodies change.
    pub fn merge(&mut self, other: Self) {
        for (key, rollup) in other.rollups {
            self.rollups.entry(key).or_default().merge(&rollup);
        }
        for (key, self_time) in other.breakdowns {
            self.breakdowns.entry(key).or_default().merge(self_time);
        }
        self.samples.extend(other.samples);
        self.span_stacks.extend(other.span_stacks);
        self.errors.extend(other.errors);
        for (key, count) in other.losses {
            *self.losses.entry(key).or_default() += count;
        }
    }
}
