//! The files that the queue consists of.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::Position;
use super::record::{Parsed, parse};

/// Returns a segment's file.
pub(super) fn path(folder: &Path, segment: u64) -> PathBuf {
    folder.join(format!("{segment:020}.log"))
}

/// Returns the numbers of the segments that are there, in order.
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

/// Makes a segment's file, and sees to it that its name survives a crash as well.
pub(super) fn create(folder: &Path, segment: u64) -> io::Result<File> {
    let file = File::options().create_new(true).append(true).read(true).open(path(folder, segment))?;
    File::open(folder)?.sync_all()?;
    Ok(file)
}

/// Opens the last segment to append to, and cuts off what a crash has left behind the last whole record.
///
/// What is cut off is kept beside it, in case it is damage of the disk and no crash.
pub(super) fn recover(folder: &Path, segment: u64) -> io::Result<(File, u64)> {
    let path = path(folder, segment);
    let bytes = fs::read(&path)?;
    let whole = whole_records(&bytes);
    let file = File::options().append(true).read(true).open(&path)?;
    if whole < bytes.len() {
        tracing::warn!(bytes = bytes.len() - whole, file = %path.display(), "cut off an unfinished record");
        fs::write(path.with_extension("cut"), &bytes[whole..])?;
        file.set_len(whole as u64)?;
        file.sync_all()?;
    }
    Ok((file, whole as u64))
}

/// Returns how many bytes the whole records at the start take.
fn whole_records(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Parsed::Record(_, size) = parse(&bytes[at..]) {
        at += size;
    }
    at
}

/// Removes the segments that lie wholly before a position.
pub(super) fn remove_before(folder: &Path, before: Position) -> io::Result<()> {
    for segment in list(folder)?.into_iter().filter(|segment| *segment < before.segment) {
        fs::remove_file(path(folder, segment))?;
    }
    Ok(())
}

/// How much lies between the worker and the queue's end.
#[derive(Debug)]
pub(super) struct Backlog {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Bytes of each closed segment that is not wholly read, and of the open one.
    sizes: Vec<(u64, u64)>,
    start: Position,
}

impl Backlog {
    pub(super) fn measure(folder: &Path, start: Position) -> io::Result<Self> {
        let size = |segment| Ok((segment, fs::metadata(path(folder, segment))?.len()));
        let sizes = list(folder)?.into_iter().map(size).collect::<io::Result<_>>()?;
        Ok(Self { state: Mutex::new(State { sizes, start }) })
    }

    pub(super) fn set_end(&self, end: Position) {
        let mut state = self.lock();
        match state.sizes.last_mut() {
            Some((segment, size)) if *segment == end.segment => *size = end.offset,
            _ => state.sizes.push((end.segment, end.offset)),
        }
    }

    pub(super) fn set_start(&self, start: Position) {
        let mut state = self.lock();
        state.start = start;
        state.sizes.retain(|(segment, _)| *segment >= start.segment);
    }

    pub(super) fn bytes(&self) -> u64 {
        let state = self.lock();
        let start = state.start;
        let left = |(segment, size): &(u64, u64)| match segment.cmp(&start.segment) {
            std::cmp::Ordering::Less => 0,
            std::cmp::Ordering::Equal => size.saturating_sub(start.offset),
            std::cmp::Ordering::Greater => *size,
        };
        state.sizes.iter().map(left).sum()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
