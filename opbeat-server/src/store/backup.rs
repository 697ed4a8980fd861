//! Copies of a file of SQLite: the backup of a database that is in use, and its restoration.
//!
//! A copy is made with SQLite's backup interface inside one read transaction. The copy is the state at its start, writers
//! do not wait for it, and their changes do not make it start again. `VACUUM INTO` has these properties too, but takes
//! longer, and cannot say how far it is.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::engine::StoreAddress;
use super::engine::{self, Kind, Opening, Pool, Purpose, query};
use super::error::StoreError;
use super::migrations;

/// The first bytes of every database of SQLite.
const HEADER: &[u8; 16] = b"SQLite format 3\0";

/// The ends of the names of the files that SQLite keeps beside a database.
const BESIDE: [&str; 3] = ["-journal", "-wal", "-shm"];

/// A copy of a database that gets its name when it is complete, and is removed otherwise.
#[derive(Debug)]
pub(crate) struct NewFile {
    partial: PathBuf,
    target: PathBuf,
    /// Locked, so that two processes do not write the same file.
    file: File,
}

/// The thoroughness of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Check {
    /// Each page by itself.
    Pages,
    /// The indexes against their tables too, which takes longer.
    Everything,
}

impl NewFile {
    /// Creates the file under a temporary name, readable by its owner only.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be written, or another process is writing it.
    pub(crate) fn create(target: &Path) -> io::Result<Self> {
        let partial = beside(target, ".partial");
        // Locked until the new file is, so that no other process removes that.
        let _earlier = remove_partial(&partial)?;
        let mut options = File::options();
        // A file that somebody else creates is never used: they could read the copy, or change it.
        options.read(true).write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&partial)?;
        lock(&file, &partial)?;
        remove_beside(&partial)?;
        Ok(Self { partial, target: target.to_owned(), file })
    }

    /// Copies a database into the file. `progress` gets the number of copied pages, and of all.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] if the database cannot be read, or the disk of the copy is full.
    pub(crate) async fn fill(
        &self,
        source: &Path,
        progress: impl FnMut(u64, u64) + Send + 'static,
    ) -> Result<(), StoreError> {
        let copy = self.partial.clone();
        with_file(source, Purpose::Read, move |connection| connection.copy_to(&copy, progress)).await
    }

    /// Checks the copy.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] if it is damaged, no database of this server, or that of a newer version.
    pub(crate) async fn check(&self, check: Check) -> Result<(), StoreError> {
        with_file(&self.partial, Purpose::Read, move |connection| {
            let pragma = match check {
                Check::Pages => "PRAGMA quick_check(1)",
                Check::Everything => "PRAGMA integrity_check(1)",
            };
            let row = query(pragma).fetch_one(connection)?;
            match row.try_get::<&str, _>(0)? {
                "ok" => migrations::check_known(connection),
                damage => Err(engine::Error::new(Kind::Data, format!("the database is damaged: {damage}"))),
            }
        })
        .await
    }

    /// Gives the file its name, which then survives a crash of the machine. Returns its size in bytes.
    ///
    /// # Errors
    ///
    /// Returns an error if the disk fails.
    pub(crate) fn finish(self) -> io::Result<u64> {
        self.file.sync_all()?;
        if !is_at(&self.file, &self.partial)? {
            let message = format!("another program replaced {}; choose another folder", self.partial.display());
            return Err(io::Error::other(message));
        }
        fs::rename(&self.partial, &self.target)?;
        sync_folder(&self.target)?;
        Ok(self.file.metadata()?.len())
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        // After `finish`, the name is gone. An error leaves a file that the next attempt uses.
        let _ = fs::remove_file(&self.partial);
    }
}

/// Removes the file that an interrupted attempt left, and returns it. A link is removed and not followed.
fn remove_partial(partial: &Path) -> io::Result<Option<File>> {
    let metadata = match fs::symlink_metadata(partial) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        metadata => metadata?,
    };
    let mut earlier = None;
    if metadata.is_file() {
        let mut options = File::options();
        options.read(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::custom_flags(
            &mut options,
            (rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK).bits().cast_signed(),
        );
        let file = options.open(partial)?;
        lock(&file, partial)?;
        if !is_at(&file, partial)? {
            return Err(being_written(partial));
        }
        earlier = Some(file);
    }
    fs::remove_file(partial)?;
    Ok(earlier)
}

