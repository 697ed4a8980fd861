//! Segments: the files that the queue consists of.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::blocks::{Readable, read_around};
use super::disk::{Disk, SegmentFile, private};
use super::record::{Format, Parsed, is_unfinished, next_record, parse};

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

/// Returns whether a folder has segments.
///
/// # Errors
///
/// Returns an error if the folder cannot be read.
pub(crate) fn has_segments(folder: &Path) -> io::Result<bool> {
    Ok(!list(folder)?.is_empty())
}

/// Creates a segment's file, and syncs the folder, so that the file's name survives a crash too.
///
/// An empty file of this segment, which a failed attempt left, is used.
pub(super) fn create(disk: &dyn Disk, folder: &Path, segment: u64) -> io::Result<Box<dyn SegmentFile>> {
    let path = new_file(folder, segment);
    let file = match disk.create(&path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists && fs::metadata(&path)?.len() == 0 => {
            disk.open(&path)?
        }
        created => created?,
    };
    disk.sync_folder(folder).inspect_err(|_| {
        // If this fails too, the next attempt uses the empty file.
        let _ = disk.remove(&path);
    })?;
    Ok(file)
}

/// Opens the last segment to append to, and cuts off an unfinished record at its end, which a crash left.
///
/// `from` is the position in the segment up to which its records are stored. Nothing before it is read or cut off.
///
/// Returns `None` if another segment must be created: after a segment of an earlier version, and after damaged bytes at
/// the end, which are left for the reader. They may be a record that was acknowledged.
///
/// The bytes of an unfinished record are kept in a `.cut` file. If that cannot be written, such as on a full disk, the
/// queue is opened without it: the record was never acknowledged.
pub(super) fn recover(
    disk: &dyn Disk,
    folder: &Path,
    from: Position,
) -> io::Result<Option<(Box<dyn SegmentFile>, Position)>> {
    let (path, format) = file(folder, from.segment);
    if format == Format::Unmarked {
        return Ok(None);
    }
    let size = fs::metadata(&path)?.len();
    if size < from.offset {
        tracing::error!(file = %path.display(), "a segment of the queue is shorter than what was stored of it");
        return Ok(None);
    }
    let mut file = File::open(&path)?;
    let Readable { bytes, unreadable } = read_around(&mut file, from.offset..size);
    let (whole, tail) = bytes.split_at(end_of_records(&bytes));
    if unreadable > 0 || !tail.is_empty() && !is_unfinished(tail) {
        tracing::error!(file = %path.display(), "the end of a segment is damaged; the queue goes on in a new one");
        return Ok(None);
    }
    let end = from.offset + whole.len() as u64;
    let mut file = disk.open(&path)?;
    if !tail.is_empty() {
        let (torn, shown) = (tail.len(), path.display());
        match keep(&path.with_extension("cut"), tail) {
            Ok(()) => {
                tracing::warn!(bytes = torn, file = %shown, "cut off an unfinished record; its bytes are in a .cut file")
            }
            Err(error) => {
                tracing::warn!(bytes = torn, file = %shown, %error, "cut off an unfinished record; its bytes cannot be kept");
            }
        }
        file.cut_off(end)?;
    }
    Ok(Some((file, Position { offset: end, ..from })))
}

fn keep(path: &Path, bytes: &[u8]) -> io::Result<()> {
    private().create(true).open(path)?.write_all(bytes)
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
pub(super) fn remove_before(disk: &dyn Disk, folder: &Path, before: Position) -> io::Result<()> {
    for segment in list(folder)?.into_iter().filter(|segment| *segment < before.segment) {
        disk.remove(&file(folder, segment).0)?;
    }
    Ok(())
}
