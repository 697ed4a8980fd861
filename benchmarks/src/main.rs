//! The cost of one request with and without monitoring, for Opbeat and other crates in one run.
//!
//! `cargo run --release --manifest-path benchmarks/Cargo.toml` prints the tables, and exits 1 if a bound does not hold.
//!
//! Each variant runs in its own process, since tracer providers and hubs are global. They take turns, with the bare
//! application before and after each, and the medians of the differences count: machines are shared, and a single
//! absolute time means little. Allocations are counted exactly, on the request's thread.

mod bounds;
mod child;
mod driver;
mod loopback;
mod report;
mod rounds;
mod triples;
mod variants;

use std::process::ExitCode;

use variants::{FRAMEWORKS, Framework};

const USAGE: &str = "\
Usage: request-cost [axum|actix]            measures the cost of one request, on both frameworks by default
       request-cost --loopback              measures the share of a server's throughput that remains
       request-cost variant NAME PATH COUNT calls a variant COUNT times, a multiple of 128";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        [] => measure(&FRAMEWORKS),
        ["--loopback"] => loopback::measure(),
        ["variant", name, path, count] => child::call(name, path, count),
        ["sink", manner, port] => load::sink::run(manner, port),
        ["serve", name] => loopback::serve(name),
        ["answer", name] => child::serve(name),
        [name] => match FRAMEWORKS.iter().find(|framework| framework.name == *name) {
            Some(framework) => measure(&[*framework]),
            None => usage(),
        },
        _ => usage(),
    }
}

fn usage() -> ExitCode {
    eprintln!("{USAGE}");
    ExitCode::FAILURE
}

fn measure(frameworks: &[Framework]) -> ExitCode {
    match rounds::measure(frameworks) {
        Ok(measured) => report::print(&measured, frameworks),
        Err(reason) => {
            eprintln!("the machine was too busy to measure: {reason}; run the benchmark again when there is less load");
            ExitCode::FAILURE
        }
    }
}
