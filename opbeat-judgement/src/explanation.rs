//! Whether requests became slower, or slow requests became more frequent.
//!
//! The two look the same in a percentile, but not in the distribution. If the mix changed, its modes stay where
//! they are, and their weights change. If requests became slower, modes move. So the requests after a change are held
//! against both explanations, and the likelihoods are compared:
//!
//! | explanation | its parameters |
//! |---|---|
//! | the mix | the weights of three components |
//! | all requests are slower | one factor |
//! | the slow kinds are slower | one factor, for all components but the fastest |
//! | some requests are slower | one factor, and the share of the requests that it applies to |
//!
//! The components are those of lognormal distributions that are fitted to the durations before by expectation
//! maximisation (Dempster, Laird & Rubin, 1977). They only divide the observed density among them, so a shape that is
//! not lognormal favours neither explanation.

use crate::components::{COMPONENTS, fit};
use crate::distribution::Distribution;
use crate::template::{Observed, REACH, Template, most_likely};

/// Requests before and after without which nothing is explained.
const MIN_BEFORE: f64 = 50.0;
const MIN_AFTER: f64 = 20.0;

/// Steps of the fit of weights, and of the fit of a share.
const STEPS_OF_WEIGHTS: usize = 40;
const STEPS_OF_SHARE: usize = 15;

/// The step in which factors are tried for a part of the requests, in buckets.
const STEP_OF_PART: usize = 4;

/// The share of requests that a slow-down of some can apply to.
const SHARE: (f64, f64) = (0.02, 0.8);
const FIRST_SHARE: f64 = 0.3;

/// The density before, divided among components.
struct Divided<'a> {
    template: &'a Template,
    /// For each place the part of each component: together they are the density.
    parts: Vec<[f64; COMPONENTS]>,
}

/// Returns the logarithm of the likelihood of the best slow-down, less that of the best new mix. It is 0 if there are too
/// few requests to distinguish them.
pub(crate) fn slower_over_mix(template: &Template, before: &Distribution, after: &Distribution) -> f64 {
    if template.density.is_empty() || before.effective < MIN_BEFORE || after.effective < MIN_AFTER {
        return 0.0;
    }
    let observed = template.observed(after);
    let divided = Divided::new(template, before);
    let all = most_likely((1, REACH), |longer| template.likelihood(&observed, longer)).1;
    let slow_kinds = most_likely((1, REACH), |longer| divided.slow_kinds(&observed, longer)).1;
    let some =
        (2..=REACH).step_by(STEP_OF_PART).map(|longer| some(template, &observed, longer)).fold(f64::MIN, f64::max);
    all.max(slow_kinds).max(some) - divided.mix(&observed)
}

impl<'a> Divided<'a> {
    fn new(template: &'a Template, before: &Distribution) -> Self {
        let components = fit(before);
        let part = |(place, density): (usize, &f64)| {
            let weights = components.map(|component| component.weight_at(template.bucket(place)));
            let all: f64 = weights.iter().sum();
            weights.map(|weight| density * weight / all)
        };
        Self { template, parts: template.density.iter().enumerate().map(part).collect() }
    }

    fn part(&self, place: i64) -> [f64; COMPONENTS] {
        self.parts.get(self.template.place(place)).copied().unwrap_or([1.0; COMPONENTS])
    }

    /// Returns the likelihood that all components but the fastest are longer.
    fn slow_kinds(&self, observed: &Observed, longer: i64) -> f64 {
        let likelihood = |(place, count): (i64, f64)| {
            let [fastest, ..] = self.part(place);
            let [_, slower @ ..] = self.part(place - longer);
            count * log(fastest + slower.iter().sum::<f64>())
        };
        observed.filled().map(likelihood).sum()
    }

    /// Returns the highest likelihood of new weights of the components.
    fn mix(&self, observed: &Observed) -> f64 {
        let parts: Vec<([f64; COMPONENTS], f64)> =
            observed.filled().map(|(place, count)| (self.part(place), count)).collect();
        let mut old = [1e-9; COMPONENTS];
        self.parts.iter().for_each(|part| old.iter_mut().zip(part).for_each(|(sum, part)| *sum += part));
        // The factors by which the weights change.
        let mut factors = [1.0; COMPONENTS];
        let mixed = |part: &[f64; COMPONENTS], factors: &[f64; COMPONENTS]| {
            part.iter().zip(factors).map(|(part, factor)| part * factor).sum::<f64>()
        };
        for _ in 0..STEPS_OF_WEIGHTS {
            let mut sums = [1e-9; COMPONENTS];
            for (part, count) in &parts {
                let all = mixed(part, &factors).max(1e-300);
                (0..COMPONENTS).for_each(|index| sums[index] += count * part[index] * factors[index] / all);
            }
            let all: f64 = sums.iter().sum();
            factors = std::array::from_fn(|index| sums[index] / all / old[index]);
        }
        parts.iter().map(|(part, count)| count * log(mixed(part, &factors))).sum()
    }
}

/// Returns the highest likelihood that a share of the requests is longer.
fn some(template: &Template, observed: &Observed, longer: i64) -> f64 {
    let density = |place: i64| template.density.get(template.place(place)).copied().unwrap_or(1.0);
    let densities: Vec<[f64; 3]> =
        observed.filled().map(|(place, count)| [density(place), density(place - longer), count]).collect();
    let all: f64 = densities.iter().map(|[.., count]| count).sum();
    let mut share = FIRST_SHARE;
    for _ in 0..STEPS_OF_SHARE {
        let of_longer = |[old, new, count]: &[f64; 3]| count * share * new / ((1.0 - share) * old + share * new);
        share = (densities.iter().map(of_longer).sum::<f64>() / all).clamp(SHARE.0, SHARE.1);
    }
    densities.iter().map(|[old, new, count]| count * log((1.0 - share) * old + share * new)).sum()
}

/// Returns the logarithm of a probability, which is finite.
fn log(probability: f64) -> f64 {
    probability.max(1e-12).ln()
}
