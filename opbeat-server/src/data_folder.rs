//! The folder that holds all state of a server.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The folder that holds all state: the database, the queue, and the URL that the server listens on.
#[derive(Clone, Debug)]
pub(crate) struct DataFolder {
    path: PathBuf,
}

/// The data folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataFolderError {
    /// The folder cannot be created or written.
    #[error("cannot create or write the data folder {}; choose another one with --data", .path.display())]
    Unusable {
        /// The folder.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// Another server uses the folder.
    #[error(
        "another opbeat server uses the data folder {}; stop it first, or choose another folder with --data",
        .path.display()
    )]
    InUse {
        /// The folder.
        path: PathBuf,
    },
}

impl DataFolder {
    /// Opens the folder. Creates it if it is missing, accessible to its owner only.
    pub(crate) fn open(path: &Path) -> Result<Self, DataFolderError> {
        let unusable = |source| DataFolderError::Unusable { path: path.to_owned(), source };
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(path).map_err(unusable)?;
        Ok(Self { path: fs::canonicalize(path).map_err(unusable)? })
    }

    /// Locks the folder for one server, until the returned file is closed.
    pub(crate) fn lock(&self) -> Result<File, DataFolderError> {
        let unusable = |source| DataFolderError::Unusable { path: self.path.clone(), source };
        let file = File::create(self.path.join("lock")).map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(DataFolderError::InUse { path: self.path.clone() }),
            Err(TryLockError::Error(source)) => Err(unusable(source)),
        }
    }

    /// Returns the path of the database.
    pub(crate) fn database(&self) -> PathBuf {
        self.path.join("opbeat.sqlite")
    }

    /// Returns the path of the queue's folder.
    pub(crate) fn queue(&self) -> PathBuf {
        self.path.join("queue")
    }

    /// Writes the URL that the server listens on, for commands that print it.
    pub(crate) fn write_url(&self, url: &str) {
        // An error is ignored: without the file, those commands print the default URL.
        let _ = fs::write(self.path.join("server-url"), url);
    }

    /// Writes the sign-in link of the running server, readable by the folder's owner only.
    pub(crate) fn write_link(&self, link: &str) -> io::Result<()> {
        self.remove_link();
        let mut options = File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(self.link_path())?.write_all(link.as_bytes())
    }

    /// Returns the sign-in link of the running server.
    pub(crate) fn link(&self) -> Option<String> {
        fs::read_to_string(self.link_path()).ok()
    }

    /// Removes the sign-in link, which is valid only while its server runs.
    pub(crate) fn remove_link(&self) {
        // An error is ignored: a link of a server that has stopped signs in to nothing.
        let _ = fs::remove_file(self.link_path());
    }

    fn link_path(&self) -> PathBuf {
        self.path.join("sign-in-link")
    }

    /// Returns the URL that the server listened on last.
    pub(crate) fn url(&self) -> Option<String> {
        fs::read_to_string(self.path.join("server-url")).ok()
    }
}
