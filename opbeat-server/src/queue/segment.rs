//! Segments: the files that the queue consists of.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::record::{Parsed, parse};

/// A position between two records: the number of a segment and an offset in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    /// The segment.
    pub(crate) segment: u64,
    /// The number of bytes from the segment's start.
    pub(crate) offset: u64,
}

impl Position {
    /// Returns the start of a segment.
    #[must_use]
    pub(crate) const fn start_of(segment: u64) -> Self {
        Self { segment, offset: 0 }
    }
}

/// Returns the path of a segment's file.
pub(super) fn path(folder: &Path, segment: u64) -> PathBuf {
    folder.join(format!("{segment:020}.log"))
}

/// Returns the numbers of the segments in a folder, in ascending order.
pub(super) fn list(folder: &Path) -> io::Result<Vec<u64>> {
    let mut segments = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(".log"));
        segments.extend(number.and_then(|number| number.parse::<u64>().ok()));
    }
    segments.sort_unstable();
    Ok(segments)
}

/// Creates a segment's file, and syncs the folder, so that the file's name survives a crash too.
pub(super) fn create(folder: &Path, segment: u64) -> io::Result<File> {
    let file = File::options().create_new(true).append(true).read(true).open(path(folder, segment))?;
    File::open(folder)?.sync_all()?;
    Ok(file)
}

/// Opens the last segment to append to, and cuts off the bytes after its last whole record, which a crash left.
///
/// The bytes are kept in a `.cut` file beside it, in case the disk damaged them.
pub(super) fn recover(folder: &Path, segment: u64) -> io::Result<(File, u64)> {
    let path = path(folder, segment);
    let bytes = fs::read(&path)?;
    let whole = whole_records(&bytes);
    let file = File::options().append(true).read(true).open(&path)?;
    if whole < bytes.len() {
        let torn = bytes.len() - whole;
        let segment = path.display();
        tracing::warn!(bytes = torn, file = %segment, "cut off an unfinished record; its bytes are in a .cut file");
        fs::write(path.with_extension("cut"), &bytes[whole..])?;
        file.set_len(whole as u64)?;
        file.sync_all()?;
    }
    Ok((file, whole as u64))
}

/// Returns the size in bytes of the whole records at the start.
fn whole_records(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Parsed::Record(_, size) = parse(&bytes[at..]) {
        at += size;
    }
    at
}

/// Removes the segments that are wholly before a position.
pub(super) fn remove_before(folder: &Path, before: Position) -> io::Result<()> {
    for segment in list(folder)?.into_iter().filter(|segment| *segment < before.segment) {
        fs::remove_file(path(folder, segment))?;
    }
    Ok(())
}
