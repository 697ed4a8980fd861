//! The limits of each call.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::Error;

/// The time that a call may take, and a flag that ends it earlier.
///
/// The time runs from the creation of the budget, so that several calls can share one.
#[derive(Clone, Debug)]
pub struct Budget {
    started: Instant,
    time: Duration,
    interrupted: Arc<AtomicBool>,
}

impl Budget {
    /// Creates a budget of `time` from now on.
    #[must_use]
    pub fn new(time: Duration) -> Self {
        Self { started: Instant::now(), time, interrupted: Arc::default() }
    }

    /// Adds a flag: calls end with [`Error::Interrupted`] soon after it is set.
    #[must_use]
    pub fn interrupted_by(self, flag: Arc<AtomicBool>) -> Self {
        Self { interrupted: flag, ..self }
    }

    /// Returns the time that is left.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.time.saturating_sub(self.started.elapsed())
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.interrupted.load(Ordering::Relaxed) {
            return Err(Error::Interrupted);
        }
        if self.remaining().is_zero() { Err(Error::TimedOut { after: self.time }) } else { Ok(()) }
    }

    pub(crate) fn time(&self) -> Duration {
        self.time
    }
}

/// The sizes that calls stay within. Data beyond a limit is left out, with a [`Reason`](crate::Reason) or a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The commits that one blame or one list of commits visits.
    pub visited_commits: usize,
    /// The size of a file that is blamed or whose lines are counted, in bytes.
    pub file_bytes: u64,
    /// The size of a folder whose entries are read, in bytes of the object. An entry has about 50.
    pub tree_bytes: u64,
    /// The files of a revision that frames are compared with.
    pub tree_files: usize,
    /// The bytes of the removed and added files of one commit that are compared to find renamed ones.
    pub rename_bytes: u64,
    /// The changed files of one commit that are searched for renames and moved code, or whose lines are counted.
    pub changed_files: usize,
    /// The commits of a release that are listed; further ones are counted.
    pub release_commits: usize,
    /// The frames of an error that are looked at.
    pub frames: usize,
    /// The lines whose blame is remembered.
    pub cached_lines: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            visited_commits: 1_000_000,
            file_bytes: 1024 * 1024,
            tree_bytes: 16 * 1024 * 1024,
            tree_files: 300_000,
            rename_bytes: 16 * 1024 * 1024,
            changed_files: 1_000,
            release_commits: 500,
            frames: 100,
            cached_lines: 10_000,
        }
    }
}
