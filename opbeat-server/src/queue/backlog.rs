//! The backlog: the bytes that wait for the worker.

use std::cmp::Ordering;
use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::segment::{self, Position};

/// The bytes between the worker's position and the queue's end.
#[derive(Debug)]
pub(super) struct Backlog {
    unread: Mutex<Unread>,
}

#[derive(Debug)]
struct Unread {
    /// The number and the size in bytes of each segment from the worker's position to the open one.
    segments: Vec<(u64, u64)>,
    /// The worker's position.
    start: Position,
}

impl Backlog {
    /// Measures the segments in a folder.
    pub(super) fn measure(folder: &Path, start: Position) -> io::Result<Self> {
        let size = |segment| Ok((segment, std::fs::metadata(segment::file(folder, segment).0)?.len()));
        let segments = segment::list(folder)?.into_iter().map(size).collect::<io::Result<_>>()?;
        Ok(Self { unread: Mutex::new(Unread { segments, start }) })
    }

    /// Sets the end of the queue: the position after the last written record.
    pub(super) fn set_end(&self, end: Position) {
        let mut unread = self.lock();
        match unread.segments.last_mut() {
            Some((segment, size)) if *segment == end.segment => *size = end.offset,
            _ => unread.segments.push((end.segment, end.offset)),
        }
    }

    /// Moves the worker's position.
    pub(super) fn set_start(&self, start: Position) {
        let mut unread = self.lock();
        unread.start = start;
        unread.segments.retain(|(segment, _)| *segment >= start.segment);
    }

    /// Returns the number of bytes.
    pub(super) fn bytes(&self) -> u64 {
        let unread = self.lock();
        let start = unread.start;
        let bytes_left = |(segment, size): &(u64, u64)| match segment.cmp(&start.segment) {
            Ordering::Less => 0,
            Ordering::Equal => size.saturating_sub(start.offset),
            Ordering::Greater => *size,
        };
        unread.segments.iter().map(bytes_left).sum()
    }

    /// Returns the worker's position and the queue's end.
    pub(super) fn ends(&self) -> (Position, Position) {
        let unread = self.lock();
        let end = unread.segments.last().map(|(segment, offset)| Position { segment: *segment, offset: *offset });
        (unread.start, end.unwrap_or(unread.start))
    }

    fn lock(&self) -> MutexGuard<'_, Unread> {
        self.unread.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
