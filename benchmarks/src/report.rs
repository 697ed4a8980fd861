//! The tables, and whether the bounds hold.

use std::process::ExitCode;

use crate::rounds::{Load, Measured, PATHS};
use crate::variants::NAMES;

/// Allocations of a plain request beyond the bare router, at the most.
const MAX_ALLOCATIONS: i64 = 8;

/// Prints what was measured. Fails if a bound does not hold.
pub fn print(measured: &Measured) -> ExitCode {
    for (path, title) in PATHS.into_iter().zip(["A plain request", "A request with five child spans"]) {
        for load in Load::ALL {
            table(measured, path, load, title);
        }
    }
    let bounds = bounds(measured);
    for (bound, holds) in &bounds {
        println!("- {}: {bound}", if *holds { "holds" } else { "DOES NOT HOLD" });
    }
    if bounds.iter().all(|(_, holds)| *holds) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn table(measured: &Measured, path: &'static str, load: Load, title: &str) {
    let bare = measured.bare[&(path, load)];
    println!("{title}, `GET {path}`, {load:?}; beyond the bare router, which takes {bare} ns:\n");
    println!(
        "| | time | of sentry-tower's | CPU of the request's thread | CPU of all threads | allocations | rounds with losses |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|");
    let sentry = measured.costs[&("sentry-tower", path, load)].wall as f64;
    for name in &NAMES[1..] {
        let cost = measured.costs[&(*name, path, load)];
        let (lossy, rounds) = measured.lossy[&(*name, path, load)];
        println!(
            "| {name} | {} ns | {:.2} | {} ns | {} ns | {} | {lossy} of {rounds} |",
            cost.wall,
            cost.wall as f64 / sentry,
            cost.thread,
            cost.all_threads,
            measured.allocations[&(*name, path)],
        );
    }
    println!();
}

fn bounds(measured: &Measured) -> Vec<(String, bool)> {
    let [plain, spans] = PATHS;
    let allocations = measured.allocations[&("opbeat", plain)];
    let few = format!("at most {MAX_ALLOCATIONS} allocations beyond the bare router: {allocations}");
    let lossless = measured.lossy.iter().all(|((name, ..), (lossy, _))| *name != "opbeat" || *lossy == 0);
    let mut bounds = vec![
        (few, allocations <= MAX_ALLOCATIONS),
        ("each transaction and span of ours was counted exactly once".to_owned(), lossless),
    ];
    for load in Load::ALL {
        let wall = |name, path| measured.costs[&(name, path, load)].wall;
        let (ours, sentry) = (wall("opbeat", plain), wall("sentry-tower", plain));
        let quarter = format!("{load:?}: at most a quarter of sentry-tower's added time: {ours} of {sentry} ns");
        bounds.push((quarter, ours * 4 <= sentry));
        for peer in ["otel-tower", "sentry-tower"] {
            let (ours, theirs) = (wall("opbeat", spans), wall(peer, spans));
            let less = format!("{load:?}: with five spans, less added time than {peer}: {ours} and {theirs} ns");
            bounds.push((less, ours < theirs));
        }
    }
    bounds
}
