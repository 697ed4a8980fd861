//! A release of an application with ten transactions: four days of minutes before it, and one day after it.
//!
//! Daily load, noise that the host shares, episodes, rolling deployments with warm-up, bimodal durations. Some
//! transactions become slower, and of some only the mix of requests changes.

use std::f64::consts::TAU;

use opbeat_judgement::{Block, Class, Histogram, Rollout, Series};

use crate::durations::{BUCKETS, Kind, LOWEST, Sampler, WIDTH, changed, grid, shape};
use crate::random::Random;

const NAMES: usize = 10;
const DAY: usize = 1_440;
pub(crate) const BEGIN: usize = 4 * DAY;
const MINUTES: usize = BEGIN + 30 + DAY;
const INSTANCES: usize = 4;
/// The largest shift by noise and slow-downs.
const MAX_SHIFT: f64 = 1.5;
/// Minutes of a block.
const BLOCK: usize = 5;
/// The share of requests whose class is recorded wrongly.
const WRONG_CLASSES: f64 = 0.1;
/// Minutes in which an instance's requests are neither of the old nor of the new release.
const COLD: usize = 5;

pub(crate) struct Simulated {
    pub(crate) kind: Kind,
    /// Whether p50, p95 or the mean rose by 29.5 % at least.
    pub(crate) is_slow: bool,
}

pub(crate) struct Release {
    pub(crate) names: Vec<Simulated>,
    /// Blocks of five minutes.
    pub(crate) series: Vec<Series>,
    /// The same requests in blocks of ten minutes.
    pub(crate) in_ten_minutes: Vec<Series>,
    /// Blocks of five minutes whose requests have classes: fast or slow parameters. One of ten requests has the wrong one.
    pub(crate) with_classes: Vec<Series>,
    /// The requests of instances with the old and the new release, in the same blocks.
    pub(crate) rollouts: Vec<Vec<Rollout>>,
    /// The minute in which the last instance started.
    pub(crate) end: usize,
}

/// The transactions of a release that become slower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Planted {
    Nothing,
    /// One to three of ten.
    Some,
    Everything,
}

fn episodes(random: &mut Random, per_day: f64) -> Vec<f64> {
    let mut noise = vec![0.0; MINUTES];
    for _ in 0..random.poisson(per_day * MINUTES as f64 / DAY as f64) {
        let (at, length) = (random.below(MINUTES), random.between(5, 41));
        let height = random.uniform(1.2, 1.8).ln();
        noise.iter_mut().skip(at).take(length).for_each(|value| *value += height);
    }
    noise
}

/// The noise and the load that all transactions share.
struct Host {
    load: Vec<f64>,
    noise: Vec<f64>,
    deviation: f64,
    shared: f64,
    starts: Vec<usize>,
    warm_up: f64,
    fading: f64,
    application: f64,
}

fn host(random: &mut Random) -> (Host, usize) {
    let (time, weekday) = (random.uniform(0.0, DAY as f64), random.below(7));
    let (swing, weekend) = (random.uniform(0.3, 0.8), random.uniform(0.4, 1.0));
    let wobble = random.autoregressive(MINUTES, 0.08, 0.9);
    let at = |minute: usize| {
        let day = (minute as f64 + time) / DAY as f64;
        let is_weekend = (day as usize + weekday) % 7 >= 5;
        (1.0 + swing * (TAU * day).sin()) * if is_weekend { weekend } else { 1.0 } * wobble[minute].exp()
    };
    let mut load: Vec<f64> = (0..MINUTES).map(at).collect();
    let (deviation, shared) = (random.uniform(0.03, 0.15), random.uniform(0.4, 0.9));
    let follows = random.uniform(0.0, 0.25);
    let correlation = random.uniform(0.9, 0.98);
    let own = random.autoregressive(MINUTES, deviation * shared.sqrt(), correlation);
    let per_day = random.uniform(0.5, 3.0);
    let episodes = episodes(random, per_day);
    let noise = (0..MINUTES).map(|minute| follows * (load[minute] - 1.0) + own[minute] + episodes[minute]).collect();
    for _ in 0..random.poisson(1.0) {
        let (at, length) = (random.below(MINUTES), random.between(10, 61));
        load.iter_mut().skip(at).take(length).for_each(|value| *value = 0.0);
    }
    let roll = if random.chance(0.7) { random.between(10, 31) } else { 0 };
    let starts = (0..INSTANCES).map(|instance| BEGIN + instance * roll / (INSTANCES - 1)).collect();
    let (warm_up, fading) = (random.uniform(1.5, 3.0).ln(), random.uniform(2.0, 10.0) / 3.0);
    let application = random.uniform(1.3, 2.0).ln();
    (Host { load, noise, deviation, shared, starts, warm_up, fading, application }, BEGIN + roll)
}

fn kinds(random: &mut Random, planted: Planted) -> [Kind; NAMES] {
    if planted == Planted::Everything {
        return [Kind::Application; NAMES];
    }
    let mut order: Vec<usize> = (0..NAMES).collect();
    random.shuffle(&mut order);
    let mut kinds = [Kind::Unchanged; NAMES];
    let slow = random.between(1, 4);
    if planted == Planted::Some {
        for name in order.iter().take(slow) {
            kinds[*name] = [Kind::All, Kind::Tail, Kind::Part, Kind::Ramp][random.below(4)];
        }
    }
    let mixed = random.between(0, 3);
    order.iter().skip(4).take(mixed).for_each(|name| kinds[*name] = Kind::Mix);
    kinds
}

/// The counts of the blocks of a name.
struct Counts {
    /// For each block and class, the counts by bucket.
    blocks: Vec<[Vec<u64>; 2]>,
    rollout: Vec<[Vec<u64>; 2]>,
}

