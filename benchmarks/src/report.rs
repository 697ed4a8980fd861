//! The table, and whether the bounds hold.

use std::process::ExitCode;

use crate::rounds::{Cost, Costs, PATHS};
use crate::variants::NAMES;

/// Allocations of a plain request beyond the bare router, at the most.
const MAX_ALLOCATIONS: i64 = 8;

/// Prints what was measured. Fails if a bound does not hold.
pub fn print(costs: &Costs) -> ExitCode {
    for (path, title) in PATHS.into_iter().zip(["A plain request", "A request with five child spans"]) {
        table(costs, path, title);
    }
    let bounds = bounds(costs);
    for (bound, holds) in &bounds {
        println!("- {}: {bound}", if *holds { "holds" } else { "DOES NOT HOLD" });
    }
    if bounds.iter().all(|(_, holds)| *holds) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn table(costs: &Costs, path: &'static str, title: &str) {
    println!("{title}, `GET {path}`:\n");
    println!("| | added time | of sentry-tower's | whole request | added allocations |");
    println!("|---|---:|---:|---:|---:|");
    let sentry = costs[&("sentry-tower", path)].added.max(1) as f64;
    for name in NAMES {
        let Cost { added, whole, allocations } = costs[&(name, path)];
        println!("| {name} | {added} ns | {:.2} | {whole} ns | {allocations} |", added as f64 / sentry);
    }
    println!();
}

fn bounds(costs: &Costs) -> Vec<(String, bool)> {
    let added = |name, path| costs[&(name, path)].added;
    let plain = costs[&("opbeat", PATHS[0])];
    let mut bounds = vec![
        (
            format!("at most {MAX_ALLOCATIONS} allocations beyond the bare router: {}", plain.allocations),
            plain.allocations <= MAX_ALLOCATIONS,
        ),
        (
            "at most a quarter of sentry-tower's added time".to_owned(),
            plain.added * 4 <= added("sentry-tower", PATHS[0]),
        ),
    ];
    for peer in ["otel-tower", "sentry-tower"] {
        let holds = added("opbeat", PATHS[1]) < added(peer, PATHS[1]);
        bounds.push((format!("with five spans, less added time than {peer}"), holds));
    }
    bounds
}
