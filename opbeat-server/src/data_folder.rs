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
        let folder = Self { path: fs::canonicalize(path).map_err(unusable)? };
        folder.make_private().map_err(unusable)?;
        Ok(folder)
    }

    /// Creates the database's file, and makes all files accessible to their owner only.
    ///
    /// SQLite gives its other files the mode of the database.
    #[cfg(unix)]
    fn make_private(&self) -> io::Result<()> {
        use std::os::unix::fs::PermissionsExt;
        private().open(self.database())?;
        for folder in [self.path.clone(), self.queue()] {
            let Ok(entries) = fs::read_dir(folder) else { continue };
            for path in entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()) {
                // A file of another user, or one that was removed in the meantime, does not stop the server.
                let _ = fs::set_permissions(path, fs::Permissions::from_mode(0o600));
            }
        }
        Ok(())
    }

    #[cfg(not(unix))]
    fn make_private(&self) -> io::Result<()> {
        Ok(())
    }

    /// Locks the folder for one server, until the returned file is closed.
    pub(crate) fn lock(&self) -> Result<File, DataFolderError> {
        let unusable = |source| DataFolderError::Unusable { path: self.path.clone(), source };
        let file = private().open(self.path.join("lock")).map_err(unusable)?;
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

    /// Returns the files of unfinished records that were cut off the queue.
    pub(crate) fn cut_files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.queue()).into_iter().flatten().flatten();
        let is_cut = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "cut");
        entries.map(|entry| entry.path()).filter(is_cut).collect()
    }

    /// Returns the path of the queue's folder.
    pub(crate) fn queue(&self) -> PathBuf {
        self.path.join("queue")
    }

    /// Writes the URL that the server listens on, for commands that print it.
    pub(crate) fn write_url(&self, url: &str) {
        // An error is ignored: without the file, those commands print the default URL.
        let _ = private()
            .truncate(true)
            .open(self.path.join("server-url"))
            .and_then(|mut file| file.write_all(url.as_bytes()));
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

/// Returns options to create and write a file that only its owner may read.
fn private() -> fs::OpenOptions {
    let mut options = File::options();
    options.write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
