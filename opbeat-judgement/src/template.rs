//! The durations before a change as a smooth density, against which the requests after it are held.
//!
//! The shift that makes the requests after most likely is the factor by which all of them became longer (maximum
//! likelihood). It uses the shape of the density: if it has two narrow modes, the requests say more about a shift than
//! their ranks or their mean do, so few are enough.

use crate::distribution::{Distribution, Estimate, UNKNOWN};
use crate::histogram::WIDTH;

/// Requests before and after that an estimate needs.
const MIN_BEFORE: f64 = 20.0;
const MIN_AFTER: f64 = 10.0;

/// The buckets on both sides of the durations: a factor of 20.
pub(crate) const REACH: i64 = 150;

/// The largest shift of all requests, in buckets: a factor of 7.
const MAX_SHIFT: i64 = 100;

/// The step of the first search, in buckets: a likelihood is smooth on the scale of a mode's width. It is halved until 1.
const COARSE: i64 = 8;

/// The deviation of the kernel is this, on the logarithmic scale, by the fifth root of the number of requests.
const KERNEL: f64 = 0.35;

/// The smallest deviation of the kernel, in buckets.
const MIN_KERNEL: f64 = 1.5;

/// The part of the requests that may have any duration, in requests, and its bounds as a share.
const ANYWHERE: f64 = 2.0;
const ANYWHERE_SHARE: (f64, f64) = (1e-4, 0.02);

/// A logarithm of the likelihood that is lower by this is one standard error away (Wilks, 1938).
const ONE_ERROR: f64 = 0.5;

/// The largest error of a shift to each side, in buckets.
const MAX_ERROR: i64 = 60;

/// The density of the durations before a change.
pub(crate) struct Template {
    /// The bucket of the first density: [`REACH`] below the first duration.
    first: i64,
    /// The probability of each bucket. No bucket is impossible.
    pub(crate) density: Vec<f64>,
    logs: Vec<f64>,
    /// The requests before.
    requests: f64,
}

/// The requests after a change.
pub(crate) struct Observed {
    /// The place of the first request in the density.
    first: i64,
    /// The requests from there on.
    counts: Vec<f64>,
}

impl Observed {
    /// Returns the places that have requests, with their number.
    pub(crate) fn filled(&self) -> impl Iterator<Item = (i64, f64)> + '_ {
        (self.first..).zip(self.counts.iter().copied()).filter(|(_, count)| *count > 0.0)
    }
}

impl Template {
    pub(crate) fn new(before: &Distribution) -> Self {
        let requests = before.effective;
        let reach = usize::try_from(REACH).unwrap_or_default();
        let width = before.counts.len() + 2 * reach;
        let first = i64::from(before.first) - REACH;
        if requests < MIN_BEFORE || before.total <= 0.0 {
            return Self { first, density: Vec::new(), logs: Vec::new(), requests };
        }
        let deviation = (KERNEL * requests.powf(-0.2) / WIDTH).max(MIN_KERNEL);
        let half = (3.0 * deviation).ceil() as usize;
        let kernel: Vec<f64> =
            (0..=2 * half).map(|at| (-0.5 * ((at as f64 - half as f64) / deviation).powi(2)).exp()).collect();
        let anywhere = (ANYWHERE / requests).clamp(ANYWHERE_SHARE.0, ANYWHERE_SHARE.1);
        let scale = (1.0 - anywhere) / (before.total * kernel.iter().sum::<f64>());
        let floor = anywhere / width as f64;
        let mut density = vec![floor; width];
        for (index, count) in before.counts.iter().enumerate().filter(|(_, count)| **count > 0.0) {
            // The kernel is narrower than the reach, so it is within the density.
            let places = density.iter_mut().skip(reach + index - half);
            places.zip(&kernel).for_each(|(density, kernel)| *density += count * scale * kernel);
        }
        // Most places are empty, and logarithms take time.
        let log_of_floor = floor.ln();
        let log = |density: &f64| if *density > floor { density.ln() } else { log_of_floor };
        let logs = density.iter().map(log).collect();
        Self { first, density, logs, requests }
    }

