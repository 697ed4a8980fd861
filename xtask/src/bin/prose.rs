//! Lists the sentences that break a rule of plain English.
//!
//! `cargo run -q -p xtask --bin prose -- PATH…` reads the files and folders that are named, or else the whole
//! workspace. It prints `path:line: rule: sentence → suggestion` for each breach, then their number. It exits with 1 if
//! there is one.
#![expect(clippy::print_stdout, reason = "this is a command")]

use std::env;
use std::process::ExitCode;

use xtask::{Source, guides, prose_breaches, sources};

fn main() -> ExitCode {
    let paths: Vec<String> = env::args().skip(1).collect();
    let named = |source: &&Source| {
        let mut paths = paths.iter().map(|path| path.trim_start_matches("./").trim_end_matches('/'));
        paths.len() == 0 || paths.any(|path| path == "." || source.path == path || source.is_below(path))
    };
    let files: Vec<Source> = sources().into_iter().chain(guides()).collect();
    let breaches = prose_breaches(files.iter().filter(named));
    for breach in &breaches {
        println!("{breach}");
    }
    println!("{} breaches in {} files", breaches.len(), files.iter().filter(named).count());
    if breaches.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
