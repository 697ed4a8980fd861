//! The files that a fetch leaves in a clone if its process is killed.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::Error;

/// The depth of folders in a clone that is searched. Branches and tags are in one file.
const DEPTH: usize = 64;

/// Removes locks, temporary files, and packs without an index. With them, later fetches would fail, or fill the disk.
///
/// The caller holds the lock of the clone, so no other process uses these files.
pub(super) fn remove(clone: &Path) -> Result<(), Error> {
    let mut folders = vec![(clone.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        let failed = |source| Error::Folder { path: folder.clone(), source };
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let path = entry.path();
            // Links are no folders here, and are not followed.
            if entry.file_type().map_err(failed)?.is_dir() {
                if depth < DEPTH && !is_loose(&path) {
                    folders.push((path, depth + 1));
                }
            } else if is_leftover(&path) {
                remove_file(&path)?;
            }
        }
    }
    Ok(())
}

/// Whether the folder is one of objects that have a file of their own. Their temporary files are in the folder around it.
fn is_loose(path: &Path) -> bool {
    path.parent().and_then(Path::file_name) == Some(OsStr::new("objects"))
        && path.file_name().is_some_and(|name| name.len() == 2)
}

/// Whether the file is a lock, a temporary file, or a pack that was not finished. No branch and no tag ends with `.lock`.
fn is_leftover(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    let is_pack = |ending: &str| path.extension() == Some(OsStr::new(ending)) && name.starts_with(b"pack-");
    name.ends_with(b".lock")
        || name.starts_with(b".tmp")
        || name.starts_with(b"tmp_")
        || is_pack("keep")
        || (is_pack("pack") && !path.with_extension("idx").exists())
}

fn remove_file(path: &PathBuf) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::Folder { path: path.clone(), source })
        }
        _ => Ok(()),
    }
}
