//! Bodies, and how their notes are compared.

use std::fs;
use std::path::{Path, PathBuf};

use opbeat_protocol::read::{Notes, ReadLimits, Received, Unreadable, read_error, read_transactions};
use opbeat_protocol::{ErrorBody, TransactionsBody};
use serde_json::Value;

pub(crate) fn error(json: &str) -> Received<ErrorBody> {
    read_error(json.as_bytes(), &ReadLimits::default()).unwrap_or_else(|error| panic!("{error}: {json}"))
}

pub(crate) fn unreadable_error(json: &str) -> Unreadable {
    read_error(json.as_bytes(), &ReadLimits::default()).expect_err(json)
}

pub(crate) fn transactions(json: &str) -> Received<TransactionsBody> {
    read_transactions(json.as_bytes(), &ReadLimits::default()).unwrap_or_else(|error| panic!("{error}: {json}"))
}

/// Returns the notes as `oddity count path`, joined by semicolons.
pub(crate) fn summary(notes: &Notes) -> String {
    let notes = notes.iter().map(|note| format!("{} {} {}", note.oddity, note.count, note.path));
    notes.collect::<Vec<_>>().join("; ")
}

pub(crate) fn fixtures(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(folder);
    let entries = fs::read_dir(&folder).expect("the folder exists");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("the entry is readable").path()).collect();
    paths.sort();
    paths
}

pub(crate) fn read_file(path: &Path) -> String {
    fs::read_to_string(path).expect("the fixture is readable")
}

pub(crate) fn is_transactions(json: &str) -> bool {
    json.contains("\"transactions\"")
}

/// Reads a body for the endpoint that it belongs to, and returns it as JSON.
pub(crate) fn read_any(json: &[u8], is_transactions: bool) -> Result<(Value, Notes), Unreadable> {
    let limits = ReadLimits::default();
    let (body, notes) = if is_transactions {
        let Received { body, notes } = read_transactions(json, &limits)?;
        (serde_json::to_value(body), notes)
    } else {
        let Received { body, notes } = read_error(json, &limits)?;
        (serde_json::to_value(body), notes)
    };
    Ok((body.expect("a body is JSON"), notes))
}
