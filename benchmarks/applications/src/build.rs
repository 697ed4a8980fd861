//! Builds the copies.

use std::env;
use std::process::Command;

use crate::Failed;
use crate::application::Application;
use crate::folders::{Copy, Folders};
use crate::framework::Framework;
use crate::names;

/// Builds both copies of some applications at once, so that each dependency is compiled once.
pub fn build(framework: Framework, applications: &[&Application], folders: &Folders) -> Result<(), Failed> {
    let workspace = folders.workspace(framework);
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--bins"]).current_dir(&workspace);
    for application in applications {
        for copy in Copy::BOTH {
            cargo.arg("--package").arg(names::package(&folders.package(application, copy))?);
        }
    }
    // `cargo run` describes this package in variables, on which build scripts of dependencies depend.
    let described = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    for (name, _) in env::vars_os().filter(|(name, _)| described(&name.to_string_lossy())) {
        cargo.env_remove(name);
    }
    let status = cargo.env("CARGO_TARGET_DIR", folders.target()).env("CARGO_INCREMENTAL", "0").status()?;
    if status.success() {
        return Ok(());
    }
    Err(format!("an application of {} does not build; cargo's messages are above", workspace.display()).into())
}
