//! The backlog: the bytes that wait for the worker.

use std::cmp::Ordering;
use std::collections::{HashMap, VecDeque};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::segment::{self, Position};

/// The number of stretches of a full backlog. Bytes of an app are no longer counted when the worker is past their
/// stretch, so that more stretches count more exactly, and take more memory.
const STRETCHES: u64 = 1_024;

/// An app may have this part of the backlog: a quarter.
const APP_PART: u64 = 4;

/// The bytes between the worker's position and the queue's end.
#[derive(Debug)]
pub(crate) struct Backlog {
    /// The largest number of bytes.
    limit: u64,
    unread: Mutex<Unread>,
}

/// The reason why a record does not fit into the backlog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoRoom {
    /// Too many bytes of all apps wait.
    InQueue,
    /// Too many bytes of this app wait.
    ForApp,
}

#[derive(Debug)]
struct Unread {
    /// The number and the size in bytes of each segment from the worker's position to the open one.
    segments: Vec<(u64, u64)>,
    /// The worker's position.
    start: Position,
    /// The bytes that are on their way to the writer.
    unwritten: u64,
    /// The bytes of each app that are unread or on their way. Bytes of an earlier run count for no app.
    by_app: HashMap<Arc<str>, u64>,
    /// The unread bytes of each app, in the queue's order.
    stretches: VecDeque<Stretch>,
}

/// A part of the queue that several records share.
#[derive(Debug)]
struct Stretch {
    end: Position,
    bytes: u64,
    by_app: HashMap<Arc<str>, u64>,
}

impl Backlog {
    /// Measures the segments in a folder.
    pub(super) fn measure(folder: &Path, start: Position, limit: u64) -> io::Result<Self> {
        let size = |segment| Ok((segment, std::fs::metadata(segment::file(folder, segment).0)?.len()));
        let segments = segment::list(folder)?.into_iter().map(size).collect::<io::Result<_>>()?;
        let (by_app, stretches) = Default::default();
        Ok(Self { limit, unread: Mutex::new(Unread { segments, start, unwritten: 0, by_app, stretches }) })
    }

    /// Returns the largest number of bytes.
    pub(super) const fn limit(&self) -> u64 {
        self.limit
    }

    /// Returns the largest number of bytes of one app.
    pub(super) const fn limit_of_app(&self) -> u64 {
        self.limit / APP_PART
    }

    /// Counts bytes of an app, if there is room for them. Then they are either written or cancelled.
    pub(super) fn reserve(&self, app_id: &Arc<str>, bytes: u64) -> Result<(), NoRoom> {
        let mut unread = self.lock();
        let of_app = unread.by_app.get(app_id).copied().unwrap_or(0);
        if of_app.saturating_add(bytes) > self.limit_of_app() {
            return Err(NoRoom::ForApp);
        }
        if unread.bytes().saturating_add(unread.unwritten).saturating_add(bytes) > self.limit {
            return Err(NoRoom::InQueue);
        }
        unread.unwritten += bytes;
        unread.by_app.insert(Arc::clone(app_id), of_app + bytes);
        Ok(())
    }

    /// Uncounts reserved bytes that were not written.
    pub(super) fn cancel(&self, app_id: &Arc<str>, bytes: u64) {
        let mut unread = self.lock();
        unread.unwritten = unread.unwritten.saturating_sub(bytes);
        subtract(&mut unread.by_app, app_id, bytes);
    }

    /// Sets the end of the queue: the position after the last written record. The records since the last end are of
    /// these apps, whose bytes were reserved.
    pub(super) fn set_end<'a>(&self, end: Position, written: impl Iterator<Item = (&'a Arc<str>, u64)>) {
        let mut unread = self.lock();
        match unread.segments.last_mut() {
            Some((segment, size)) if *segment == end.segment => *size = end.offset,
            _ => unread.segments.push((end.segment, end.offset)),
        }
        let is_full = |stretch: &Stretch| stretch.bytes >= self.limit / STRETCHES;
        if unread.stretches.back().is_none_or(is_full) {
            unread.stretches.push_back(Stretch { end, bytes: 0, by_app: HashMap::new() });
        }
        let Unread { stretches, unwritten, .. } = &mut *unread;
        let Some(stretch) = stretches.back_mut() else { return };
        stretch.end = end;
        for (app_id, bytes) in written {
            *unwritten = unwritten.saturating_sub(bytes);
            stretch.bytes += bytes;
            *stretch.by_app.entry(Arc::clone(app_id)).or_default() += bytes;
        }
    }

    /// Moves the worker's position.
    pub(in crate::queue) fn set_start(&self, start: Position) {
        let mut unread = self.lock();
        unread.start = start;
        unread.segments.retain(|(segment, _)| *segment >= start.segment);
        let Unread { stretches, by_app, .. } = &mut *unread;
        while let Some(stretch) = stretches.pop_front_if(|stretch| stretch.end <= start) {
            for (app_id, bytes) in stretch.by_app {
                subtract(by_app, &app_id, bytes);
            }
        }
    }

    /// Returns the number of bytes.
    pub(crate) fn bytes(&self) -> u64 {
        self.lock().bytes()
    }

    /// Returns whether not one more byte fits.
    pub(crate) fn is_full(&self) -> bool {
        self.bytes() >= self.limit
    }

    /// Returns the worker's position and the queue's end.
    pub(crate) fn ends(&self) -> (Position, Position) {
        let unread = self.lock();
        let end = unread.segments.last().map(|(segment, offset)| Position { segment: *segment, offset: *offset });
        (unread.start, end.unwrap_or(unread.start))
    }

    fn lock(&self) -> MutexGuard<'_, Unread> {
        self.unread.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Unread {
    fn bytes(&self) -> u64 {
        let bytes_left = |(segment, size): &(u64, u64)| match segment.cmp(&self.start.segment) {
            Ordering::Less => 0,
            Ordering::Equal => size.saturating_sub(self.start.offset),
            Ordering::Greater => *size,
        };
        self.segments.iter().map(bytes_left).sum()
    }
}

/// Subtracts from an app's bytes. Apps without bytes are not kept.
fn subtract(by_app: &mut HashMap<Arc<str>, u64>, app_id: &Arc<str>, bytes: u64) {
    if let Some(total) = by_app.get_mut(app_id) {
        *total = total.saturating_sub(bytes);
        if *total == 0 {
            by_app.remove(app_id);
        }
    }
}
