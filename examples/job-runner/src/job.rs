//! Jobs, and how they end.

use std::error::Error;
use std::fmt;
use std::pin::Pin;

/// The error that a job fails with.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Work with a name, and metadata such as the trace of the request that queued it.
pub struct Job {
    pub(crate) name: &'static str,
    pub(crate) metadata: Vec<(&'static str, String)>,
    pub(crate) work: Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send>>,
}

impl Job {
    /// Creates a job from a name and a future, which runs when the worker takes the job.
    pub fn new(name: &'static str, work: impl Future<Output = Result<(), BoxError>> + Send + 'static) -> Self {
        Self { name, metadata: Vec::new(), work: Box::pin(work) }
    }

    /// Adds an entry to the metadata.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.metadata.push((key, value.into()));
        self
    }

    /// Returns an entry of the metadata.
    #[must_use]
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.metadata.iter().find(|(known, _)| *known == key).map(|(_, value)| value.as_str())
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Job").field(&self.name).finish()
    }
}

/// How a job ended.
#[derive(Debug)]
pub enum Ending {
    /// It finished without an error.
    Done,
    /// It failed with an error.
    Failed(BoxError),
    /// It panicked.
    Panicked,
    /// It was cancelled, or the worker ended first.
    Cancelled,
}