fn lock(file: &File, path: &Path) -> io::Result<()> {
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => being_written(path),
        TryLockError::Error(error) => error,
    })
}

fn being_written(path: &Path) -> io::Error {
    io::Error::other(format!("another program is writing {}; wait for it, or choose another file", path.display()))
}

/// Returns whether a path is that of an open file.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let place = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    Ok(place(file.metadata()?) == place(fs::symlink_metadata(path)?))
}

/// Other systems do not rename and remove a file that is open.
#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> io::Result<bool> {
    Ok(true)
}

/// Returns whether a file begins as databases of SQLite do.
///
/// # Errors
///
/// Returns an error if the file cannot be read.
pub(crate) fn is_database(path: &Path) -> io::Result<bool> {
    let mut start = Vec::with_capacity(HEADER.len());
    File::open(path)?.take(HEADER.len() as u64).read_to_end(&mut start)?;
    Ok(start == HEADER)
}

/// Gives a database another name, with what SQLite keeps beside it.
///
/// # Errors
///
/// Returns an error if a file cannot be renamed.
pub(crate) async fn set_aside(database: &Path, kept: &Path) -> io::Result<()> {
    // Moves the changes in the write-ahead log into the database, so that one file is left. An error is ignored: a
    // database that cannot be opened is a reason to restore a backup, and its log is kept beside it.
    let _: Result<(), StoreError> = with_file(database, Purpose::Write, |connection| {
        query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_all(connection).map(drop)
    })
    .await;
    fs::rename(database, kept)?;
    match fs::rename(beside(database, "-wal"), beside(kept, "-wal")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    sync_folder(database)
}

/// Removes the files that SQLite keeps beside a database: they belong to one that is no longer there.
///
/// # Errors
///
/// Returns an error if a file cannot be removed.
pub(crate) fn remove_beside(database: &Path) -> io::Result<()> {
    for end in BESIDE {
        match fs::remove_file(beside(database, end)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Calls a function with a connection to a file, and closes it.
async fn with_file<T: Send + 'static>(
    path: &Path,
    purpose: Purpose,
    work: impl FnOnce(&mut engine::Connection) -> Result<T, engine::Error> + Send + 'static,
) -> Result<T, StoreError> {
    let opening = Opening { address: StoreAddress::file(path), purpose, time_limit: None, prepare: |_| Ok(()) };
    let pool = Pool::new(opening, 1);
    let result = pool.run(work).await;
    pool.close().await;
    Ok(result?)
}

/// Returns a path with an addition to its name.
fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(end);
    name.into()
}

/// Makes the names in a file's folder survive a crash of the machine.
#[cfg(unix)]
fn sync_folder(file: &Path) -> io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// Other systems cannot open a folder as a file.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_planted_file_neither_gets_nor_redirects_a_copy() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let (target, partial, planted) = (path("copy"), path("copy.partial"), path("planted"));
        let plant: [&dyn Fn(); 3] =
            [&|| symlink(&planted, &partial).unwrap(), &|| fs::hard_link(&planted, &partial).unwrap(), &|| {
                fs::write(&partial, b"books").unwrap();
                fs::set_permissions(&partial, fs::Permissions::from_mode(0o666)).unwrap();
            }];
        for plant in plant {
            fs::write(&planted, b"books").unwrap();
            plant();
            // A process that planted the file can have it open.
            let open = File::open(&partial).unwrap();
            let new = NewFile::create(&target).unwrap();
            fs::write(&partial, b"secret").unwrap();
            assert_eq!(NewFile::create(&target).unwrap_err().kind(), io::ErrorKind::Other, "it is being written");
            assert_eq!(new.finish().unwrap(), 6);
            assert_eq!(
                (fs::read(&target).unwrap(), fs::read(&planted).unwrap()),
                (b"secret".to_vec(), b"books".to_vec())
            );
            assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o600);
            assert_eq!(io::read_to_string(open).unwrap(), "books");
        }
        let new = NewFile::create(&target).unwrap();
        fs::remove_file(&partial).unwrap();
        fs::write(&partial, b"books").unwrap();
        assert!(new.finish().is_err(), "it was replaced");
        assert_eq!(fs::read(&target).unwrap(), b"secret");
    }
}
