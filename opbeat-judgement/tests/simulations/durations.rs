//! The distributions of durations in the hard model, and how a release changes them.

use crate::random::Random;

pub(crate) const BUCKETS: usize = 480;
/// The logarithm of the shortest duration of the grid.
pub(crate) const LOWEST: f64 = -2.2;
/// The width of a bucket on the logarithmic scale: ln(1.01 / 0.99).
pub(crate) const WIDTH: f64 = 0.020_000_666_706_669_52;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Unchanged,
    /// More of the slow requests, none of them slower.
    Mix,
    All,
    Tail,
    Part,
    /// Slower step by step, within an hour.
    Ramp,
    /// All transactions of the application became slower.
    Application,
}

/// The grid of the distributions, in parts of a bucket.
const PARTS: usize = 4;

#[derive(Clone, Copy)]
pub(crate) struct Component {
    is_gamma: bool,
    pub(crate) weight: f64,
    log: f64,
    shape: f64,
    /// The component of the original shape.
    class: usize,
}

pub(crate) fn grid() -> Vec<f64> {
    let count = (BUCKETS * PARTS + 632) as i32;
    (0..count).map(|index| f64::from(index - 316) * WIDTH / PARTS as f64 + LOWEST).collect()
}

impl Component {
    fn density(&self, log: f64) -> f64 {
        let z = log - self.log;
        if self.is_gamma {
            (self.shape * z - (self.shape - 1.0 / 3.0) * z.min(50.0).exp() + self.shape).exp()
        } else {
            (-0.5 * (z / self.shape) * (z / self.shape)).exp()
        }
    }

    fn distribution(&self, grid: &[f64]) -> Vec<f64> {
        let density: Vec<f64> = grid.iter().map(|log| self.density(*log)).collect();
        let all: f64 = density.iter().sum();
        let mut below = 0.0;
        density
            .iter()
            .map(|one| {
                below += one / all;
                below
            })
            .collect()
    }
}

/// Returns the logarithms of p50, p95 and the mean.
pub(crate) fn figures(components: &[Component], grid: &[f64]) -> [f64; 3] {
    let mut sum = vec![0.0; grid.len()];
    for component in components {
        let density: Vec<f64> = grid.iter().map(|log| component.density(*log)).collect();
        let all: f64 = density.iter().sum();
        sum.iter_mut().zip(&density).for_each(|(sum, one)| *sum += component.weight * one / all);
    }
    let all: f64 = sum.iter().sum();
    let (mut below, mut mean) = (0.0, 0.0);
    let mut quantiles = [None; 2];
    for (one, log) in sum.iter().zip(grid) {
        below += one / all;
        mean += one / all * log.exp();
        for (found, share) in quantiles.iter_mut().zip([0.5, 0.95]) {
            if found.is_none() && below >= share {
                *found = Some(*log);
            }
        }
    }
    [quantiles[0].unwrap(), quantiles[1].unwrap(), mean.ln()]
}

pub(crate) fn shape(random: &mut Random) -> Vec<Component> {
    let (fast, far) = (random.uniform(0.5, 0.95), random.uniform(0.003, 0.02));
    let gap = random.uniform(2.5, 10.0).ln();
    let is_gamma = random.chance(0.4);
    let spread = if is_gamma { random.uniform(2.0, 8.0) } else { random.uniform(0.25, 0.6) };
    let component = |weight, log, shape, class| Component { is_gamma: false, weight, log, shape, class };
    vec![
        Component { is_gamma, ..component(fast, 0.0, spread, 0) },
        component(1.0 - fast - far, gap, random.uniform(0.3, 0.6), 1),
        component(far, random.uniform(10.0, 40.0).ln(), 0.7, 2),
    ]
}

pub(crate) fn moved(components: &[Component], by: f64) -> Vec<Component> {
    components.iter().map(|component| Component { log: component.log + by, ..*component }).collect()
}

pub(crate) fn weighted(components: &[Component], by: f64) -> Vec<Component> {
    components.iter().map(|component| Component { weight: component.weight * by, ..*component }).collect()
}

/// Returns the shape after the release, and the largest change of a figure, which is `target` for slow-downs.
pub(crate) fn changed(
    random: &mut Random,
    old: &[Component],
    kind: Kind,
    target: f64,
    grid: &[f64],
) -> (Vec<Component>, f64) {
    match kind {
        Kind::Unchanged | Kind::Application => return (old.to_vec(), 0.0),
        Kind::Mix => {
            let mut new = old.to_vec();
            let slow = (old[1].weight * random.uniform(1.2, 2.0)).min(0.6);
            new[0].weight += old[1].weight - slow;
            new[1].weight = slow;
            return (new, 0.0);
        }
        _ => {}
    }
    let share = random.uniform(0.1, 0.5);
    let before = figures(old, grid);
    let (mut low, mut high) = (0.0, 3.0);
    let mut result = (old.to_vec(), 0.0);
    for _ in 0..18 {
        let by = f64::midpoint(low, high);
        let new = match kind {
            Kind::Tail => [&old[..1], &moved(&old[1..], by)].concat(),
            Kind::Part => [weighted(old, 1.0 - share), weighted(&moved(old, by), share)].concat(),
            _ => moved(old, by),
        };
        let after = figures(&new, grid);
        let effect = (0..3).map(|index| after[index] - before[index]).fold(f64::MIN, f64::max);
        if effect < target {
            low = by
        } else {
            high = by
        }
        result = (new, effect);
    }
    result
}

/// Draws durations of a component: logarithms, from a table of quantiles, as millions of them are needed.
pub(crate) struct Sampler {
    components: Vec<(f64, usize, Vec<f64>)>,
}

/// The quantiles of a table.
pub(crate) const QUANTILES: usize = 4_096;

impl Sampler {
    pub(crate) fn new(components: &[Component], grid: &[f64]) -> Self {
        let table = |component: &Component| {
            let below = component.distribution(grid);
            let at = |index: usize| {
                let share = (index as f64 + 0.5) / (QUANTILES + 1) as f64;
                grid[below.partition_point(|below| *below < share).min(grid.len() - 1)]
            };
            (component.weight, component.class, (0..=QUANTILES).map(at).collect())
        };
        Self { components: components.iter().map(table).collect() }
    }

    pub(crate) fn draw(&self, random: &mut Random) -> (f64, usize) {
        let mut left = random.unit();
        let found = self.components.iter().find(|(weight, _, _)| {
            left -= weight;
            left < 0.0
        });
        let (_, class, table) = found.unwrap_or(&self.components[self.components.len() - 1]);
        let place = random.unit() * QUANTILES as f64;
        let (index, rest) = (place as usize, place.fract());
        (table[index] + (table[index + 1] - table[index]) * rest, *class)
    }
}
