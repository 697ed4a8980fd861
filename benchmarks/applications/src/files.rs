//! Copies and writes files.

use std::fs;
use std::io;
use std::path::Path;

/// Copies a folder without the files of some names.
pub fn copy_folder(from: &Path, to: &Path, without: &[&str]) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        match entry.file_type()?.is_dir() {
            true => copy_folder(&entry.path(), &to.join(&name), without)?,
            false if without.iter().any(|skipped| name == *skipped) => {}
            false => write(&to.join(&name), &fs::read(entry.path())?)?,
        }
    }
    Ok(())
}

/// Writes a file if its content differs.
pub fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    if fs::read(path).is_ok_and(|known| known == content) {
        return Ok(());
    }
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    fs::write(path, content)
}
