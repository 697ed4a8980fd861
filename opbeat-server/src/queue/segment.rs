//! Segments: the files that the queue consists of.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::record::{Format, Parsed, next_record, parse};

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

/// Returns the path of a segment's file, and the format of its records.
pub(super) fn file(folder: &Path, segment: u64) -> (PathBuf, Format) {
    let earlier = folder.join(format!("{segment:020}.log"));
    if earlier.exists() { (earlier, Format::Unmarked) } else { (new_file(folder, segment), Format::Marked) }
}

fn new_file(folder: &Path, segment: u64) -> PathBuf {
    folder.join(format!("{segment:020}.records"))
}

/// Returns the numbers of the segments in a folder, in ascending order.
pub(super) fn list(folder: &Path) -> io::Result<Vec<u64>> {
    let mut segments = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(".records").or(name.strip_suffix(".log")));
        segments.extend(number.and_then(|number| number.parse::<u64>().ok()));
    }
    segments.sort_unstable();
    Ok(segments)
}

/// Creates a segment's file, and syncs the folder, so that the file's name survives a crash too.
pub(super) fn create(folder: &Path, segment: u64) -> io::Result<File> {
    let file = private().create_new(true).open(new_file(folder, segment))?;
    File::open(folder)?.sync_all()?;
    Ok(file)
}

/// Opens the last segment to append to, and cuts off the bytes after its last whole record, which a crash left.
///
/// Returns `None` for a segment of an earlier version: records of this version are not appended to it.
///
/// The bytes are kept in a `.cut` file beside it, in case the disk damaged them. If that file cannot be written, such as
/// on a full disk, the queue is opened without it: the bytes were never acknowledged.
pub(super) fn recover(folder: &Path, segment: u64) -> io::Result<Option<(File, u64)>> {
    let (path, format) = file(folder, segment);
    if format == Format::Unmarked {
        return Ok(None);
    }
    let bytes = fs::read(&path)?;
    let end = end_of_records(&bytes);
    let file = private().open(&path)?;
    if end < bytes.len() {
        let (torn, shown) = (bytes.len() - end, path.display());
        match keep(&path.with_extension("cut"), &bytes[end..]) {
            Ok(()) => {
                tracing::warn!(bytes = torn, file = %shown, "cut off an unfinished record; its bytes are in a .cut file")
            }
            Err(error) => {
                tracing::warn!(bytes = torn, file = %shown, %error, "cut off an unfinished record; its bytes cannot be kept");
            }
        }
        file.set_len(end as u64)?;
        file.sync_all()?;
    }
    Ok(Some((file, end as u64)))
}

fn keep(path: &Path, bytes: &[u8]) -> io::Result<()> {
    private().create(true).open(path)?.write_all(bytes)
}

/// Returns options to append to a file that only its owner may read.
fn private() -> OpenOptions {
    let mut options = File::options();
    options.append(true).read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Returns the end of the last whole record, in bytes. Damaged records before it stay, and the reader skips them.
fn end_of_records(bytes: &[u8]) -> usize {
    let (mut at, mut end) = (0, 0);
    while at < bytes.len() {
        match parse(Format::Marked, &bytes[at..]) {
            Parsed::Record(_, size) => {
                at += size;
                end = at;
            }
            Parsed::Torn(_) | Parsed::Damaged => match next_record(Format::Marked, &bytes[at..]) {
                Some(next) => at += next,
                None => break,
            },
        }
    }
    end
}

/// Removes the segments that are wholly before a position.
pub(super) fn remove_before(folder: &Path, before: Position) -> io::Result<()> {
    for segment in list(folder)?.into_iter().filter(|segment| *segment < before.segment) {
        fs::remove_file(file(folder, segment).0)?;
    }
    Ok(())
}
