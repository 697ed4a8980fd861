//! A simpler model: one day of blocks of ten minutes before a release, and one day after it.
//!
//! The first of ten transactions becomes slower in some releases. All others have a harmless drift. Without a release there are
//! four days before the change, and no drift.

use std::f64::consts::TAU;

use opbeat_judgement::{Histogram, Series};

use crate::random::Random;

pub(crate) const NAMES: usize = 10;
pub(crate) const BLOCK_MINUTES: usize = 10;
const DAY: usize = 144;
/// The minute of the release.
pub(crate) const BEGIN: usize = DAY * BLOCK_MINUTES;

/// The blocks of a simulation.
#[derive(Clone, Copy)]
struct Time {
    before: usize,
    all: usize,
    is_release: bool,
}

const OF_RELEASE: Time = Time { before: DAY, all: 2 * DAY + 1, is_release: true };
const WITHOUT_RELEASE: Time = Time { before: 4 * DAY, all: 5 * DAY, is_release: false };

/// The minute of the change without a release.
pub(crate) const BEGIN_WITHOUT_RELEASE: usize = WITHOUT_RELEASE.before * BLOCK_MINUTES;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    All,
    Ramp,
    /// The slow path only.
    Tail,
    /// A third of the requests.
    Part,
}

/// Returns the slow-down that the model plants in the release of an index: in every fifth.
pub(crate) fn planted(random: &mut Random, index: usize) -> Option<(Shape, f64)> {
    let shape = [Shape::All, Shape::Ramp, Shape::Tail, Shape::Part][index / 5 % 4];
    index.is_multiple_of(5).then(|| (shape, random.uniform(1.3, 2.5)))
}

/// Simulates a release. The first name has the slow-down.
pub(crate) fn release(random: &mut Random, planted: Option<(Shape, f64)>) -> Vec<Series> {
    application(random, planted, OF_RELEASE)
}

/// Simulates five days without a release. The first name has the slow-down, on the last day.
pub(crate) fn without_release(random: &mut Random, planted: Option<(Shape, f64)>) -> Vec<Series> {
    application(random, planted, WITHOUT_RELEASE)
}

fn application(random: &mut Random, planted: Option<(Shape, f64)>, time: Time) -> Vec<Series> {
    let (deviation, correlation) = (random.uniform(0.03, 0.15), random.uniform(0.3, 0.9));
    let mut host = random.autoregressive(time.all, deviation, correlation);
    for _ in 0..random.poisson(1.5 * (time.all / DAY) as f64) {
        let (at, length) = (random.below(time.all), random.between(1, 5));
        let height = random.uniform(1.2, 1.8).ln();
        host.iter_mut().skip(at).take(length).for_each(|value| *value += height);
    }
    let (swing, phase) = (random.uniform(0.0, 0.25), random.unit());
    for (block, value) in host.iter_mut().enumerate() {
        *value += 0.5 * swing * (TAU * (block as f64 / DAY as f64 + phase)).sin();
    }
    (0..NAMES).map(|name| series(random, &host, planted.filter(|_| name == 0), time)).collect()
}

fn series(random: &mut Random, host: &[f64], planted: Option<(Shape, f64)>, time: Time) -> Series {
    let rate = random.log_uniform(0.3, 200.0).min(60.0);
    let (deviation, correlation) = (random.uniform(0.02, 0.08), random.uniform(0.2, 0.8));
    let own = random.autoregressive(time.all, deviation, correlation);
    let (hit, far, sigma) = (random.uniform(0.3, 0.95), random.uniform(2.0, 15.0).ln(), random.uniform(0.3, 0.9));
    let (warm_up, drift) = (random.uniform(1.0, 2.0).ln(), random.normal() * 0.03);
    let mut block = |block: usize| {
        let load = 1.0 + 0.5 * (TAU * block as f64 / DAY as f64).sin();
        let number = random.poisson(rate * BLOCK_MINUTES as f64 * load);
        let level = 20.0_f64.ln() + host[block] + own[block];
        let after = block.checked_sub(time.before);
        let request = |_| {
            let is_slow = random.unit() > hit;
            let mut log = level + sigma * random.normal() + if is_slow { far } else { 0.0 };
            if random.chance(0.001) {
                log += 3.0;
            }
            if let Some(after) = after {
                log += if time.is_release { drift } else { 0.0 };
                log += if time.is_release && after == 0 { warm_up } else { 0.0 };
                log += match planted {
                    Some((Shape::All, factor)) => factor.ln(),
                    Some((Shape::Ramp, factor)) => factor.ln() * ((after + 1) as f64 / 6.0).min(1.0),
                    Some((Shape::Tail, factor)) if is_slow => factor.ln() * 1.6,
                    Some((Shape::Part, factor)) if random.chance(0.33) => factor.ln() * 2.0,
                    _ => 0.0,
                };
            }
            log.exp()
        };
        Histogram::of_durations((0..number).map(request)).into()
    };
    (0..time.all).map(&mut block).collect()
}
