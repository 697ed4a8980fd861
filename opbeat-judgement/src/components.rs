//! The kinds of requests of a transaction, such as hits and misses of a cache: three lognormal components.

use crate::distribution::Distribution;
use crate::histogram::log_of;

/// The number of components.
pub(crate) const COMPONENTS: usize = 3;

/// Steps of the fit.
const STEPS: usize = 60;

/// The first components of the fit: quantiles, and their weights.
const BEGIN: [(f64, f64); COMPONENTS] = [(0.3, 0.7), (0.85, 0.27), (0.985, 0.03)];

/// The first deviation of all components.
const FIRST_DEVIATION: f64 = 0.5;

/// The smallest variance of a component, so that none collapses to a bucket.
const MIN_VARIANCE: f64 = 0.01;

/// A lognormal distribution, and the share of the requests that it stands for.
#[derive(Clone, Copy)]
pub(crate) struct Component {
    weight: f64,
    mean: f64,
    deviation: f64,
}

impl Component {
    /// Returns a number that is proportional to the component's requests in a bucket. It is more than 0.
    pub(crate) fn weight_at(self, bucket: f64) -> f64 {
        (self.weight * self.density(log_of(bucket))).max(1e-30)
    }

    fn density(self, log: f64) -> f64 {
        let z = (log - self.mean) / self.deviation;
        (-0.5 * z * z).exp() / self.deviation
    }
}

/// Fits the components to durations by expectation maximisation. The fastest is the first.
pub(crate) fn fit(durations: &Distribution) -> [Component; COMPONENTS] {
    let log_at = |index: usize| log_of(f64::from(durations.first) + index as f64);
    let filled = durations.counts.iter().enumerate().filter(|(_, count)| **count > 0.0);
    let bins: Vec<(f64, f64)> = filled.map(|(index, count)| (log_at(index), count / durations.total)).collect();
    let at = |share: f64| {
        let mut below = 0.0;
        let found = bins.iter().find(|(_, part)| {
            below += part;
            below >= share
        });
        found.or(bins.last()).map_or(0.0, |(log, _)| *log)
    };
    let mut components = BEGIN.map(|(share, weight)| Component { weight, mean: at(share), deviation: FIRST_DEVIATION });
    for _ in 0..STEPS {
        // The sums of the responsibilities, of the values and of their squares.
        let mut sums = [[1e-12, 0.0, 0.0]; COMPONENTS];
        for (log, count) in &bins {
            let parts = components.map(|component| component.weight * component.density(*log));
            let all = parts.iter().sum::<f64>().max(1e-300);
            for (index, sum) in sums.iter_mut().enumerate() {
                let part = parts[index] / all * count;
                let distance = log - components[index].mean;
                sum[0] += part;
                sum[1] += part * distance;
                sum[2] += part * distance * distance;
            }
        }
        let total: f64 = sums.iter().map(|sum| sum[0]).sum();
        for (component, [count, distance, square]) in components.iter_mut().zip(sums) {
            let moved = distance / count;
            component.weight = count / total;
            component.mean += moved;
            component.deviation = ((square / count - moved * moved).max(0.0) + MIN_VARIANCE).sqrt();
        }
    }
    components.sort_by(|one, other| one.mean.total_cmp(&other.mean));
    components
}
