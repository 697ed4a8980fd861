//! What one request costs with and without monitoring: ours and others', in one run.
//!
//! `cargo run --release --manifest-path benchmarks/Cargo.toml` prints the tables, and exits 1 if a bound does not hold.
//!
//! Each variant runs in a process of its own, since tracer providers and hubs are global. They take turns, the bare
//! router before and after each, and the medians of the differences count: machines are shared, and a single absolute
//! time says little. Allocations are counted on the request's thread, exactly.

mod child;
mod processor;
mod report;
mod rounds;
mod runner;
mod variants;

use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(variant) = std::env::args().nth(1) {
        return child::serve(&variant);
    }
    match rounds::measure() {
        Ok(measured) => report::print(&measured),
        Err(reason) => {
            eprintln!("The machine was too busy to measure ({reason}). Run it again when less is going on.");
            ExitCode::FAILURE
        }
    }
}
