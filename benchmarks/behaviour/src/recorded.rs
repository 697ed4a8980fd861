//! What a peer recorded, in words that are common to all.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What was recorded of one case.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recorded {
    pub requests: Vec<Request>,
    pub failures: Vec<Failure>,
}

/// A request: a transaction, or a server's span.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Request {
    pub name: String,
    /// The response's status.
    pub code: Option<u16>,
    /// What it is marked as beside its status, in the peer's own word.
    pub mark: String,
    pub duration: Duration,
    pub user: Option<String>,
    pub tags: Tags,
    /// The innermost spans, each behind those that it lies in.
    pub spans: Vec<String>,
}

/// An error's report.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Failure {
    pub type_name: String,
    pub message: String,
    pub causes: Vec<String>,
    /// Whether it tells a line of the application.
    pub is_located: bool,
    /// Whether it tells the request that it happened in.
    pub is_tied: bool,
    pub tags: Tags,
}

pub type Tags = BTreeMap<String, String>;

/// Returns whether a file of the source is one that handlers stand in.
pub fn has_handlers(file: &str) -> bool {
    file.contains("src/applications/") && !file.ends_with("mod.rs")
}

/// Where a peer records to.
pub trait Record {
    /// Forgets everything.
    fn clear(&self);

    /// Returns what was recorded since then.
    fn recorded(&self) -> Recorded;
}

/// What a peer passed on, in its own words.
#[derive(Debug)]
pub struct Kept<T>(Arc<Mutex<Vec<T>>>);

impl<T> Kept<T> {
    pub fn lock(&self) -> MutexGuard<'_, Vec<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Clone for Kept<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}
