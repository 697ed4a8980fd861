//! The end of the log that records are appended to.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread;

use tokio::sync::{oneshot, watch};

use super::super::condition::Condition;
use super::super::error::AppendError;
use super::super::limits::QueueLimits;
use super::backlog::{Backlog, NoRoom};
use super::disk::{Disk, SystemDisk};
use super::reader::Reader;
use super::record;
use super::segment::{self, Position};
use super::writer::{Append, Writer};

/// The largest number of appends that wait for the writer. Further ones are rejected, and agents send them again later.
const MAX_WAITING: usize = 4_096;

/// A handle that appends to the log; clones append to the same log.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    writer: SyncSender<Append>,
    backlog: Arc<Backlog>,
    condition: Arc<Condition>,
}

impl Log {
    /// Opens the log in a folder, and returns a reader that starts at a position, or that gets it later.
    ///
    /// A record that a crash cut off is removed.
    ///
    /// # Errors
    ///
    /// Returns an error if the folder cannot be read and written.
    pub(crate) fn open(folder: &Path, limits: QueueLimits, from: Option<Position>) -> io::Result<(Self, Reader)> {
        Self::open_on(Arc::new(SystemDisk), folder, limits, from)
    }

    /// Opens the log on another disk than the system's.
    pub(super) fn open_on(
        disk: Arc<dyn Disk>,
        folder: &Path,
        limits: QueueLimits,
        from: Option<Position>,
    ) -> io::Result<(Self, Reader)> {
        std::fs::create_dir_all(folder)?;
        let (writer, end) = Writer::open(Arc::clone(&disk), folder, limits.segment, from)?;
        // The first segments may have been removed with the whole folder.
        let first = segment::list(folder)?.first().copied().unwrap_or(end.segment);
        let from = from.unwrap_or_default().max(Position::start_of(first));
        let backlog = Arc::new(Backlog::measure(folder, from, limits.backlog)?);
        let (sender, appends) = sync_channel(MAX_WAITING);
        let (ends, queue_end) = watch::channel(end);
        let counted = Arc::clone(&backlog);
        thread::Builder::new().name("queue-writer".to_owned()).spawn(move || writer.run(&appends, &ends, &counted))?;
        let reader = Reader::new(folder, from, queue_end);
        let folder = folder.to_owned();
        Ok((Self { disk, folder, writer: sender, backlog, condition: Arc::default() }, reader))
    }

    /// Appends a record with data of an app. When this returns, the record survives a crash.
    ///
    /// Records of the server itself have an empty id.
    ///
    /// # Errors
    ///
    /// Returns an error if the queue or the app's part of it is full, or the disk fails; then the record is not in the
    /// queue.
    pub(crate) async fn append(&self, app_id: &str, record: &[u8]) -> Result<(), AppendError> {
        if record.len() > record::MAX_PAYLOAD {
            return Err(AppendError::TooLarge(record::MAX_PAYLOAD));
        }
        let written = self.write(app_id.into(), record::frame(record)).await;
        self.condition.record(&written, !app_id.is_empty());
        written
    }

    async fn write(&self, app_id: Arc<str>, record: Vec<u8>) -> Result<(), AppendError> {
        self.backlog.reserve(&app_id, record.len() as u64).map_err(|no_room| match no_room {
            NoRoom::InQueue => AppendError::Full(self.backlog.limit()),
            NoRoom::ForApp => AppendError::AppFull(self.backlog.limit_of_app()),
        })?;
        let (done, response) = oneshot::channel();
        self.writer.try_send(Append { app_id, record, done }).map_err(|error| {
            let (append, error) = match error {
                TrySendError::Full(append) => (append, AppendError::Busy),
                TrySendError::Disconnected(append) => (append, AppendError::Closed),
            };
            self.backlog.cancel(&append.app_id, append.record.len() as u64);
            error
        })?;
        response.await.unwrap_or(Err(AppendError::Closed))
    }

    /// Removes the segments that are wholly before a position.
    ///
    /// # Errors
    ///
    /// Returns an error if the folder cannot be read or a segment cannot be removed.
    pub(crate) fn release(&self, before: Position) -> io::Result<()> {
        // First, since the records before the position are stored, even if their segments cannot be removed.
        self.backlog.set_start(before);
        segment::remove_before(&*self.disk, &self.folder, before)
    }

    /// Returns the results of the last appends.
    pub(crate) fn condition(&self) -> &Arc<Condition> {
        &self.condition
    }

    /// Returns the bytes that wait to be read.
    pub(crate) fn backlog(&self) -> &Arc<Backlog> {
        &self.backlog
    }
}
