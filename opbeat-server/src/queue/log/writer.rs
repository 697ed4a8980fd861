//! The thread that appends to the open segment, and syncs once for all waiting appends.

use std::cmp::Ordering;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::{oneshot, watch};

use super::super::error::AppendError;
use super::backlog::Backlog;
use super::disk::{Disk, SegmentFile};
use super::segment::{self, Position};

/// The number of bytes after which a group of records is synced.
const MAX_GROUP: usize = 8 << 20;

/// The time between two log lines about writes that fail.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// A record that waits to be written.
pub(super) struct Append {
    /// The app whose part of the backlog the record takes.
    pub(super) app_id: Arc<str>,
    pub(super) record: Vec<u8>,
    /// Receives the result.
    pub(super) done: oneshot::Sender<Result<(), AppendError>>,
}

/// Writes the open segment.
pub(super) struct Writer {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    segment_limit: u64,
    file: Box<dyn SegmentFile>,
    end: Position,
    /// Whether a failed write may have left bytes after the end. They are cut off before the next write.
    is_torn: bool,
}

impl Writer {
    /// Opens the last segment, or creates one. Returns the writer and the queue's end, which is not before `from`, the
    /// store's cursor: records before the cursor would count as stored.
    ///
    /// Without the cursor, a segment is created whose number is the time in seconds, so that it is after every cursor:
    /// the folder may have been removed, or replaced by an earlier one.
    pub(super) fn open(
        disk: Arc<dyn Disk>,
        folder: &Path,
        segment_limit: u64,
        from: Option<Position>,
    ) -> io::Result<(Self, Position)> {
        let last = segment::list(folder)?.last().copied();
        let Some(from) = from else {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
            let next = last.map_or(now, |last| now.max(last + 1));
            let (file, end) = (segment::create(&*disk, folder, next)?, Position::start_of(next));
            return Ok((Self { disk, folder: folder.to_owned(), segment_limit, file, end, is_torn: false }, end));
        };
        let recovered = match last.map(|last| (last, last.cmp(&from.segment))) {
            Some((last, Ordering::Greater)) => segment::recover(&*disk, folder, Position::start_of(last))?,
            Some((_, Ordering::Equal)) => segment::recover(&*disk, folder, from)?,
            // The folder was removed, or replaced by an earlier one.
            Some((_, Ordering::Less)) | None => None,
        };
        let (file, end) = match recovered {
            Some(recovered) => recovered,
            None => {
                let next = last.map_or(from.segment, |last| last.max(from.segment)) + 1;
                (segment::create(&*disk, folder, next)?, Position::start_of(next))
            }
        };
        let writer = Self { disk, folder: folder.to_owned(), segment_limit, file, end, is_torn: false };
        Ok((writer, end))
    }

    /// Appends until all handles of the queue are dropped.
    pub(super) fn run(mut self, appends: &Receiver<Append>, ends: &watch::Sender<Position>, backlog: &Backlog) {
        let mut logged: Option<Instant> = None;
        while let Ok(first) = appends.recv() {
            let group = collect(first, appends);
            let written = self.append(&group).map_err(Arc::new);
            let sizes = group.iter().map(|append| (&append.app_id, append.record.len() as u64));
            if let Err(error) = &written {
                if logged.is_none_or(|at| at.elapsed() >= LOG_INTERVAL) {
                    logged = Some(Instant::now());
                    tracing::error!(%error, "the queue cannot be written; intake answers with 503 until it can");
                }
                sizes.for_each(|(app_id, bytes)| backlog.cancel(app_id, bytes));
            } else {
                backlog.set_end(self.end, sizes);
                ends.send_replace(self.end);
            }
            for append in group {
                // The request may have been cancelled in the meantime.
                let _ = append.done.send(written.clone().map_err(AppendError::Disk));
            }
        }
    }

    fn append(&mut self, group: &[Append]) -> io::Result<()> {
        self.repair()?;
        if self.end.offset >= self.segment_limit {
            self.roll()?;
        }
        self.is_torn = true;
        let mut size = 0;
        for append in group {
            self.file.append(&append.record)?;
            size += append.record.len() as u64;
        }
        self.file.sync_data()?;
        self.is_torn = false;
        self.end.offset += size;
        Ok(())
    }

    /// Cuts off the bytes that a failed write left.
    fn repair(&mut self) -> io::Result<()> {
        if self.is_torn {
            self.file.cut_off(self.end.offset)?;
            self.is_torn = false;
        }
        Ok(())
    }

    /// Creates the next segment.
    fn roll(&mut self) -> io::Result<()> {
        let next = self.end.segment + 1;
        self.file = segment::create(&*self.disk, &self.folder, next)?;
        self.end = Position::start_of(next);
        Ok(())
    }
}

/// Takes the appends that wait at this moment, up to the size of a group.
fn collect(first: Append, appends: &Receiver<Append>) -> Vec<Append> {
    let mut size = first.record.len();
    let mut group = vec![first];
    while size < MAX_GROUP {
        let Ok(next) = appends.try_recv() else { break };
        size += next.record.len();
        group.push(next);
    }
    group
}
