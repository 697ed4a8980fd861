//! What is queued, and how it ends.

use std::error::Error;
use std::fmt;
use std::pin::Pin;

/// What jobs fail with.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Work with a name, and whatever is known of who asked for it.
pub struct Job {
    pub(crate) name: &'static str,
    pub(crate) metadata: Vec<(&'static str, String)>,
    pub(crate) work: Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send>>,
}

impl Job {
    /// Names a future, which runs when its turn comes.
    pub fn new(name: &'static str, work: impl Future<Output = Result<(), BoxError>> + Send + 'static) -> Self {
        Self { name, metadata: Vec::new(), work: Box::pin(work) }
    }

    /// Adds a fact to what is queued beside the work.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.metadata.push((key, value.into()));
        self
    }

    /// Returns a fact that was queued beside the work.
    #[must_use]
    pub fn fact(&self, key: &str) -> Option<&str> {
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
    /// It did its work.
    Done,
    /// It failed with an error.
    Failed(BoxError),
    /// It panicked.
    Panicked,
    /// It was stopped, or the process was.
    Cancelled,
}
