//! The Git repositories of apps: clones in the data folder, which the worker fetches.
//!
//! ```text
//! opbeat repository connect ─► store ─► fetches: at the start, every few minutes, after a release, on demand ─► clone of the app
//! ```
//!
//! Each app has a folder of its own, so that no app reads the clone of another one. The token of a remote is read from a file at
//! each fetch: neither the database nor the log contains it.

mod commits;
mod fetches;
mod frames;
mod remote;
mod schedule;

pub(crate) use commits::read_commits;
pub(crate) use fetches::keep_fetched;
pub(crate) use frames::{frame, frames};
pub(crate) use remote::checked_url;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use opbeat_repository::{Access, Budget, Clones, Error, Repository};

use crate::store::NewRepository;
use schedule::Fetches;

/// The limits of fetches of Git repositories.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RepositoryLimits {
    /// The time between two fetches of a repository, if no release is reported.
    pub fetch_interval: Duration,
    /// The longest time of one fetch.
    pub fetch_time: Duration,
    /// The largest number of bytes that one fetch receives.
    pub fetch_bytes: u64,
}

impl Default for RepositoryLimits {
    fn default() -> Self {
        Self { fetch_interval: Duration::from_secs(300), fetch_time: Duration::from_secs(600), fetch_bytes: 2 << 30 }
    }
}

/// The clones of a process. Copies of this value share its state.
#[derive(Clone, Debug)]
pub(crate) struct Repositories {
    folder: PathBuf,
    limits: RepositoryLimits,
    /// Ends all work on repositories when it is set.
    interrupted: Arc<AtomicBool>,
    /// The fetches of this process, by app.
    fetches: Arc<Mutex<Fetches>>,
    progress: Arc<AtomicU64>,
}

/// Interrupts all work on repositories when it is dropped: threads that block cannot be cancelled.
#[derive(Debug)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Drop for Interrupt {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Repositories {
    /// Makes a handle on the clones in a data folder, which the first fetch creates.
    pub(crate) fn new(data: &Path, limits: RepositoryLimits) -> Self {
        Self {
            folder: data.join("repositories"),
            limits,
            interrupted: Arc::default(),
            fetches: Arc::default(),
            progress: Arc::default(),
        }
    }

    /// Returns a value that interrupts all work when it is dropped.
    pub(crate) fn interrupt(&self) -> Interrupt {
        Interrupt(Arc::clone(&self.interrupted))
    }

    /// Returns the number of bytes that all fetches have received.
    pub(crate) fn received(&self) -> u64 {
        self.progress.load(Ordering::Relaxed)
    }

    /// Returns a budget that ends with the process.
    pub(crate) fn budget(&self, time: Duration) -> Budget {
        Budget::new(time).interrupted_by(Arc::clone(&self.interrupted))
    }

    /// Opens the repository of an app. Blocks.
    ///
    /// # Errors
    ///
    /// Returns an error if it was not fetched yet, or is damaged.
    pub(crate) fn open(&self, app_id: &str, repository: &NewRepository) -> Result<Repository, Error> {
        self.clones(app_id, repository).open(&remote::without_token(repository))
    }

    /// Fetches the repository of an app, and creates its clone. Blocks.
    ///
    /// # Errors
    ///
    /// Returns the failure as a text for people, without secrets.
    pub(crate) fn fetch(&self, app_id: &str, repository: &NewRepository) -> Result<(), String> {
        let remote = remote::with_token(repository)?;
        create_private(&self.folder)
            .map_err(|error| format!("the folder {} cannot be created: {error}", self.folder.display()))?;
        let budget = self.budget(self.limits.fetch_time);
        match self.clones(app_id, repository).fetch(&remote, &budget) {
            Ok(_) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Removes the clones of repositories that were connected with an app before. Blocks. A failure is no reason to fail: the
    /// next fetch tries it again.
    pub(crate) fn remove_former(&self, app_id: &str, repository: &NewRepository) {
        if let Err(error) = self.clones(app_id, repository).remove_others(&remote::without_token(repository)) {
            let error: &dyn std::error::Error = &error;
            tracing::debug!(error, app_id, "the clone of a former repository cannot be removed");
        }
    }

    /// Removes the clone of an app.
    ///
    /// # Errors
    ///
    /// Returns an error if the folder cannot be removed.
    pub(crate) fn remove(&self, app_id: &str) -> std::io::Result<()> {
        match std::fs::remove_dir_all(self.folder.join(app_id)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn clones(&self, app_id: &str, repository: &NewRepository) -> Clones {
        // Only somebody with access to this server's database connects repositories, so paths are allowed.
        let access = Access { private_addresses: repository.allows_private, local_paths: true };
        Clones::new(&self.folder.join(app_id), access)
            .with_clone_bytes(self.limits.fetch_bytes)
            .with_progress(Arc::clone(&self.progress))
    }

    fn fetches(&self) -> std::sync::MutexGuard<'_, Fetches> {
        self.fetches.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether a fetch of an app's repository is needed before a question of a time, in microseconds since 1970, can
    /// be answered. It then becomes due.
    pub(crate) fn awaits_fetch(&self, app_id: &str, asked_at: i64) -> bool {
        self.fetches().await_after(app_id, asked_at)
    }
}

/// Creates a folder that only its owner may read.
fn create_private(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