fn bucket(log: f64) -> usize {
    (((log - LOWEST) / WIDTH).max(0.0) as usize).min(BUCKETS - 1)
}

fn histogram(counts: &[u64]) -> Histogram {
    (0..).zip(counts).map(|(bucket, count)| (bucket, *count)).collect()
}

impl Counts {
    fn new() -> Self {
        let empty = || [vec![0; BUCKETS], vec![0; BUCKETS]];
        let blocks = (0..MINUTES / BLOCK).map(|_| empty()).collect();
        Self { blocks, rollout: (0..60 / BLOCK).map(|_| empty()).collect() }
    }

    fn add(&mut self, minute: usize, log: f64, class: usize) {
        if let Some(block) = self.blocks.get_mut(minute / BLOCK) {
            block[class][bucket(log)] += 1;
        }
    }

    fn add_rollout(&mut self, minute: usize, log: f64, is_new: bool) {
        if let Some(block) = self.rollout.get_mut((minute - BEGIN) / BLOCK) {
            block[usize::from(is_new)][bucket(log)] += 1;
        }
    }

    /// Returns the series of some consecutive blocks together.
    fn series(&self, together: usize) -> Series {
        let block = |blocks: &[[Vec<u64>; 2]]| {
            let mut sum = vec![0; BUCKETS];
            blocks
                .iter()
                .flatten()
                .for_each(|counts| sum.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count));
            histogram(&sum).into()
        };
        self.blocks.chunks(together).map(block).collect()
    }

    fn with_classes(&self) -> Series {
        let part = |class: u16, counts: &[u64]| (Class(class), histogram(counts));
        let block = |[fast, slow]: &[Vec<u64>; 2]| Block::by_class([part(0, fast), part(1, slow)]);
        self.blocks.iter().map(block).collect()
    }

    fn rollouts(&self) -> Vec<Rollout> {
        self.rollout.iter().map(|[old, new]| Rollout { old: histogram(old), new: histogram(new) }).collect()
    }
}

/// Simulates a release.
pub(crate) fn release(seed: u64, planted: Planted) -> Release {
    let random = &mut Random::new(seed);
    let grid = grid();
    let (host, end) = host(random);
    let mut release = Release {
        names: Vec::new(),
        series: Vec::new(),
        in_ten_minutes: Vec::new(),
        with_classes: Vec::new(),
        rollouts: Vec::new(),
        end,
    };
    for kind in kinds(random, planted) {
        let (simulated, counts) = name(random, &host, kind, &grid);
        release.names.push(simulated);
        release.series.push(counts.series(1));
        release.in_ten_minutes.push(counts.series(2));
        release.with_classes.push(counts.with_classes());
        release.rollouts.push(counts.rollouts());
    }
    release
}

fn name(random: &mut Random, host: &Host, kind: Kind, grid: &[f64]) -> (Simulated, Counts) {
    let old = shape(random);
    let size = if random.chance(0.9) { [0.3, 0.5, 1.0, 2.0][random.below(4)] } else { random.uniform(0.3, 2.0) };
    let (new, mut effect) = changed(random, &old, kind, f64::ln_1p(size), grid);
    let mean_rate = random.log_uniform(0.2, 600.0);
    let wobble = random.autoregressive(MINUTES, 0.1, 0.8);
    let follows = random.uniform(0.6, 1.3);
    let correlation = random.uniform(0.8, 0.97);
    let own = random.autoregressive(MINUTES, host.deviation * (1.0 - host.shared).sqrt(), correlation);
    let episodes = episodes(random, 0.15);
    let before = Sampler::new(&old, grid);
    let after = Sampler::new(if kind == Kind::Ramp { &old } else { &new }, grid);
    if kind == Kind::Application {
        effect = host.application;
    }
    let fast = old[0].weight / (old[0].weight + old[1].weight);
    let mut counts = Counts::new();
    for minute in 0..MINUTES {
        let rate = mean_rate * host.load[minute] * wobble[minute].exp();
        let noise = follows * host.noise[minute] + own[minute] + episodes[minute];
        let since = minute.saturating_sub(BEGIN) as f64;
        let slower = match kind {
            Kind::Application => effect,
            Kind::Ramp => effect * (since / 60.0).min(1.0),
            _ => 0.0,
        };
        let number = random.poisson(rate);
        for _ in 0..number {
            let start = host.starts[random.below(INSTANCES)];
            let is_new = minute >= start;
            let (log, class) = if is_new { after.draw(random) } else { before.draw(random) };
            let mut shift = noise;
            if is_new {
                shift += slower;
                if minute < BEGIN + 60 {
                    shift += host.warm_up * (-((minute - start) as f64) / host.fading).exp();
                }
            }
            let log = log + shift.clamp(-MAX_SHIFT, MAX_SHIFT);
            let mut class = if class == 2 { usize::from(!random.chance(fast)) } else { class };
            if random.chance(WRONG_CLASSES) {
                class = 1 - class;
            }
            counts.add(minute, log, class);
            if (BEGIN..BEGIN + 60).contains(&minute) && (!is_new || minute >= start + COLD) {
                counts.add_rollout(minute, log, is_new);
            }
        }
    }
    if random.chance(0.3) {
        for _ in 0..5 {
            let block = random.below(counts.blocks.len());
            counts.blocks[block][0][BUCKETS - 1] += 1;
        }
    }
    let is_slow = effect >= 1.295_f64.ln() && !matches!(kind, Kind::Mix | Kind::Unchanged);
    (Simulated { kind, is_slow }, counts)
}
