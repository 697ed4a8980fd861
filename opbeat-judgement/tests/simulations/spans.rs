//! An application whose transactions consist of spans, one of which becomes slower or more frequent.
//!
//! Blocks of ten minutes, a day before the release and a day after it. The spans are known of a sample of transactions.

use opbeat_judgement::{Breakdown, Calls, Histogram, Series, Span};

use crate::random::Random;

pub(crate) const BLOCK_MINUTES: usize = 10;
const DAY: usize = 144;
/// The minute of the release.
pub(crate) const BEGIN: usize = DAY * BLOCK_MINUTES;
const BLOCKS: usize = 2 * DAY;
const NAMES: usize = 6;
/// The transactions of a block whose spans are recorded, at most.
const SAMPLED: f64 = 5.0;
/// The deviation of the factor by which each span changes with the release, for no reason.
const DRIFT: f64 = 0.05;

/// How the first name of the application becomes slower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    SlowerCalls,
    MoreCalls,
    /// All spans become slower by the same factor.
    Everything,
}

pub(crate) struct Application {
    pub(crate) series: Vec<Series>,
    /// The spans of the first name.
    pub(crate) breakdown: Breakdown,
    /// The signature of the fault.
    pub(crate) culprit: String,
    /// The largest share of a signature in the time of the first name, before the release.
    pub(crate) largest_share: f64,
}

struct Signature {
    calls: f64,
    milliseconds: f64,
    /// The noise of each block. From the release on, it has a drift.
    noise: Vec<f64>,
}

impl Signature {
    fn time(&self) -> f64 {
        self.calls * self.milliseconds
    }
}

pub(crate) fn application(random: &mut Random, fault: Fault) -> Application {
    let (deviation, correlation) = (random.uniform(0.03, 0.15), random.uniform(0.3, 0.9));
    let host = random.autoregressive(BLOCKS, deviation, correlation);
    let factor = random.uniform(1.3, 2.5);
    let mut application =
        Application { series: Vec::new(), breakdown: Breakdown::default(), culprit: String::new(), largest_share: 0.0 };
    for name in 0..NAMES {
        let signatures = signatures(random);
        let time: f64 = signatures.iter().map(Signature::time).sum();
        let culprit = random.below(signatures.len());
        // The factor by which the culprit's time grows, so that the transaction's grows by `factor`.
        let growth = 1.0 + (factor - 1.0) * time / signatures[culprit].time();
        let change = |index: usize, block: usize| match fault {
            _ if name > 0 || block < DAY => (1.0, 1.0),
            Fault::Everything => (1.0, factor),
            Fault::SlowerCalls if index == culprit => (1.0, growth),
            Fault::MoreCalls if index == culprit => (growth, 1.0),
            _ => (1.0, 1.0),
        };
        let rate = random.log_uniform(1.0, 60.0);
        let mut transactions = Vec::new();
        let mut spans: Vec<Span> = (0..signatures.len()).map(span).collect();
        let mut blocks = Series::default();
        for (block, noise) in host.iter().enumerate() {
            let number = random.poisson(rate * BLOCK_MINUTES as f64);
            let sampled = (number as f64).min(SAMPLED);
            transactions.push(sampled);
            let mut level = 0.0;
            for (index, (signature, span)) in signatures.iter().zip(&mut spans).enumerate() {
                let (more, slower) = change(index, block);
                let calls = signature.calls * more;
                let each = signature.milliseconds * slower * (noise + signature.noise[block]).exp();
                level += calls * each;
                let count = random.poisson(sampled * calls) as f64;
                // The deviation of a call is its mean.
                let total = (count + count.sqrt() * random.normal()).max(0.0) * each;
                span.calls.push(Calls { count, milliseconds: total });
            }
            let durations = (0..number).map(|_| level * (0.5 * random.normal()).exp());
            blocks.blocks.push(Histogram::of_durations(durations).into());
        }
        application.series.push(blocks);
        if name == 0 {
            application.breakdown = Breakdown { transactions, spans };
            application.culprit = span(culprit).signature;
            application.largest_share = signatures.iter().map(Signature::time).fold(0.0, f64::max) / time;
        }
    }
    application
}

fn span(index: usize) -> Span {
    let kind = ["db.postgresql", "ext.http", "cache.redis"][index % 3].to_owned();
    Span { signature: format!("SELECT FROM table_{index}"), kind, calls: Vec::new() }
}

fn signatures(random: &mut Random) -> Vec<Signature> {
    let count = random.between(3, 9);
    let signature = |_| {
        let calls = if random.chance(0.6) { 1.0 } else { random.uniform(2.0, 20.0).floor() };
        let milliseconds = random.log_uniform(1.0, 50.0);
        let (deviation, correlation) = (random.uniform(0.02, 0.1), random.uniform(0.2, 0.8));
        let (mut noise, drift) = (random.autoregressive(BLOCKS, deviation, correlation), DRIFT * random.normal());
        noise.iter_mut().skip(DAY).for_each(|value| *value += drift);
        Signature { calls, milliseconds, noise }
    };
    (0..count).map(signature).collect()
}
