//! The change between two windows of time, by measure.

use crate::distribution::{Distribution, Estimate, UNKNOWN};
use crate::template::Template;

/// A figure by which durations before and after are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// The median.
    P50,
    /// The 95th percentile.
    P95,
    /// The mean, in which durations above p99 count as p99.
    Mean,
    /// The factor by which all requests became longer that makes the requests after most likely.
    Shift,
}

impl Measure {
    /// All measures.
    pub const ALL: [Self; 4] = [Self::P50, Self::P95, Self::Mean, Self::Shift];
}

/// The figures of the window before a change.
pub(crate) struct Before {
    pub(crate) figures: [Estimate; 3],
    pub(crate) template: Template,
}

/// A change on the logarithmic scale, and its sampling error.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Difference {
    pub(crate) effect: f64,
    pub(crate) error: f64,
}

/// Returns p50, p95 and the mean.
pub(crate) fn figures(of: &Distribution) -> [Estimate; 3] {
    [of.quantile(0.5), of.quantile(0.95), of.mean()]
}

impl Before {
    pub(crate) fn new(before: &Distribution) -> Self {
        Self { figures: figures(before), template: Template::new(before) }
    }

    /// Returns the change of each measure, in the order of [`Measure::ALL`].
    pub(crate) fn changes(&self, after: &Distribution) -> [Difference; 4] {
        if after.total <= 0.0 {
            return [Difference { effect: 0.0, error: UNKNOWN }; 4];
        }
        let [p50, p95, mean] = figures(after);
        let [p50_before, p95_before, mean_before] = self.figures;
        let between = |after: Estimate, before: Estimate| Difference {
            effect: after.log - before.log,
            error: after.error.hypot(before.error),
        };
        let shift = self.template.shift_to(after);
        [
            between(p50, p50_before),
            between(p95, p95_before),
            between(mean, mean_before),
            Difference { effect: shift.log, error: shift.error },
        ]
    }
}
