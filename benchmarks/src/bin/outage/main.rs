//! The cost of a bad server for the application that reports to it.
//!
//! `cargo run --release --manifest-path benchmarks/Cargo.toml --bin outage` prints the tables, and exits 1 if a bound
//! does not hold.
//!
//! An axum application is served over loopback, in a separate process for each server that it reports to: a healthy
//! one, a silent one, a failing one, one that closes connections, none. The part `otlp` measures receivers of
//! OpenTelemetry in the same states. The processes take turns, and the tables show the
//! medians of the rounds.

mod application;
mod captures;
mod effort;
mod latency;
mod memory;
mod otlp;
mod panics;
mod routes;
mod served;
mod storm;

use std::process::ExitCode;

use effort::Effort;
use load::bound::{Bound, verdict};

const USAGE: &str = "\
Usage: outage [--short] [latency|panics|captures|storm|memory|otlp]...

Without names, all parts are measured. --short runs one round of each part, a tenth as long, for a first impression.";

type Part = (&'static str, fn(Effort) -> Vec<Bound>);

const PARTS: [Part; 6] = [
    ("latency", latency::measure),
    ("panics", panics::measure),
    ("captures", captures::measure),
    ("storm", storm::measure),
    ("memory", |_| memory::measure()),
    ("otlp", otlp::measure),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["sink", manner, port] => load::sink::run(manner, port),
        ["serve", server_url, receiver_url] => served::run(server_url, receiver_url),
        ["--short", names @ ..] => measure(Effort::SHORT, names),
        names => measure(Effort::FULL, names),
    }
}

fn measure(effort: Effort, names: &[&str]) -> ExitCode {
    if names.iter().any(|name| PARTS.iter().all(|(known, _)| known != name)) {
        eprintln!("{USAGE}");
        return ExitCode::FAILURE;
    }
    let parts = PARTS.iter().filter(|(name, _)| names.is_empty() || names.contains(name));
    let bounds: Vec<Bound> = parts.flat_map(|(_, measure)| measure(effort)).collect();
    verdict(&bounds)
}
