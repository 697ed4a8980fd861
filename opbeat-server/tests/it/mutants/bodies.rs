//! The bodies that mutants are made of: those recorded from agents, and those that showed a fault.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Cases for `transactions/`. All others are for `errors/`.
const TRANSACTION_CASES: [&str; 13] = [
    "01-drops",
    "03-ruby",
    "05-flat",
    "10-ruby",
    "node-breakdown",
    "node-same-sql",
    "node-two-minutes",
    "python-mean",
    "python-n-plus-1",
    "python-rare",
    "ruby-kind",
    "stack-mixup",
    "tx-",
];

/// A body and its endpoint.
#[derive(Clone, Debug)]
pub(super) struct Source {
    /// The file's name.
    pub(super) name: String,
    /// The endpoint, such as `errors` or `client-side/errors`.
    pub(super) endpoint: String,
    /// The bytes of the file.
    pub(super) bytes: Vec<u8>,
    /// The bytes as JSON, if they are standard JSON.
    pub(super) json: Option<Value>,
}

/// Returns all bodies, and apart from them the compressed ones, which are large after inflating.
pub(super) fn all() -> (Vec<Source>, Vec<Source>) {
    let mut sources: Vec<Source> = files("agents").into_iter().filter_map(|path| recorded(&path)).collect();
    sources.extend(files("cases").iter().map(|path| case(path)));
    sources.into_iter().partition(|source| !source.name.ends_with(".z"))
}

/// Returns the files of a folder of fixtures and of its folders, in a fixed order.
fn files(folder: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    files
}

/// Returns a recording. Its name contains the endpoint: `01-client-side-errors.json`.
fn recorded(path: &Path) -> Option<Source> {
    let name = path.file_name()?.to_str()?;
    let endpoint = name.strip_suffix(".json")?.split_once('-')?.1.replace("client-side-", "client-side/");
    let agent = path.parent()?.file_name()?.to_str()?;
    Some(source(format!("{agent}/{name}"), endpoint, path))
}

fn case(path: &Path) -> Source {
    let name = path.file_name().unwrap().to_str().unwrap().to_owned();
    let is_transactions = TRANSACTION_CASES.iter().any(|start| name.starts_with(start));
    let endpoint = if is_transactions { "transactions" } else { "errors" };
    source(name, endpoint.to_owned(), path)
}

fn source(name: String, endpoint: String, path: &Path) -> Source {
    let bytes = fs::read(path).unwrap();
    let json = serde_json::from_slice(&bytes).ok();
    Source { name, endpoint, bytes, json }
}
