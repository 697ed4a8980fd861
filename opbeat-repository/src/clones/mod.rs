//! Bare clones of remote repositories, in a folder of the server.

mod address;
mod fetch;
mod http;
mod leftovers;
mod meter;
mod remote;
mod task;

pub use address::is_public;
pub use remote::{Access, Credentials, Remote};

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use crate::repository::without_panic;
use crate::{Budget, Error, Limits, Repository};

use address::Address;
use task::Task;

/// A fetch that succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fetched {
    /// The bytes that the remote sent.
    pub bytes: u64,
    /// Whether the clone was made anew: there was none, or it was damaged.
    pub cloned: bool,
}

/// The clones in a folder. A repository on this machine is read where it is, and has no clone.
#[derive(Clone, Debug)]
pub struct Clones {
    folder: PathBuf,
    access: Access,
    limits: Limits,
    clone_bytes: u64,
    progress: Arc<AtomicU64>,
}

impl Clones {
    /// Uses `folder`, which is created by the first fetch. A clone is at most 2 GiB.
    #[must_use]
    pub fn new(folder: &Path, access: Access) -> Self {
        Self {
            folder: folder.to_owned(),
            access,
            limits: Limits::default(),
            clone_bytes: 2 << 30,
            progress: Arc::default(),
        }
    }

    /// Sets the limits of the repositories that are opened.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Sets the bytes that one fetch may receive.
    #[must_use]
    pub fn with_clone_bytes(self, clone_bytes: u64) -> Self {
        Self { clone_bytes, ..self }
    }

    /// Sets the number to which the bytes that a fetch receives are added, so that others can show its progress.
    #[must_use]
    pub fn with_progress(self, progress: Arc<AtomicU64>) -> Self {
        Self { progress, ..self }
    }

    /// Opens the clone of a remote, or the repository on this machine.
    ///
    /// # Errors
    ///
    /// [`Error::NotFetched`] before the first fetch; [`Error::UnsupportedUrl`] if the address is not allowed.
    pub fn open(&self, remote: &Remote) -> Result<Repository, Error> {
        match Address::parse(remote, self.access)? {
            Address::Local(path) => Repository::open_with(&path, self.limits),
            Address::Remote(_) => {
                let path = self.path(remote);
                if !path.exists() {
                    return Err(Error::NotFetched { url: remote.url().to_owned() });
                }
                Repository::open_with(&path, self.limits)
            }
        }
    }

    /// Fetches all branches and tags, and clones the repository if there is no usable clone.
    ///
    /// One process fetches a clone at a time. The locks and temporary files of one that was killed are removed first.
    ///
    /// Blocks until the end of the budget at most; a silent remote is noticed within 10 seconds after that. An
    /// interrupted or failed fetch leaves the former clone as it was.
    ///
    /// # Errors
    ///
    /// If the remote cannot be reached, is larger than the limit, or answers with something else than a repository; if
    /// the budget ends; or if another process fetches it.
    pub fn fetch(&self, remote: &Remote, budget: &Budget) -> Result<Fetched, Error> {
        let url = match Address::parse(remote, self.access)? {
            Address::Local(path) => {
                Repository::open_with(&path, self.limits)?;
                return Ok(Fetched { bytes: 0, cloned: false });
            }
            Address::Remote(url) => url,
        };
        budget.check()?;
        fs::create_dir_all(&self.folder).map_err(|source| Error::Folder { path: self.folder.clone(), source })?;
        let _lock = self.lock(remote)?;
        let path = self.path(remote);
        let task =
            Task { url: &url, remote, access: self.access, limit: self.clone_bytes, budget, progress: &self.progress };
        if path.exists() && Repository::open_with(&path, self.limits).is_ok() {
            leftovers::remove(&path)?;
            match without_panic(|| fetch::update(&path, &task)) {
                Ok(bytes) => return Ok(Fetched { bytes, cloned: false }),
                // A damaged clone is replaced. All other failures have another cause.
                Err(Error::Damaged { .. } | Error::NotARepository { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let bytes = self.clone_anew(&path, &task)?;
        Ok(Fetched { bytes, cloned: true })
    }

    /// Deletes the clone of a remote.
    ///
    /// # Errors
    ///
    /// If another process fetches it, or the folder cannot be changed.
    pub fn remove(&self, remote: &Remote) -> Result<(), Error> {
        if !self.folder.exists() {
            return Ok(());
        }
        let _lock = self.lock(remote)?;
        remove_folder(&self.path(remote))
    }

    /// Deletes the clones of other remotes in the folder, which were connected before. One that another process fetches stays.
    ///
    /// # Errors
    ///
    /// If the folder cannot be read or changed.
    pub fn remove_others(&self, remote: &Remote) -> Result<(), Error> {
        if !self.folder.exists() {
            return Ok(());
        }
        let failed = |source| Error::Folder { path: self.folder.clone(), source };
        let kept = self.path(remote);
        for entry in fs::read_dir(&self.folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let is_clone =
                path.extension().is_some_and(|ending| ["git", "new", "old"].iter().any(|known| ending == *known));
            if !is_clone || path.file_stem() == kept.file_stem() {
                continue;
            }
            let lock = path.with_extension("lock");
            if let Some(_held) = try_lock(&lock)? {
                remove_folder(&path)?;
                // Without the clone, the lock has no meaning. If it cannot be removed, an empty file is left.
                let _ = fs::remove_file(&lock);
            }
        }
        Ok(())
    }

    fn clone_anew(&self, path: &Path, task: &Task<'_>) -> Result<u64, Error> {
        let fresh = path.with_extension("new");
        let old = path.with_extension("old");
        // A process that was killed may have left these. The lock excludes that another one uses them.
        remove_folder(&fresh)?;
        remove_folder(&old)?;
        let bytes = without_panic(|| fetch::clone(&fresh, task)).inspect_err(|_| {
            // The failure is what matters; the next fetch removes the rest.
            let _ = fs::remove_dir_all(&fresh);
        })?;
        let rename = |from: &Path, to: &Path| {
            fs::rename(from, to).map_err(|source| Error::Folder { path: to.to_owned(), source })
        };
        if path.exists() {
            rename(path, &old)?;
        }
        rename(&fresh, path)?;
        remove_folder(&old)?;
        Ok(bytes)
    }

    /// The folder of the clone: the end of the address for people, and its hash.
    fn path(&self, remote: &Remote) -> PathBuf {
        let name = remote.url().trim_end_matches('/').trim_end_matches(".git").rsplit('/').next().unwrap_or_default();
        let name: String =
            name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-' || *c == '_').take(40).collect();
        let mut hasher = gix::hash::hasher(gix::hash::Kind::Sha1);
        hasher.update(remote.url().as_bytes());
        let hash = hasher.try_finalize().map_or_else(|_| String::from("0"), |id| id.to_string());
        self.folder.join(format!("{name}-{hash}.git"))
    }

    fn lock(&self, remote: &Remote) -> Result<File, Error> {
        let lock = try_lock(&self.path(remote).with_extension("lock"))?;
        lock.ok_or_else(|| Error::Busy { url: remote.url().to_owned() })
    }
}

/// Locks a file, which is created. Returns `None` if another process holds the lock.
fn try_lock(path: &Path) -> Result<Option<File>, Error> {
    let failed = |source| Error::Folder { path: path.to_owned(), source };
    let file = File::options().create(true).truncate(false).write(true).open(path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

fn remove_folder(path: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(Error::Folder { path: path.to_owned(), source }),
    }
}
