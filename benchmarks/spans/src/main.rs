//! Measures transactions of 20 queries of sqlx, recorded through `tracing`, and single spans of `tracing`.
//!
//! Each variant runs in its own process, and the variants take turns. The figures are medians of the differences to the
//! rounds of the bare application before and after.

mod measured;
mod variants;

use std::process::ExitCode;

use load::bound::{Bound, verdict};
use load::process::{Process, respond};
use load::quantiles::median;

use crate::measured::Measured;
use crate::variants::VARIANTS;

/// The number of transactions in a round.
const TRANSACTIONS: u64 = 40;

/// The number of rounds of each variant.
const ROUNDS: usize = 41;

/// The two kinds of work.
const WORK: [(&str, &str, u64); 2] = [
    ("queries", "A transaction with 20 queries of sqlx on SQLite", variants::QUERIES),
    ("spans", "A transaction with 20 spans of `tracing`", variants::QUERIES),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [command, name] = &arguments[..]
        && command == "answer"
    {
        let mut measured = Measured::new(name);
        return respond(|words| match words {
            ["run", work, count] => measured.run(work, count.parse().expect("a number")),
            ["count", work] => measured.count(work),
            _ => panic!("unknown command {words:?}"),
        });
    }
    let mut bounds = Vec::new();
    for (work, title, each) in WORK {
        println!("{title}, beyond the bare application:\n");
        println!("| | CPU of all threads | allocations | for each span | allocations of each |");
        println!("|---|---:|---:|---:|---:|");
        let costs = measure(work);
        for (name, cost) in &costs {
            let (cpu, allocations) = (cost.cpu as f64, cost.allocations as f64);
            let each = each as f64;
            println!(
                "| {name} | {:.1} µs | {allocations:.0} | {:.0} ns | {:.1} |",
                cpu / 1_000.0,
                cpu / each,
                allocations / each
            );
        }
        println!();
        bounds.extend(bounds_of(work, &costs));
    }
    verdict(&bounds)
}

/// The cost of one transaction beyond the bare application.
#[derive(Clone, Copy, Debug)]
struct Cost {
    /// The processor time of all threads, in nanoseconds.
    cpu: i64,
    allocations: i64,
}

fn measure(work: &str) -> Vec<(&'static str, Cost)> {
    let mut processes: Vec<Process> = VARIANTS.iter().map(|name| Process::start(name, &["answer", name])).collect();
    let mut differences: Vec<Vec<i64>> = vec![Vec::new(); VARIANTS.len()];
    let mut run = |variant: usize| processes[variant].ask::<1>(&format!("run {work} {TRANSACTIONS}"))[0];
    (0..VARIANTS.len()).for_each(|variant| _ = run(variant));
    for _ in 0..ROUNDS {
        for (variant, differences) in differences.iter_mut().enumerate().skip(1) {
            let (before, measured, after) = (run(0), run(variant), run(0));
            differences.push(measured - (before + after) / 2);
        }
    }
    let counts: Vec<i64> = processes.iter_mut().map(|process| process.ask::<1>(&format!("count {work}"))[0]).collect();
    let cost = |variant: usize| {
        let cpu = median(differences[variant].iter().copied());
        (VARIANTS[variant], Cost { cpu, allocations: counts[variant] - counts[0] })
    };
    (1..VARIANTS.len()).map(cost).collect()
}

fn bounds_of(work: &str, costs: &[(&'static str, Cost)]) -> Vec<Bound> {
    let of = |name: &str| costs.iter().find(|(known, _)| *known == name).expect("all variants are measured").1;
    let own = of("opbeat");
    let mut bounds = Vec::new();
    for peer in ["tracing-opentelemetry", "sentry-tracing"] {
        let cost = of(peer);
        let ratio = own.cpu as f64 / cost.cpu as f64;
        bounds.push(Bound::new(format!("{work}: less CPU than {peer}: {ratio:.2} of it"), own.cpu < cost.cpu));
        let (own, peers) = (own.allocations, cost.allocations);
        bounds.push(Bound::new(format!("{work}: fewer allocations than {peer}: {own} and {peers}"), own < peers));
    }
    if work == "spans" {
        let each = |cost: i64| cost as f64 / variants::QUERIES as f64;
        let (cpu, allocations) = (each(own.cpu), each(own.allocations));
        bounds.push(Bound::new(format!("a span takes at most 300 ns: {cpu:.0} ns"), cpu <= 300.0));
        bounds.push(Bound::new(format!("a span makes at most 2 allocations: {allocations:.1}"), allocations <= 2.0));
    }
    bounds
}
