//! The tables, and whether the bounds hold.

use std::process::ExitCode;

use load::bound::verdict;

use crate::bounds;
use crate::rounds::{Load, Measured, PATHS};
use crate::variants::{Framework, SPANS};

/// Prints the measurements. Returns failure if a bound does not hold.
pub fn print(measured: &Measured, frameworks: &[Framework]) -> ExitCode {
    let mut found = Vec::new();
    for framework in frameworks {
        for (path, title) in PATHS.into_iter().zip(["A plain request", "A request with five child spans"]) {
            for load in Load::ALL {
                println!(
                    "{title} to {}, `GET {path}`, {load:?}{}:\n",
                    framework.name,
                    bare(measured, framework, path, load)
                );
                table(measured, framework, path, load);
            }
        }
        println!("One child span of {}, in a burst:\n", framework.name);
        span_table(measured, framework);
        found.extend(bounds::of(measured, framework));
    }
    verdict(&found)
}

fn bare(measured: &Measured, framework: &Framework, path: &'static str, load: Load) -> String {
    let wall = measured.bare[&(framework.variants[0], path, load)];
    format!("; beyond the bare application, which takes {wall} ns")
}

fn table(measured: &Measured, framework: &Framework, path: &'static str, load: Load) {
    println!(
        "| | time | of the floor's | CPU of the request's thread | CPU of all threads | allocations | rounds with losses |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|");
    let floor = measured.costs[&(framework.variants[1], path, load)].wall as f64;
    for name in &framework.variants[1..] {
        let cost = measured.costs[&(*name, path, load)];
        let (lossy, rounds) = measured.lossy[&(*name, path, load)];
        // Dropping data is cheap, so the figures of such a variant are lower limits.
        let least = if cost.is_lossy { "≥ " } else { "" };
        println!(
            "| {name} | {least}{} ns | {:.2} | {least}{} ns | {least}{} ns | {} | {lossy} of {rounds} |",
            cost.wall,
            cost.wall as f64 / floor,
            cost.thread,
            cost.all_threads,
            measured.allocations[&(*name, path)],
        );
    }
    println!();
}

fn span_table(measured: &Measured, framework: &Framework) {
    println!("| | time | CPU of all threads | allocations |");
    println!("|---|---:|---:|---:|");
    for name in &framework.variants[1..] {
        let [plain, spans] = PATHS.map(|path| measured.costs[&(*name, path, Load::Burst)]);
        let each = |plain: i64, spans: i64| (spans - plain) / SPANS as i64;
        let (wall, all_threads) = (each(plain.wall, spans.wall), each(plain.all_threads, spans.all_threads));
        println!("| {name} | {wall} ns | {all_threads} ns | {:.1} |", bounds::allocations_of_a_span(measured, name));
    }
    println!();
}
