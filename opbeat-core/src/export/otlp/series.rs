//! The series of histograms: a metric with one set of attributes, and the counts of its durations.

use super::attributes::Attributes;
use super::messages::KeyValue;
use super::request_attributes::{self, Role};
use crate::record::{DurationGroup, TransactionResult};

/// The boundaries of the buckets in seconds, which the semantic conventions recommend for durations of requests.
pub(super) const BOUNDS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

/// The results that count as failures, and are no status codes.
const FAILURES: [&str; 6] = ["server_error", "panicked", "timed_out", "shed", "failed", "error"];

/// The key of a series.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum SeriesKey {
    /// All transactions of a name, a kind and a result.
    Of { role: Role, name: String, kind: String, result: String, status: Option<u16> },
    /// All transactions beyond the limit of series.
    Overflow(Role),
}

impl SeriesKey {
    pub(super) fn of(group: &DurationGroup) -> Self {
        let status = match group.result {
            TransactionResult::Status(status) => Some(status),
            TransactionResult::Word(_) => None,
        };
        let (name, kind) = (group.name.clone(), group.kind.to_string());
        Self::Of { role: Role::of(&group.kind), name, kind, result: group.result.to_string(), status }
    }

    pub(super) fn role(&self) -> Role {
        match self {
            Self::Of { role, .. } | Self::Overflow(role) => *role,
        }
    }

    /// Returns the attributes of the series' points.
    pub(super) fn attributes(&self) -> Vec<KeyValue> {
        let mut attributes = Attributes::default();
        match self {
            Self::Overflow(_) => attributes.set("otel.metric.overflow", true),
            Self::Of { role, name, kind, result, status } => {
                let known = status.map_or_else(|| TransactionResult::from(result.clone()), TransactionResult::from);
                match role {
                    Role::Request => request_attributes::set_request_names(name, &known, &mut attributes),
                    Role::Call => request_attributes::set_call_names(name, &known, &mut attributes),
                    Role::Job => attributes.set("opbeat.transaction", name),
                }
                if status.is_some_and(|status| status >= 500) || FAILURES.contains(&result.as_str()) {
                    attributes.set("error.type", result);
                }
                attributes.set("opbeat.kind", kind);
                attributes.set("opbeat.result", result);
            }
        }
        attributes.into_list()
    }
}

/// The durations of a series, counted in buckets.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Buckets {
    pub(super) counts: [u64; BOUNDS.len() + 1],
    pub(super) count: u64,
    /// The sum in seconds.
    pub(super) sum: f64,
    /// The smallest and the largest duration in seconds.
    pub(super) range: Option<(f64, f64)>,
}

impl Buckets {
    /// Counts durations in milliseconds.
    pub(super) fn add_all(&mut self, milliseconds: &[f32]) {
        for seconds in milliseconds.iter().map(|milliseconds| f64::from(*milliseconds) / 1_000.0) {
            // Each bucket includes its upper boundary.
            let bucket = BOUNDS.partition_point(|bound| *bound < seconds);
            self.counts[bucket] += 1;
            self.count += 1;
            self.sum += seconds;
            let (min, max) = self.range.unwrap_or((seconds, seconds));
            self.range = Some((min.min(seconds), max.max(seconds)));
        }
    }

    pub(super) fn add(&mut self, more: &Self) {
        self.counts.iter_mut().zip(more.counts).for_each(|(count, more)| *count += more);
        self.count += more.count;
        self.sum += more.sum;
        self.range = match (self.range, more.range) {
            (Some((min, max)), Some((more_min, more_max))) => Some((min.min(more_min), max.max(more_max))),
            (range, more) => range.or(more),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_include_their_upper_boundary() {
        let mut buckets = Buckets::default();
        buckets.add_all(&[0.0, 5.0, 5.001, 10_000.0, 10_001.0]);
        assert_eq!((buckets.counts[0], buckets.counts[1]), (2, 1));
        assert_eq!(buckets.counts[13..], [1, 1]);
        assert_eq!((buckets.count, buckets.counts.iter().sum()), (5, 5));
    }
}
