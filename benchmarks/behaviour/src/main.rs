//! Compares the data that Opbeat and other crates record for the requests of the behaviour table, in one run.
//!
//! `cargo run --manifest-path benchmarks/behaviour/Cargo.toml` prints the tables, and exits with 1 if Opbeat does less
//! than the frameworks allow.
//!
//! Each peer runs in its own process, since tracer providers, hubs and panic hooks are global. It serves the same
//! application, with the peer's own API in the handlers, and its cells are derived from the data that it recorded.

mod applications;
mod cart;
mod columns;
mod observed;
mod peer_api;
mod peers;
mod recorded;
mod rows;
mod spans;
mod table;
mod verdicts;

use std::process::ExitCode;

use columns::Column;

const USAGE: &str = "\
Usage: behaviour                        compares all
       behaviour FRAMEWORK CRATE        prints the cells of one of them
       behaviour FRAMEWORK CRATE CASE   prints what one of them recorded of one case";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        [] => table::print(),
        [framework, name, case @ ..] => match Column::find(framework, name) {
            Some(column) => run_column(column, case.first().copied()),
            None => usage(),
        },
        _ => usage(),
    }
}

fn usage() -> ExitCode {
    eprintln!("{USAGE}");
    ExitCode::FAILURE
}

fn run_column(column: &Column, case: Option<&str>) -> ExitCode {
    keep_expected_panics_quiet();
    let observed = observed::observe(column, case);
    match case {
        Some(_) => println!("{observed:#?}"),
        None => rows::ROWS.iter().for_each(|row| println!("{}", row.cell(&observed))),
    }
    ExitCode::SUCCESS
}

/// Silences the panics of handlers, which are on purpose and on the servers' threads.
fn keep_expected_panics_quiet() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if std::thread::current().name() == Some("main") {
            report(panic);
        }
    }));
}
