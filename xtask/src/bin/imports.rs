//! Lists the circles of imports among files and folders.
//!
//! `cargo run -q -p xtask --bin imports -- CRATE…` reads the crates that are named, or else all of the workspace. It
//! prints each circle with the imports that tie it, then their number. It exits with 1 if there is one.
#![expect(clippy::print_stdout, reason = "this is a command")]

use std::env;
use std::process::ExitCode;

use xtask::{crate_roots, file_circles, folder_circles, imports, sources};

fn main() -> ExitCode {
    let crates: Vec<String> = env::args().skip(1).collect();
    let is_named = |root: &str| crates.is_empty() || crates.iter().any(|name| root.starts_with(&format!("{name}/")));
    let sources = sources();
    let mut count = 0;
    for root in crate_roots(&sources).into_iter().filter(|root| is_named(root)) {
        let imports = imports(&sources, root);
        for (kind, circles) in [("files", file_circles(&imports, root)), ("folders", folder_circles(&imports))] {
            count += circles.len();
            for circle in circles {
                println!("{kind}: {circle}\n");
            }
        }
    }
    println!("{count} circles");
    if count == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
