//! Whether slow requests became more frequent, or requests became slower.
//!
//! The two look the same in a percentile. If requests have classes, the comparison is made within each class. Without
//! classes, three lognormal components are fitted to the durations before, by expectation maximisation (Dempster, Laird
//! & Rubin, 1977). If new weights of the same components explain the durations after, the mix changed.

use crate::distribution::Distribution;
use crate::histogram::log_of;
use crate::series::Class;

/// Requests before and after without which nothing is explained.
const MIN_BEFORE: f64 = 50.0;
const MIN_AFTER: f64 = 20.0;

/// Steps of the fit before, and of the fit of weights.
const STEPS: usize = 60;
const STEPS_OF_WEIGHTS: usize = 40;

/// The first components of the fit: quantiles, and their weights.
const BEGIN: [(f64, f64); 3] = [(0.3, 0.7), (0.85, 0.27), (0.985, 0.03)];

/// The smallest variance of a component, so that none collapses to a bucket.
const MIN_VARIANCE: f64 = 0.01;

/// Requests that a class needs on both sides. Smaller classes are compared together.
const MIN_OF_CLASS: f64 = 20.0;

/// The share of the requests before whose classes must also occur after.
const MIN_COVERED: f64 = 0.5;

/// Returns the distribution after with the mix of before, or `None` if the classes do not allow it.
///
/// This is direct standardisation: each class counts as much as it did before.
pub(crate) fn standardised(
    before: &[(Class, Distribution)],
    after: &[(Class, Distribution)],
) -> Option<(Distribution, Distribution)> {
    let matching = |class: Class| after.iter().find(|(other, _)| *other == class).map(|(_, durations)| durations);
    let is_large = |class: Class, before: &Distribution| {
        before.total >= MIN_OF_CLASS && matching(class).is_some_and(|after| after.total >= MIN_OF_CLASS)
    };
    let large: Vec<Class> =
        before.iter().filter(|(class, before)| is_large(*class, before)).map(|(class, _)| *class).collect();
    let (_, any) = before.first().filter(|_| large.len() >= 2)?;
    let (first, width) = (any.first, any.counts.len());
    let all_before: f64 = before.iter().map(|(_, durations)| durations.total).sum();
    let all_after: f64 = after.iter().map(|(_, durations)| durations.total).sum();
    let covered: f64 = before.iter().filter(|(class, _)| large.contains(class)).map(|(_, d)| d.total).sum();
    if covered < MIN_COVERED * all_before {
        return None;
    }
    let (mut old, mut new) = (vec![0.0; width], vec![0.0; width]);
    let mut squares = 0.0;
    for (class, durations) in before.iter().filter(|(class, _)| large.contains(class)) {
        let other = matching(*class)?;
        let weight = durations.total / covered * all_after / other.total;
        squares += other.total * weight * weight;
        old.iter_mut().zip(&durations.counts).for_each(|(sum, count)| *sum += count);
        new.iter_mut().zip(&other.counts).for_each(|(sum, count)| *sum += count * weight);
    }
    let mut new = Distribution::new(first, new);
    new.effective = new.total * new.total / squares.max(1e-9);
    Some((Distribution::new(first, old), new))
}

/// Returns the share of the change of the distribution function that new weights of the old components leave
/// unexplained. It is 1 if there are too few requests.
pub(crate) fn unexplained(before: &Distribution, after: &Distribution) -> f64 {
    if before.total < MIN_BEFORE || after.total < MIN_AFTER {
        return 1.0;
    }
    let counts = before.counts.iter().zip(&after.counts).enumerate();
    let bins: Vec<Bin> = counts
        .map(|(index, (before_count, after_count))| Bin {
            log: log_of(f64::from(before.first) + index as f64),
            before: before_count / before.total,
            after: after_count / after.total,
        })
        .collect();
    let components = fit(&bins);
    let density: Vec<[f64; 3]> =
        bins.iter().map(|bin| components.map(|component| component.density(bin.log))).collect();
    let mut sums = [1e-300; 3];
    density.iter().for_each(|row| (0..3).for_each(|k| sums[k] += row[k]));
    let density: Vec<[f64; 3]> = density.iter().map(|row| std::array::from_fn(|k| row[k] / sums[k])).collect();
    let begin = components.map(|component| component.weight);
    let old = weights(&density, &bins.iter().map(|bin| bin.before).collect::<Vec<_>>(), begin);
    let new = weights(&density, &bins.iter().map(|bin| bin.after).collect::<Vec<_>>(), begin);
    let (mut change, mut explained) = (0.0, 0.0);
    let (mut largest, mut left) = (1e-6_f64, f64::MIN);
    for (bin, row) in bins.iter().zip(&density) {
        change += bin.before - bin.after;
        explained += (0..3).map(|k| row[k] * (old[k] - new[k])).sum::<f64>();
        largest = largest.max(change);
        left = left.max(change - explained);
    }
    left / largest
}

struct Bin {
    log: f64,
    before: f64,
    after: f64,
}

#[derive(Clone, Copy)]
struct Component {
    weight: f64,
    mean: f64,
    deviation: f64,
}

impl Component {
    fn density(self, log: f64) -> f64 {
        let z = (log - self.mean) / self.deviation;
        (-0.5 * z * z).exp() / self.deviation
    }
}

/// Fits the components to the requests before.
fn fit(bins: &[Bin]) -> [Component; 3] {
    let at = |share: f64| {
        let mut below = 0.0;
        let found = bins.iter().find(|bin| {
            below += bin.before;
            below >= share
        });
        found.or(bins.last()).map_or(0.0, |bin| bin.log)
    };
    let mut components = BEGIN.map(|(share, weight)| Component { weight, mean: at(share), deviation: 0.5 });
    for _ in 0..STEPS {
        // The sums of the responsibilities, of the values and of their squares.
        let mut sums = [[1e-12, 0.0, 0.0]; 3];
        for bin in bins.iter().filter(|bin| bin.before > 0.0) {
            let parts = components.map(|component| component.weight * component.density(bin.log));
            let all = parts.iter().sum::<f64>().max(1e-300);
            for k in 0..3 {
                let part = parts[k] / all * bin.before;
                let distance = bin.log - components[k].mean;
                sums[k][0] += part;
                sums[k][1] += part * distance;
                sums[k][2] += part * distance * distance;
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
    components
}

/// Fits only the weights of components to shares.
fn weights(density: &[[f64; 3]], shares: &[f64], mut weights: [f64; 3]) -> [f64; 3] {
    for _ in 0..STEPS_OF_WEIGHTS {
        let mut sums = [1e-12; 3];
        for (row, share) in density.iter().zip(shares).filter(|(_, share)| **share > 0.0) {
            let parts: [f64; 3] = std::array::from_fn(|k| row[k] * weights[k]);
            let all = parts.iter().sum::<f64>().max(1e-300);
            (0..3).for_each(|k| sums[k] += parts[k] / all * share);
        }
        let total: f64 = sums.iter().sum();
        weights = sums.map(|sum| sum / total);
    }
    weights
}
