//! Rounds of all variants in turn.

use std::collections::BTreeMap;

use load::process::Process;
use load::quantiles::median;

use crate::triples::{Cost, Round, Triple, cost, quiet};
use crate::variants::Framework;

/// The two kinds of requests.
pub const PATHS: [&str; 2] = ["/users/42", "/spans"];

/// The number of requests per round, and the number of rounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Load {
    /// About two milliseconds: background threads that rest between batches do not run during that time.
    Burst,
    /// Long enough for background threads to work during the requests.
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

/// The number of starts of each variant. The layout of its memory makes one process faster than the next, by up to a
/// fifth.
const STARTS: usize = 5;

/// The maximum number of repetitions of the rounds, until enough of them count.
const PASSES: usize = 5;

/// The measurements.
#[derive(Debug, Default)]
pub struct Measured {
    pub costs: BTreeMap<(&'static str, &'static str, Load), Cost>,
    /// The allocations of the request's thread beyond the bare application.
    pub allocations: BTreeMap<(&'static str, &'static str), i64>,
    /// The number of rounds that dropped data, and the number of all rounds.
    pub lossy: BTreeMap<(&'static str, &'static str, Load), (usize, usize)>,
    /// The wall time of the bare applications.
    pub bare: BTreeMap<(&'static str, &'static str, Load), i64>,
}

/// Measures all variants of some frameworks.
///
/// # Errors
///
/// Returns an error if too few rounds count because the machine did other work.
pub fn measure(frameworks: &[Framework]) -> Result<Measured, String> {
    let mut measured = Measured::default();
    for framework in frameworks {
        for path in PATHS {
            measured.count(framework, &mut start(framework), path);
            for load in Load::ALL {
                measured.measure(framework, path, load)?;
            }
        }
    }
    Ok(measured)
}

fn start(framework: &Framework) -> Vec<Process> {
    framework.variants.iter().map(|name| Process::start(name, &["answer", name])).collect()
}

impl Measured {
    fn count(&mut self, framework: &Framework, processes: &mut [Process], path: &'static str) {
        let counts: Vec<i64> =
            processes.iter_mut().map(|process| process.ask::<1>(&format!("count {path}"))[0]).collect();
        let added = framework.variants.iter().zip(&counts).map(|(name, count)| ((*name, path), count - counts[0]));
        self.allocations.extend(added);
    }

    fn measure(&mut self, framework: &Framework, path: &'static str, load: Load) -> Result<(), String> {
        let (bare, others) = framework.variants.split_first().expect("a framework has variants");
        let mut triples = Vec::new();
        for _ in 0..PASSES {
            for _ in 0..STARTS {
                triples.extend(run_triples(others, &mut start(framework), path, load));
            }
            if others.iter().all(|name| cost(&quiet(&triples), name).is_some()) {
                break;
            }
        }
        let quiet = quiet(&triples);
        for name in others {
            let few = || format!("{path}, {load:?}: too few rounds of {name} count");
            self.costs.insert((*name, path, load), cost(&quiet, name).ok_or_else(few)?);
            let own = triples.iter().filter(|triple| triple.variant == *name);
            let lossy = own.clone().filter(|triple| triple.measured.lost > 0).count();
            self.lossy.insert((*name, path, load), (lossy, own.count()));
        }
        self.bare.insert((*bare, path, load), median(quiet.iter().map(|triple| triple.before.wall)));
        Ok(())
    }
}

fn run_triples(others: &[&'static str], processes: &mut [Process], path: &str, load: Load) -> Vec<Triple> {
    let mut triples = Vec::new();
    // The first rounds fill caches and queues, and do not count.
    for process in processes.iter_mut() {
        Round::run(process, path, load.requests());
    }
    for round in 0..load.rounds() / STARTS {
        for turn in 0..others.len() {
            // Each pass starts with another variant, so that no variant always follows the same one.
            let variant = (turn + round) % others.len();
            let mut run = |process: usize| Round::run(&mut processes[process], path, load.requests());
            let (before, measured, after) = (run(0), run(1 + variant), run(0));
            triples.push(Triple { variant: others[variant], before, measured, after });
        }
    }
    triples
}
