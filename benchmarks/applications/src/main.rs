//! Adds the layer to the example applications of axum and actix-web, and compares them with their unchanged versions.
//!
//! `cargo run --manifest-path benchmarks/applications/Cargo.toml` fetches the sources of the frameworks' examples. It
//! builds each application twice: unchanged, and with the layer. Both must send the same responses, and a scripted
//! Opbeat server must receive exactly one transaction for each request, with the expected name and result.
//!
//! The sources of the examples are not part of this repository.

mod application;
mod build;
mod change;
mod compare;
mod counts;
mod driver;
mod files;
mod folders;
mod framework;
mod http;
mod manifest;
mod names;
mod options;
mod process;
mod request;
mod source;
mod table;
mod verdict;
mod workspace;

use std::process::ExitCode;

use application::Application;
use folders::Folders;
use options::Options;

/// A message that describes what failed and why.
type Failed = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    match Options::parse(std::env::args().skip(1)).and_then(|options| run(&options)) {
        Ok(code) => code,
        Err(failed) => {
            eprintln!("{failed}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<ExitCode, Failed> {
    let folders = Folders::new(options.work.as_deref());
    let chosen = options.choose(table::all())?;
    for framework in framework::ALL {
        let of_framework: Vec<&Application> = chosen.iter().copied().filter(|app| app.framework == framework).collect();
        if !of_framework.is_empty() {
            source::fetch(framework, options.source(framework), &folders)?;
            workspace::prepare(framework, table::all(), &folders)?;
            build::build(framework, &of_framework, &folders)?;
        }
    }
    Ok(compare_all(&chosen, &folders))
}

fn compare_all(chosen: &[&Application], folders: &Folders) -> ExitCode {
    let passed = chosen.iter().filter(|application| passes(application, folders)).count();
    println!("{passed} of {} applications: answers equal and counts exact", chosen.len());
    if passed == chosen.len() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Prints the verdict on one application. Returns whether the responses are equal and the counts are exact.
fn passes(application: &Application, folders: &Folders) -> bool {
    match verdict::compare(application, folders) {
        Ok(verdict) => {
            println!("{verdict}");
            verdict.passes()
        }
        Err(failed) => {
            println!("{application}  failed: {failed}");
            false
        }
    }
}
