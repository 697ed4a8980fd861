//! Rounds of all variants in turn.

use std::collections::BTreeMap;

use crate::runner::{Round, Runner};
use crate::variants::NAMES;

/// The two kinds of requests.
pub const PATHS: [&str; 2] = ["/users/42", "/spans"];

/// How many requests a round has, and how many rounds there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Load {
    /// About two milliseconds: background threads that rest between batches do not come to work meanwhile.
    Burst,
    /// So long that background threads work beside the requests.
    Sustained,
}

impl Load {
    pub const ALL: [Self; 2] = [Self::Burst, Self::Sustained];

    const fn requests(self) -> u64 {
        match self {
            Self::Burst => 1_024,
            Self::Sustained => 16_384,
        }
    }

    const fn rounds(self) -> usize {
        match self {
            Self::Burst => 93,
            Self::Sustained => 61,
        }
    }
}

/// The rounds are run so often at the most, until enough of them count.
const PASSES: usize = 5;

/// Medians of fewer rounds say nothing.
const MIN_ROUNDS: usize = 9;

/// What one request costs beyond the bare router, in nanoseconds, as medians.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    pub wall: i64,
    /// Processor time of the request's thread.
    pub thread: i64,
    /// Processor time of all threads.
    pub all_threads: i64,
}

/// What was measured.
#[derive(Debug, Default)]
pub struct Measured {
    pub costs: BTreeMap<(&'static str, &'static str, Load), Cost>,
    /// Allocations of the request's thread beyond the bare router.
    pub allocations: BTreeMap<(&'static str, &'static str), i64>,
    /// How many rounds lost something, of how many.
    pub lossy: BTreeMap<(&'static str, &'static str, Load), (usize, usize)>,
    /// The bare router's wall time.
    pub bare: BTreeMap<(&'static str, Load), i64>,
}

/// Measures all variants.
///
/// # Errors
///
/// Returns an error when other work on the machine left too few rounds that count.
pub fn measure() -> Result<Measured, String> {
    let mut runners = NAMES.map(Runner::start);
    let mut measured = Measured::default();
    for path in PATHS {
        let counts = runners.each_mut().map(|runner| runner.count(path));
        measured.allocations.extend(NAMES.iter().zip(counts).map(|(name, count)| ((*name, path), count - counts[0])));
        for load in Load::ALL {
            measure_load(&mut runners, path, load, &mut measured)?;
        }
    }
    Ok(measured)
}

/// A variant's round between two of the bare router.
struct Triple {
    variant: usize,
    before: Round,
    measured: Round,
    after: Round,
}

fn measure_load(runners: &mut [Runner], path: &'static str, load: Load, measured: &mut Measured) -> Result<(), String> {
    let mut triples = Vec::new();
    for _ in 0..PASSES {
        triples.extend(run_triples(runners, path, load));
        if (1..runners.len()).all(|variant| rounds_of(&counting(&triples), variant).len() >= MIN_ROUNDS) {
            break;
        }
    }
    let counting = counting(&triples);
    for (index, runner) in runners.iter().enumerate().skip(1) {
        let own = rounds_of(&counting, index);
        if own.len() < MIN_ROUNDS {
            return Err(format!("{path}, {load:?}: only {} rounds of {} count", own.len(), runner.name));
        }
        measured.costs.insert((runner.name, path, load), cost(&own));
        let all = triples.iter().filter(|triple| triple.variant == index);
        let lossy = all.clone().filter(|triple| triple.measured.lost > 0).count();
        measured.lossy.insert((runner.name, path, load), (lossy, all.count()));
    }
    let neighbours = counting.iter().map(|triple| triple.before.wall).collect();
    measured.bare.insert((path, load), median(neighbours));
    Ok(())
}

/// Returns the rounds that count. Slower neighbours say that the machine had other things to do, and who drops what it
/// records looks cheaper than it is.
fn counting(triples: &[Triple]) -> Vec<&Triple> {
    let mut bare: Vec<i64> = triples.iter().flat_map(|triple| [triple.before.wall, triple.after.wall]).collect();
    bare.sort_unstable();
    let slowest = bare[bare.len() / 20] * 6 / 5;
    let counts = |triple: &&Triple| triple.before.wall.max(triple.after.wall) <= slowest && triple.measured.lost == 0;
    triples.iter().filter(counts).collect()
}

fn rounds_of<'a>(triples: &[&'a Triple], variant: usize) -> Vec<&'a Triple> {
    triples.iter().copied().filter(|triple| triple.variant == variant).collect()
}

fn run_triples(runners: &mut [Runner], path: &str, load: Load) -> Vec<Triple> {
    let mut triples = Vec::new();
    let peers = runners.len() - 1;
    for round in 0..load.rounds() {
        for turn in 0..peers {
            // Each pass starts at another variant, so that none always follows the same one.
            let variant = 1 + (turn + round) % peers;
            let before = runners[0].run(path, load.requests());
            let measured = runners[variant].run(path, load.requests());
            let after = runners[0].run(path, load.requests());
            triples.push(Triple { variant, before, measured, after });
        }
    }
    triples
}

fn cost(triples: &[&Triple]) -> Cost {
    let added = |time: fn(&Round) -> i64| {
        median(triples.iter().map(|it| time(&it.measured) - (time(&it.before) + time(&it.after)) / 2).collect())
    };
    Cost {
        wall: added(|round| round.wall),
        thread: added(|round| round.thread),
        all_threads: added(|round| round.thread + round.others),
    }
}

fn median(mut numbers: Vec<i64>) -> i64 {
    numbers.sort_unstable();
    numbers[numbers.len() / 2]
}
