//! The operations by which the log changes files. Tests replace them by a disk that loses power or is full.

use std::fmt::Debug;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// A disk: all changes of the segments' files go through it.
///
/// A change survives a crash only after the sync that belongs to it: `SegmentFile::sync_data` for the bytes of a file,
/// `sync_folder` for the names in a folder.
pub(crate) trait Disk: Debug + Send + Sync {
    /// Creates a file that only its owner may read. It is an error if the file exists.
    fn create(&self, path: &Path) -> io::Result<Box<dyn SegmentFile>>;

    /// Opens an existing file to append to it.
    fn open(&self, path: &Path) -> io::Result<Box<dyn SegmentFile>>;

    /// Syncs the names of the files in a folder.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
}

/// The open file of a segment.
pub(crate) trait SegmentFile: Debug + Send {
    /// Appends bytes. After an error, some of them may be in the file.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Syncs the bytes and the length of the file.
    fn sync_data(&mut self) -> io::Result<()>;

    /// Cuts the file off at a length in bytes, and syncs that.
    fn cut_off(&mut self, length: u64) -> io::Result<()>;
}

/// The disk of the operating system.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SystemDisk;

impl Disk for SystemDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn SegmentFile>> {
        Ok(Box::new(private().create_new(true).open(path)?))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn SegmentFile>> {
        Ok(Box::new(private().open(path)?))
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }
}

impl SegmentFile for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync_data(&mut self) -> io::Result<()> {
        Self::sync_data(self)
    }

    fn cut_off(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)?;
        self.sync_all()
    }
}

/// Returns options to append to a file that only its owner may read.
pub(crate) fn private() -> OpenOptions {
    let mut options = File::options();
    options.append(true).read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
