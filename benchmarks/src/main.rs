//! What one request costs with and without monitoring: ours and others', in one run.
//!
//! `cargo run --release --manifest-path benchmarks/Cargo.toml` prints the table, and exits 1 if a bound does not hold.
//!
//! Each variant runs in a process of its own, since tracer providers and hubs are global. They take turns, the bare
//! router before and after each, and the medians of the differences count: machines are shared, and a single absolute
//! time says little. Allocations are counted on the request's thread, exactly.

mod child;
mod report;
mod rounds;
mod variants;

use std::process::ExitCode;

fn main() -> ExitCode {
    match std::env::args().nth(1) {
        Some(variant) => child::serve(&variant),
        None => report::print(&rounds::measure()),
    }
}
