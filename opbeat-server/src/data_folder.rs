//! The folder that holds all state of a server.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The database. The names of SQLite's other files start with it.
const DATABASE: &str = "opbeat.sqlite";

/// The snapshot of the directory, and its next version while that is written.
const DIRECTORY: [&str; 2] = ["directory.json", "directory.new"];
const LOCK: &str = "lock";
const URL: &str = "server-url";
const LINK: &str = "sign-in-link";

/// The file that marks a folder whose data is, or becomes, the content of a database of PostgreSQL.
const IMPORTED: &str = "imported";

/// The folder that holds all state: the database, the queue, and the URL that the server listens on.
#[derive(Clone, Debug)]
pub(crate) struct DataFolder {
    path: PathBuf,
}

/// The lock of a data folder, held until it is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    _folder: Option<File>,
    _file: File,
}

/// The state of the import of a folder into PostgreSQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Import {
    /// It has begun, and is not finished.
    Begun,
    /// It is finished.
    Finished,
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
    /// The database is missing, although the folder was used before.
    #[error(
        "the database {} is missing or empty, although this data folder was used before; restore the file and start \
         the server again, or run `opbeat serve --create-database` once to begin with an empty database",
        .path.display()
    )]
    DatabaseMissing {
        /// The database's file.
        path: PathBuf,
    },
    /// The data was imported into PostgreSQL, or an import has begun.
    #[error(
        "the data of this folder was imported into PostgreSQL, or an import has begun: start the server with --store and \
         the URL of that database, or finish an interrupted import with `opbeat import --continue`; to go back to the \
         data before the import, remove the file {}",
        .marker.display()
    )]
    Imported {
        /// The file that says so.
        marker: PathBuf,
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

    /// Returns the folder for reading. Creates and changes nothing.
    pub(crate) fn existing(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Makes the server's files accessible to their owner only. Fails if the folder cannot be written.
    ///
    /// The folder may contain files of others, such as a home folder does: they are not changed.
    #[cfg(unix)]
    fn make_private(&self) -> io::Result<()> {
        make_private(&self.path, is_state);
        make_private(&self.queue(), is_segment);
        Ok(())
    }

    #[cfg(not(unix))]
    fn make_private(&self) -> io::Result<()> {
        Ok(())
    }

    /// Locks the folder for one server, until the returned lock is dropped.
    ///
    /// The folder itself is locked. A file in it could be deleted and created again, and then be locked twice. The file
    /// is locked too, as servers before this one did, so that one of them and this one exclude each other.
    pub(crate) fn lock(&self) -> Result<Lock, DataFolderError> {
        let folder = self.lock_folder()?;
        let unusable = |source| DataFolderError::Unusable { path: self.path.clone(), source };
        let file = self.locked(private().open(self.path.join(LOCK)).map_err(unusable)?)?;
        Ok(Lock { _folder: folder, _file: file })
    }

    #[cfg(unix)]
    fn lock_folder(&self) -> Result<Option<File>, DataFolderError> {
        use std::os::unix::fs::MetadataExt;
        let unusable = |source| DataFolderError::Unusable { path: self.path.clone(), source };
        let folder = self.locked(File::open(&self.path).map_err(unusable)?)?;
        let place = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
        let locked = folder.metadata().map(place).map_err(unusable)?;
        let named = fs::metadata(&self.path).map(place).map_err(unusable)?;
        if locked != named {
            // Somebody moved the folder since it was opened, and a server may use the one that has its name now.
            return Err(DataFolderError::InUse { path: self.path.clone() });
        }
        Ok(Some(folder))
    }

    /// Other systems cannot lock a folder. Windows does not delete a file that is open.
    #[cfg(not(unix))]
    fn lock_folder(&self) -> Result<Option<File>, DataFolderError> {
        Ok(None)
    }

    fn locked(&self, file: File) -> Result<File, DataFolderError> {
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(DataFolderError::InUse { path: self.path.clone() }),
            Err(TryLockError::Error(source)) => Err(DataFolderError::Unusable { path: self.path.clone(), source }),
        }
    }

    /// Creates an empty file for the database if there is none, and the folder is new or `create` is given.
    ///
    /// SQLite gives its other files the mode of this one, which only its owner may read.
    ///
    /// # Errors
    ///
    /// Returns [`DataFolderError::DatabaseMissing`] if the folder was used before. An empty database would accept no token,
    /// and would replace the snapshot by which known tokens are still accepted. Returns [`DataFolderError::Imported`] if
    /// the data is in another database now.
    pub(crate) fn prepare_database(&self, create: bool) -> Result<(), DataFolderError> {
        if self.import().is_some() {
            return Err(DataFolderError::Imported { marker: self.path.join(IMPORTED) });
        }
        let path = self.database();
        let unusable = |source| DataFolderError::Unusable { path: self.path.clone(), source };
        let size = match fs::metadata(&path) {
            Ok(file) => Some(file.len()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(unusable(error)),
        };
        let has_snapshot = self.directory().exists();
        let is_missing = match size {
            None => has_snapshot || self.has_segments(),
            // A start that was interrupted leaves an empty file, and possibly segments, but no snapshot.
            Some(0) => has_snapshot,
            Some(_) => false,
        };
        if is_missing && !create {
            return Err(DataFolderError::DatabaseMissing { path });
        }
        private().open(path).map_err(unusable)?;
        Ok(())
    }

    /// Returns the state of the import of the folder, or `None` if there is no import.
    pub(crate) fn import(&self) -> Option<Import> {
        let state = fs::read(self.path.join(IMPORTED)).ok()?;
        Some(if state.starts_with(b"finished") { Import::Finished } else { Import::Begun })
    }

    /// Sets the state of the import of the folder, which then survives a crash of the machine.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be written.
    pub(crate) fn set_import(&self, import: Import) -> io::Result<()> {
        let text = match import {
            Import::Begun => "begun\n",
            Import::Finished => "finished\n",
        };
        let mut file = private().truncate(true).open(self.path.join(IMPORTED))?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        #[cfg(unix)]
        File::open(&self.path)?.sync_all()?;
        Ok(())
    }

    /// Returns whether the queue has segments.
    fn has_segments(&self) -> bool {
        let entries = fs::read_dir(self.queue()).into_iter().flatten().flatten();
        let is_segment = |name: &str| {
            name.split_once('.').is_some_and(|(number, extension)| {
                number.len() == 20
                    && number.bytes().all(|byte| byte.is_ascii_digit())
                    && ["log", "records"].contains(&extension)
            })
        };
        entries.map(|entry| entry.file_name()).any(|name| name.to_str().is_some_and(is_segment))
    }

    /// Returns the path of the directory's snapshot.
    pub(crate) fn directory(&self) -> PathBuf {
        self.path.join(DIRECTORY[0])
    }

    /// Returns the path of the database.
    pub(crate) fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
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

    /// Returns the path of the folder with the data that RabbitMQ could not take yet.
    pub(crate) fn spool(&self) -> PathBuf {
        self.path.join("spool")
    }

    /// Writes the URL that the server listens on, for commands that print it.
    pub(crate) fn write_url(&self, url: &str) {
        // An error is ignored: without the file, those commands print the default URL.
        let _ = private().truncate(true).open(self.path.join(URL)).and_then(|mut file| file.write_all(url.as_bytes()));
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
        self.path.join(LINK)
    }

    /// Returns the URL that the server listened on last.
    pub(crate) fn url(&self) -> Option<String> {
        fs::read_to_string(self.path.join(URL)).ok()
    }
}

/// Makes the files of a folder accessible to their owner only, as far as their names are the server's.
#[cfg(unix)]
fn make_private(folder: &Path, is_ours: fn(&str) -> bool) {
    use std::os::unix::fs::PermissionsExt;
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let ours = entries.filter(|entry| entry.file_name().to_str().is_some_and(is_ours));
    // A link leads to a file of others.
    for entry in ours.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file())) {
        // A file of another user, or one that was removed in the meantime, does not stop the server.
        let _ = fs::set_permissions(entry.path(), fs::Permissions::from_mode(0o600));
    }
}

/// Returns whether a file in the data folder is the server's, by its name.
#[cfg(unix)]
fn is_state(name: &str) -> bool {
    name.starts_with(DATABASE) || DIRECTORY.contains(&name) || [LOCK, URL, LINK, IMPORTED].contains(&name)
}

/// Returns whether a file in the queue's folder is the queue's, by its name: `00000000000000000001.records`.
#[cfg(unix)]
fn is_segment(name: &str) -> bool {
    name.split_once('.').is_some_and(|(number, extension)| {
        number.bytes().all(|byte| byte.is_ascii_digit()) && ["log", "records", "cut"].contains(&extension)
    })
}

/// Returns options to create and write a file that only its owner may read.
fn private() -> fs::OpenOptions {
    let mut options = File::options();
    options.write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
