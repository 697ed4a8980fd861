//! A file system in memory that is full after a few megabytes.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// The size in megabytes.
const SIZE: u32 = 24;

/// A mounted file system, which is removed when the value is dropped.
#[derive(Debug)]
pub(crate) struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    /// Mounts a file system, or returns the reason why this user may not.
    pub(crate) fn mount() -> Result<Self, String> {
        let folder = tempfile::tempdir().unwrap();
        let size = format!("size={SIZE}m,mode=700");
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(folder.path()).output();
        let output = mount.map_err(|error| format!("there is no command `mount`: {error}"))?;
        if output.status.success() {
            return Ok(Self { folder });
        }
        let message = String::from_utf8_lossy(&output.stderr);
        let reason = message.lines().next().unwrap_or("it gives no reason");
        Err(format!("a small file system cannot be mounted, which the user root may do: {reason}"))
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Processes of the deployment may still have files open here. A lazy unmount removes it after they end.
        let _ = Command::new("umount").arg("--lazy").arg(self.folder.path()).status();
    }
}