    /// Returns the bucket of a place in the density.
    pub(crate) fn bucket(&self, place: usize) -> f64 {
        self.first as f64 + place as f64
    }

    /// Returns the requests after. Their number is the one that decides the sampling error.
    pub(crate) fn observed(&self, after: &Distribution) -> Observed {
        let weight = after.effective / after.total.max(1e-9);
        let is_filled = |count: &f64| *count > 0.0;
        let begin = after.counts.iter().position(is_filled).unwrap_or(0);
        let end = after.counts.iter().rposition(is_filled).map_or(begin, |last| last + 1);
        let counts = after.counts.get(begin..end).unwrap_or_default();
        Observed {
            first: i64::from(after.first) + begin as i64 - self.first,
            counts: counts.iter().map(|count| count * weight).collect(),
        }
    }

    /// Returns the place of a request that was moved down. Places beyond the ends are as unlikely as the ends.
    pub(crate) fn place(&self, place: i64) -> usize {
        usize::try_from(place).unwrap_or(0).min(self.density.len().saturating_sub(1))
    }

    /// Returns the logarithm of the likelihood that all requests are longer by a number of buckets.
    pub(crate) fn likelihood(&self, observed: &Observed, longer: i64) -> f64 {
        let begin = usize::try_from(observed.first - longer).ok();
        if let Some(logs) = begin.and_then(|begin| self.logs.get(begin..begin + observed.counts.len())) {
            return logs.iter().zip(&observed.counts).map(|(log, count)| log * count).sum();
        }
        let log = |place: i64| self.logs.get(self.place(place)).copied().unwrap_or(0.0);
        observed.filled().map(|(place, count)| count * log(place - longer)).sum()
    }

    /// Returns the most likely shift of all requests. Its error is the distance at which the likelihood is one standard
    /// error lower, which includes the error of the density.
    pub(crate) fn shift_to(&self, after: &Distribution) -> Estimate {
        if self.density.is_empty() || after.effective < MIN_AFTER {
            return Estimate { log: 0.0, error: UNKNOWN };
        }
        let observed = self.observed(after);
        let (longer, highest) = most_likely((-MAX_SHIFT, MAX_SHIFT), |longer| self.likelihood(&observed, longer));
        let distance = |direction: i64| {
            let mut last = 0.0;
            for step in 1..=MAX_ERROR {
                let drop = highest - self.likelihood(&observed, longer + direction * step);
                if drop >= ONE_ERROR {
                    return (step - 1) as f64 + (ONE_ERROR - last) / f64::max(drop - last, 1e-9);
                }
                last = f64::max(last, drop);
            }
            MAX_ERROR as f64
        };
        let (below, above) = (distance(-1), distance(1));
        let middle = longer as f64 + (above - below) / 4.0;
        let density = (1.0 + after.effective / self.requests).sqrt();
        Estimate { log: middle * WIDTH, error: ((below + above) / 2.0 * WIDTH * density).max(WIDTH / 2.0) }
    }
}

/// Returns the number of buckets in a range at which a likelihood is highest, and the likelihood.
pub(crate) fn most_likely(range: (i64, i64), mut likelihood: impl FnMut(i64) -> f64) -> (i64, f64) {
    let mut best = (range.0, f64::MIN);
    let mut consider = |buckets: i64, best: &mut (i64, f64)| {
        let found = likelihood(buckets);
        if found > best.1 {
            *best = (buckets, found);
        }
    };
    (range.0..=range.1).step_by(COARSE as usize).for_each(|buckets| consider(buckets, &mut best));
    let mut step = COARSE / 2;
    while step > 0 {
        let near = best.0;
        for buckets in [near - step, near + step] {
            if (range.0..=range.1).contains(&buckets) {
                consider(buckets, &mut best);
            }
        }
        // A step that helped may help again.
        if best.0 == near {
            step /= 2;
        }
    }
    best
}
