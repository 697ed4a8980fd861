//! The data that a peer recorded, in a form that is common to all peers.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The records of one case.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recorded {
    pub requests: Vec<Request>,
    pub failures: Vec<Failure>,
}

/// A request: a transaction, or a server's span.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Request {
    pub name: String,
    /// The status of the response.
    pub code: Option<u16>,
    /// The peer's own mark of the request, besides its status.
    pub mark: String,
    pub duration: Duration,
    pub user: Option<String>,
    pub tags: Tags,
    /// The innermost spans, each preceded by its ancestors.
    pub spans: Vec<String>,
}

/// An error report.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Failure {
    pub type_name: String,
    pub message: String,
    pub causes: Vec<String>,
    /// Whether it contains a source line of the application.
    pub is_located: bool,
    /// Whether it refers to the request in which it happened.
    pub is_tied: bool,
    pub tags: Tags,
}

pub type Tags = BTreeMap<String, String>;

/// Returns whether a source file contains handlers.
pub fn has_handlers(file: &str) -> bool {
    file.contains("src/applications/") && !file.ends_with("mod.rs")
}

/// The destination of a peer's records.
pub trait Record {
    /// Removes all records.
    fn clear(&self);

    /// Returns the records since the last `clear`.
    fn recorded(&self) -> Recorded;
}

/// The exported data of a peer, in its own types.
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
