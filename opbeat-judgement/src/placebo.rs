//! The noise of a name, measured at times without a release.
//!
//! Requests of a minute share its noise, so tests that assume independent requests report far too many changes.
//! Bertrand, Duflo & Mullainathan (*How Much Should We Trust Differences-in-Differences Estimates?*, 2004) found this in
//! published studies, and measure the error with placebo laws: dates at which nothing happened. Placebo releases do the
//! same here, at every 40 minutes of the history.

use crate::control::median;
use crate::correction::PrefixSums;
use crate::distribution::UNKNOWN;
use crate::effect::Before;

/// The smallest noise: changes of 3 % happen without a cause.
const MIN_NOISE: f64 = 0.03;

/// The noise of a name without a history.
const USUAL_NOISE: f64 = 0.06;

/// From the square of the median absolute effect to the variance: (1.4826)².
const MEDIAN_TO_VARIANCE: f64 = 2.2;

/// Fewer placebos are no history.
const MIN_PLACEBOS: usize = 8;

/// The number of windows that [`USUAL_NOISE`] counts as, beside those of the history.
const USUAL_WINDOWS: f64 = 8.0;

/// The steps of the prefix sums between two placebo releases: 40 minutes.
const STRIDE: usize = 4;

/// Returns the variance τ² that placebo releases add to the sampling error of each measure.
///
/// `day` is the longest window before, and `after` the length of the window after, both in steps of the sums.
pub(crate) fn noise(history: &PrefixSums, day: usize, after: usize) -> [f64; 4] {
    let base = day.min(history.steps / 2);
    let mut effects: [Vec<f64>; 4] = Default::default();
    let mut errors: [Vec<f64>; 4] = Default::default();
    let last = history.steps.saturating_sub(after + 1);
    if base > 0 && after > 0 {
        for at in (base..=last).step_by(STRIDE) {
            let before = Before::new(&history.window(at - base..at));
            // The step between the windows stands for the deployment.
            let changes = before.changes(&history.window(at + 1..at + 1 + after));
            for (index, change) in changes.iter().enumerate().filter(|(_, change)| change.error < UNKNOWN / 2.0) {
                effects[index].push(change.effect.abs());
                errors[index].push(change.error);
            }
        }
    }
    let windows = history.steps.saturating_sub(base) as f64 / after.max(1) as f64;
    let usual = USUAL_NOISE.powi(2);
    let variance = |index: usize| {
        if effects[index].len() < MIN_PLACEBOS {
            return usual * USUAL_WINDOWS / (USUAL_WINDOWS - 2.0);
        }
        let effect = median(&mut effects[index].clone()).unwrap_or(USUAL_NOISE);
        let error = median(&mut errors[index].clone()).unwrap_or(0.0);
        let variance = (MEDIAN_TO_VARIANCE * effect * effect - error * error).max(MIN_NOISE.powi(2));
        // A few windows, or windows with few requests, say little about the noise. The variance of a variance that is
        // estimated from m values is 2 / m of its square, and here the square includes the sampling error.
        let clarity = usual / (usual + error * error);
        let known = windows * clarity * clarity;
        let variance = (variance * known + usual * USUAL_WINDOWS) / (known + USUAL_WINDOWS);
        // In units of a variance from m windows, effects have Student's distribution, whose variance is m / (m − 2).
        variance * (known + USUAL_WINDOWS) / (known + USUAL_WINDOWS - 2.0)
    };
    std::array::from_fn(variance)
}
