//! Whether a release made the whole application slower.
//!
//! The other transactions are the control, so a change of all of them is invisible to difference-in-differences. While
//! a deployment rolls, instances with the old and the new release serve requests in the same minutes; there they can be
//! compared without a control.

use crate::control::median;
use crate::distribution::{Distribution, UNKNOWN};
use crate::effect::{Before, Measure};
use crate::histogram::Histogram;

/// The requests of a name in one block, by the release that served them. Instances that have just started are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rollout {
    /// The durations of instances with the old release.
    pub old: Histogram,
    /// The durations of instances with the new release.
    pub new: Histogram,
}

/// The change of a whole application, on the logarithmic scale.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct ApplicationChange {
    /// The compared figure.
    pub measure: Measure,
    /// The median over names of the logarithm of new / old.
    pub effect: f64,
    /// Its standard error.
    pub error: f64,
    /// The number of names that could be compared.
    pub names: usize,
}

/// Names that must be compared.
const MIN_NAMES: usize = 3;

/// The largest error of a name that is compared.
const MAX_ERROR: f64 = 0.2;

/// The noise of a name within a deployment.
const NOISE: f64 = 0.05;

/// ×1.15, at three standard errors.
const MIN_EFFECT: f64 = 0.139_761_942_375_158_7;
const LIMIT: f64 = 3.0;

/// The error of a median of normal values is larger than that of their mean by √(π/2).
const MEDIAN_TO_MEAN: f64 = 1.253_314_137_315_500_3;

/// Compares the releases in the blocks of a rolling deployment, for all names of an application.
///
/// The result is `None` unless the whole application became slower.
#[must_use]
pub fn whole_application<'a>(names: impl IntoIterator<Item = &'a [Rollout]>) -> Option<ApplicationChange> {
    let changes: Vec<_> = names.into_iter().filter_map(changes).collect();
    let found = Measure::ALL.iter().enumerate().filter_map(|(index, measure)| {
        let known: Vec<(f64, f64)> =
            changes.iter().map(|changes| changes[index]).filter(|(_, error)| *error < MAX_ERROR).collect();
        if known.len() < MIN_NAMES {
            return None;
        }
        let count = known.len() as f64;
        let effect = median(&mut known.iter().map(|(effect, _)| *effect).collect::<Vec<_>>())?;
        let distances: Vec<f64> = known.iter().map(|(other, _)| (other - effect).abs()).collect();
        let scatter = 1.4826 * median(&mut distances.clone())?;
        let typical = median(&mut known.iter().map(|(_, error)| *error).collect::<Vec<_>>())?;
        let error = MEDIAN_TO_MEAN * scatter.max(typical) / count.sqrt();
        Some(ApplicationChange { measure: *measure, effect, error, names: known.len() })
    });
    found
        .filter(|change| change.effect >= MIN_EFFECT && change.effect >= LIMIT * change.error)
        .max_by(|one, other| (one.effect / one.error).total_cmp(&(other.effect / other.error)))
}

/// Returns the effect and the error of each measure, or `None` if no block has both releases.
fn changes(blocks: &[Rollout]) -> Option<[(f64, f64); 4]> {
    let buckets = || blocks.iter().flat_map(|block| block.old.buckets().chain(block.new.buckets()));
    let (low, high) = buckets().fold(None, |range: Option<(i32, i32)>, (bucket, _)| {
        range.map_or(Some((bucket, bucket)), |(low, high)| Some((low.min(bucket), high.max(bucket))))
    })?;
    let width = high.abs_diff(low) as usize + 1;
    let mut sums = [vec![0.0; width], vec![0.0; width]];
    let mut squares = [0.0; 2];
    for block in blocks {
        let counts = [&block.old, &block.new].map(|durations| durations.count() as f64);
        let fewer = counts[0].min(counts[1]);
        if fewer <= 0.0 {
            continue;
        }
        // Both sides of a block weigh the same. Otherwise a host that slows down is mistaken for the new release.
        for (index, durations) in [&block.old, &block.new].into_iter().enumerate() {
            let weight = fewer / counts[index];
            squares[index] += counts[index] * weight * weight;
            for (bucket, count) in durations.buckets() {
                sums[index][bucket.abs_diff(low) as usize] += count as f64 * weight;
            }
        }
    }
    let [old, new] = sums.map(|counts| Distribution::new(low, counts));
    if old.total <= 0.0 {
        return None;
    }
    let [old, new] = [(old, squares[0]), (new, squares[1])].map(|(mut side, square)| {
        side.effective = side.total * side.total / square.max(1e-9);
        side
    });
    let changes = Before::new(&old).changes(&new);
    Some(changes.map(|change| (change.effect, change.error.hypot(NOISE).min(UNKNOWN))))
}
