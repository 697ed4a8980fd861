//! The files of the workspace.

use std::path::{Path, PathBuf};
use std::{env, fs};

/// A file and its text.
#[derive(Clone, Debug)]
pub struct Source {
    /// The path from the workspace's root, with forward slashes.
    pub path: String,
    /// The text.
    pub text: String,
}

impl Source {
    /// Returns whether the file is below a folder.
    #[must_use]
    pub fn is_below(&self, folder: &str) -> bool {
        self.path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
    }

    /// Returns whether the file holds tests only.
    #[must_use]
    pub fn is_test(&self) -> bool {
        self.path.contains("/tests/") || self.path.ends_with("/tests.rs")
    }
}

/// Returns all Rust files.
///
/// # Panics
///
/// Panics if a file cannot be read.
#[must_use]
pub fn sources() -> Vec<Source> {
    files("rs")
}

/// Returns all manifests.
///
/// # Panics
///
/// Panics if a file cannot be read.
#[must_use]
pub fn manifests() -> Vec<Source> {
    files("toml").into_iter().filter(|file| file.path.ends_with("Cargo.toml")).collect()
}

/// Returns all Markdown files.
///
/// # Panics
///
/// Panics if a file cannot be read.
#[must_use]
pub fn guides() -> Vec<Source> {
    files("md")
}

/// Returns the first folder, from the current one upward, whose manifest is that of a workspace.
///
/// The folder that this crate was built in is not used, so that a program can be run in another checkout.
fn root() -> PathBuf {
    let current = env::current_dir().expect("a current folder");
    let is_root = |folder: &&Path| {
        fs::read_to_string(folder.join("Cargo.toml")).is_ok_and(|manifest| manifest.contains("[workspace]"))
    };
    current.ancestors().find(is_root).expect("run this inside of the workspace").to_owned()
}

fn files(extension: &str) -> Vec<Source> {
    let root = root();
    let mut files = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the workspace").flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if path.is_dir() && !name.starts_with('.') && name != "target" {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                let text = fs::read_to_string(&path).expect("a source file");
                let path = path.strip_prefix(&root).expect("a path below the root");
                files.push(Source { path: path.to_string_lossy().replace('\\', "/"), text });
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}
