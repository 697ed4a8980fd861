//! A small file system, which a test can fill.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::{FallocateFlags, fallocate};
use tempfile::TempDir;

/// The size of a file system in memory, in megabytes.
const SIZE: u64 = 24;

/// The largest and the smallest piece with which a disk is filled, in bytes.
const PIECES: [u64; 2] = [64 << 20, 4 << 10];

/// A mounted file system, which is removed when the value is dropped.
#[derive(Debug)]
pub(crate) struct SmallDisk {
    folder: TempDir,
    /// The folder with the file that holds the file system, unless that is in memory.
    _image: Option<TempDir>,
}

impl SmallDisk {
    /// Mounts a file system in memory, or returns the reason why this user may not.
    pub(crate) fn mount() -> Result<Self, String> {
        let folder = tempfile::tempdir().unwrap();
        let size = format!("size={SIZE}m,mode=700");
        run(Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(folder.path()))?;
        Ok(Self { folder, _image: None })
    }

    /// Mounts a file system of a size in megabytes that is in a file, so that its writes are synced to a real disk.
    pub(crate) fn mount_image(megabytes: u64) -> Result<Self, String> {
        let (folder, image) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let file = image.path().join("image");
        File::create(&file).and_then(|file| file.set_len(megabytes << 20)).unwrap();
        // No part is reserved for the user root, which runs the tests.
        run(Command::new("mkfs.ext4").args(["-q", "-m", "0"]).arg(&file))?;
        run(Command::new("mount").args(["-o", "loop"]).arg(&file).arg(folder.path()))?;
        Ok(Self { folder, _image: Some(image) })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Creates a file that fills the disk.
    pub(crate) fn filler(&self) -> Filler {
        let path = self.path().join("filler");
        Filler { file: File::create(&path).unwrap(), path, size: 0 }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Processes of the deployment may still have files open here. A lazy unmount removes it after they end.
        let _ = Command::new("umount").arg("--lazy").arg(self.folder.path()).status();
    }
}

/// A file that fills a disk until the value is dropped.
pub(crate) struct Filler {
    path: PathBuf,
    file: File,
    size: u64,
}

impl Filler {
    /// Takes all space that is free now. A server frees space meanwhile, such as a segment of the queue.
    pub(crate) fn fill(&mut self) {
        let [mut piece, smallest] = PIECES;
        while piece >= smallest {
            match fallocate(&self.file, FallocateFlags::empty(), self.size, piece) {
                Ok(()) => self.size += piece,
                Err(_) => piece /= 2,
            }
        }
    }
}

impl Drop for Filler {
    fn drop(&mut self) {
        // The space is free when the file is empty. An error leaves the disk full, which a test notices.
        let _ = self.file.set_len(0);
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Runs a command, and returns the first line of its error.
fn run(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("there is no command `{name}`: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let message = String::from_utf8_lossy(&output.stderr);
    let reason = message.lines().next().unwrap_or("it gives no reason");
    Err(format!("a small file system cannot be mounted, which the user root may do: {reason}"))
}
