//! Rounds of a variant between two rounds of the bare application, and the choice of those that count.

use load::process::Process;
use load::quantiles::{median, quantile};

/// The cost of one request in one round, in nanoseconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Round {
    pub wall: i64,
    /// The processor time of the request's thread.
    pub thread: i64,
    /// The processor time of all other threads.
    pub others: i64,
    /// The number of transactions and spans of the whole round that were not delivered.
    pub lost: i64,
}

impl Round {
    /// Runs a number of requests.
    pub fn run(process: &mut Process, path: &str, requests: u64) -> Self {
        let [wall, thread, others, lost] = process.ask(&format!("run {path} {requests}"));
        Self { wall, thread, others, lost }
    }
}

/// A variant's round between two rounds of the bare application.
#[derive(Clone, Copy, Debug)]
pub struct Triple {
    pub variant: &'static str,
    pub before: Round,
    pub measured: Round,
    pub after: Round,
}

/// The cost of one request beyond the bare application, in nanoseconds, as medians.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    pub wall: i64,
    /// The processor time of the request's thread.
    pub thread: i64,
    /// The processor time of all threads.
    pub all_threads: i64,
    /// Whether data was dropped in these rounds: a variant that drops data looks cheaper than it is.
    pub is_lossy: bool,
}

/// The minimum number of rounds for a meaningful median.
const MIN_ROUNDS: usize = 9;

/// Returns the rounds that were not disturbed. Slower neighbours show that the machine did other work.
pub fn quiet(triples: &[Triple]) -> Vec<Triple> {
    let mut bare: Vec<i64> = triples.iter().flat_map(|triple| [triple.before.wall, triple.after.wall]).collect();
    let slowest = quantile(&mut bare, 0.05) * 6 / 5;
    let is_quiet = |triple: &&Triple| triple.before.wall.max(triple.after.wall) <= slowest;
    triples.iter().filter(is_quiet).copied().collect()
}

/// Returns the cost of a variant from its undisturbed rounds, if there are enough: from those without drops, or from
/// all if most of them dropped data.
pub fn cost(quiet: &[Triple], variant: &str) -> Option<Cost> {
    let own = || quiet.iter().filter(|triple| triple.variant == variant).copied();
    let lossless: Vec<Triple> = own().filter(|triple| triple.measured.lost == 0).collect();
    let all: Vec<Triple> = own().collect();
    if lossless.len() >= MIN_ROUNDS {
        Some(medians(&lossless, false))
    } else if all.len() >= MIN_ROUNDS.max(2 * lossless.len()) {
        Some(medians(&all, true))
    } else {
        None
    }
}

fn medians(triples: &[Triple], is_lossy: bool) -> Cost {
    let added = |time: fn(&Round) -> i64| {
        median(triples.iter().map(|it| time(&it.measured) - (time(&it.before) + time(&it.after)) / 2))
    };
    Cost {
        wall: added(|round| round.wall),
        thread: added(|round| round.thread),
        all_threads: added(|round| round.thread + round.others),
        is_lossy,
    }
}
