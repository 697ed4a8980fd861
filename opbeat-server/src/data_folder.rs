//! The folder that holds all state of a server.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// All state lies below one folder: the database, the queue, and where the server listens.
#[derive(Clone, Debug)]
pub(crate) struct DataFolder {
    path: PathBuf,
}

/// The folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataFolderError {
    /// It cannot be made or written.
    #[error("the data folder {} cannot be used: {source}; choose another one with --data", .path.display())]
    Unusable {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another server has it.
    #[error(
        "another opbeat server runs on {}; stop it first, or choose another folder with --data", .path.display()
    )]
    InUse {
        /// The folder.
        path: PathBuf,
    },
}

impl DataFolder {
    /// Makes the folder if it is missing, readable for its owner alone.
    pub(crate) fn open(path: &Path) -> Result<Self, DataFolderError> {
        let unusable = |source| DataFolderError::Unusable { path: path.to_owned(), source };
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(path).map_err(unusable)?;
        Ok(Self { path: fs::canonicalize(path).map_err(unusable)? })
    }

    /// Claims the folder for one server, until the returned file is closed.
    pub(crate) fn lock(&self) -> Result<File, DataFolderError> {
        let unusable = |source| DataFolderError::Unusable { path: self.path.clone(), source };
        let file = File::create(self.path.join("lock")).map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(DataFolderError::InUse { path: self.path.clone() }),
            Err(TryLockError::Error(source)) => Err(unusable(source)),
        }
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.path.join("opbeat.sqlite")
    }

    pub(crate) fn queue(&self) -> PathBuf {
        self.path.join("queue")
    }

    /// Remembers where the server listens, for commands that print it.
    pub(crate) fn write_url(&self, url: &str) {
        // Without it, those commands print the default.
        let _ = fs::write(self.path.join("server-url"), url);
    }

    /// Returns where the server listened last.
    pub(crate) fn url(&self) -> Option<String> {
        fs::read_to_string(self.path.join("server-url")).ok()
    }
}
