//! The facts about a name at a look.

use std::ops::Range;

use crate::correction::Corrected;
use crate::distribution::{Distribution, UNKNOWN};
use crate::effect::{Before, Difference, Measure, figures};
use crate::explanation::slower_over_mix;
use crate::mix::standardised;
use crate::template::Template;

/// The change of a measure, on the logarithmic scale.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MeasuredChange {
    /// The compared figure.
    pub measure: Measure,
    /// The logarithm of after / before.
    pub effect: f64,
    /// The standard error of the effect: of sampling, and of the noise that placebo releases show.
    pub error: f64,
    /// The smallest effect in the parts of the time after, and half its sampling error. Without a release, the effect over the
    /// same hours of the days before counts as one more part.
    pub smallest_part: f64,
}

impl MeasuredChange {
    /// Returns the effect in standard errors.
    #[must_use]
    pub fn z(&self) -> f64 {
        self.effect / self.error.max(1e-9)
    }
}

/// The facts about a name at a look, from which the verdict follows.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Evidence {
    /// Requests in the day before the change.
    pub requests_before: f64,
    /// Requests after the change, without the warm-up.
    pub requests_after: f64,
    /// The median, the 95th percentile and the mean before and after, in milliseconds, without the deviation that all
    /// transactions share.
    pub milliseconds: [(f64, f64); 3],
    /// The change of each measure, in the order of [`Measure::ALL`].
    pub changes: [MeasuredChange; 4],
    /// The changes with the mix of classes before, if requests have classes.
    pub within_classes: Option<[MeasuredChange; 4]>,
    /// The logarithm of the likelihood of the best slow-down, less that of the best new mix. It is 0 if there is no change,
    /// or too few requests to distinguish them.
    pub slower_over_mix: f64,
    /// Whether other transactions could be compared with.
    pub has_control: bool,
}

/// Sampling errors that are added to the effect of a part: its requests are few.
const PART_ERRORS: f64 = 0.5;

/// Requests in the same hours of an earlier day that say what is usual.
const MIN_EARLIER: f64 = 20.0;

/// The blocks that are compared.
pub(crate) struct Windows<'a> {
    pub(crate) corrected: &'a Corrected<'a>,
    pub(crate) before: Range<usize>,
    pub(crate) after: Range<usize>,
    /// The same hours as the time after, of earlier days: nothing is slower that is as slow every day.
    pub(crate) same_hours: Vec<Range<usize>>,
    /// The number of parts of the time after.
    pub(crate) parts: usize,
    /// The standard errors below which nothing is reported, so that the mix is not examined.
    pub(crate) limit: f64,
}

impl Windows<'_> {
    /// Returns the distributions before and after with the mix of classes before, if the classes allow it.
    fn standardised(&self) -> Option<(Distribution, Distribution)> {
        let [old, new] = [&self.before, &self.after].map(|range| self.corrected.window_by_class(range.clone()));
        standardised(&old, &new)
    }

    /// Returns the smallest effect in the parts of the time after and over the same hours of earlier days, and half its error,
    /// for each measure.
    fn smallest_parts(&self, before: &Before, after: &Distribution, changes: &[Difference; 4]) -> [f64; 4] {
        let (start, length) = (self.after.start, self.after.len());
        let ends = (1..=self.parts).map(|part| start + length * part / self.parts);
        let parts = (0..self.parts).map(|part| start + length * part / self.parts).zip(ends);
        let parts = parts.map(|(from, to)| before.changes(&self.corrected.window(from..to)));
        let earlier = self.same_hours.iter().map(|hours| self.corrected.window(hours.clone()));
        let earlier = earlier.filter(|earlier| earlier.total >= MIN_EARLIER);
        let earlier = earlier.map(|earlier| Before::new(&earlier).changes(after));
        let all: Vec<[Difference; 4]> = parts.chain(earlier).collect();
        std::array::from_fn(|index| {
            // The shift of a part with too few requests is not known. The others are estimates nevertheless.
            let is_known =
                |part: &&[Difference; 4]| Measure::ALL[index] != Measure::Shift || part[index].error < UNKNOWN;
            let upper = |part: &[Difference; 4]| part[index].effect + PART_ERRORS * part[index].error.min(1.0);
            all.iter().filter(is_known).map(upper).fold(changes[index].effect, f64::min)
        })
    }
}

/// Adds the noise to the sampling errors.
fn measured(changes: &[Difference; 4], noise: [f64; 4], smallest_parts: [f64; 4]) -> [MeasuredChange; 4] {
    std::array::from_fn(|index| MeasuredChange {
        measure: Measure::ALL[index],
        effect: changes[index].effect,
        error: changes[index].error.hypot(noise[index].sqrt()),
        smallest_part: smallest_parts[index],
    })
}

impl Evidence {
    /// Compares the blocks before and after. `before` has the figures of the blocks before, and `noise` the variances.
    pub(crate) fn new(windows: &Windows<'_>, before: &Before, noise: [f64; 4], has_control: bool) -> Self {
        let [old, new] = [&windows.before, &windows.after].map(|range| windows.corrected.window(range.clone()));
        let differences = before.changes(&new);
        let changes = measured(&differences, noise, windows.smallest_parts(before, &new, &differences));
        let is_examined = changes.iter().any(|change| change.z() >= windows.limit);
        let within_classes = if is_examined { windows.standardised() } else { None };
        // With classes, the mix that they explain is removed before the rest is explained.
        let slower_over_mix = match &within_classes {
            _ if !is_examined => 0.0,
            Some((old, new)) => slower_over_mix(&Template::new(old), old, new),
            None => slower_over_mix(&before.template, &old, &new),
        };
        let within_classes = within_classes.map(|(old, new)| {
            let differences = Before::new(&old).changes(&new);
            measured(&differences, noise, differences.map(|difference| difference.effect))
        });
        let (figures_before, figures_after) = (before.figures, figures(&new));
        let milliseconds = |index: usize| (figures_before[index].log.exp(), figures_after[index].log.exp());
        Self {
            requests_before: old.total,
            requests_after: new.total,
            milliseconds: std::array::from_fn(milliseconds),
            changes,
            within_classes,
            slower_over_mix,
            has_control,
        }
    }
}
