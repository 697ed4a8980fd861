//! The end of the queue that intake appends to.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::Instant;

use tokio::sync::{oneshot, watch};

use super::backlog::{Backlog, NoRoom};
use super::condition::{Condition, Failure};
use super::reader::Reader;
use super::record;
use super::segment::{self, Position};
use super::writer::{Append, AppendError, Writer};

/// The largest number of appends that wait for the writer. Further ones are rejected, and agents send them again later.
const MAX_WAITING: usize = 4_096;

/// Limits on the queue's size.
#[derive(Clone, Copy, Debug)]
pub struct QueueLimits {
    /// The size in bytes at which a segment is closed and the next one is created.
    pub segment: u64,
    /// The largest number of bytes that wait for the worker. One app may have a quarter of them.
    pub backlog: u64,
}

impl Default for QueueLimits {
    fn default() -> Self {
        Self { segment: 16 << 20, backlog: 2 << 30 }
    }
}

/// A handle that appends to the queue; clones append to the same queue.
#[derive(Clone, Debug)]
pub(crate) struct Queue {
    folder: PathBuf,
    writer: SyncSender<Append>,
    backlog: Arc<Backlog>,
    condition: Arc<Condition>,
}

impl Queue {
    /// Opens the queue in a folder, and returns a reader that starts at a position.
    ///
    /// A record that a crash cut off is removed.
    ///
    /// # Errors
    ///
    /// Returns an error if the folder cannot be read and written.
    pub(crate) fn open(folder: &Path, limits: QueueLimits, from: Position) -> io::Result<(Self, Reader)> {
        std::fs::create_dir_all(folder)?;
        let (writer, end) = Writer::open(folder, limits.segment, from)?;
        // The first segments may have been removed with the whole folder.
        let first = segment::list(folder)?.first().copied().unwrap_or(end.segment);
        let from = from.max(Position::start_of(first));
        let backlog = Arc::new(Backlog::measure(folder, from, limits.backlog)?);
        let (sender, appends) = sync_channel(MAX_WAITING);
        let (ends, queue_end) = watch::channel(end);
        let counted = Arc::clone(&backlog);
        thread::Builder::new().name("queue-writer".to_owned()).spawn(move || writer.run(&appends, &ends, &counted))?;
        let reader = Reader::new(folder, from, queue_end);
        Ok((Self { folder: folder.to_owned(), writer: sender, backlog, condition: Arc::default() }, reader))
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
        match &written {
            Ok(()) => self.condition.succeed(!app_id.is_empty()),
            Err(error @ (AppendError::Disk(_) | AppendError::Closed)) => self.condition.fail(error),
            Err(AppendError::Full(_)) => self.condition.refuse(),
            Err(AppendError::AppFull(_)) => self.condition.refuse_app(),
            Err(AppendError::Busy | AppendError::TooLarge(_)) => {}
        }
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
        segment::remove_before(&self.folder, before)
    }

    /// Returns the last write, if it failed.
    pub(crate) fn failure(&self) -> Option<Failure> {
        self.condition.failure()
    }

    /// Counts a part of the queue that the worker found damaged.
    pub(crate) fn count_damage(&self) {
        self.condition.count_damage();
    }

    /// Returns the number of damaged parts since the start.
    pub(crate) fn damages(&self) -> u64 {
        self.condition.damages()
    }

    /// Returns the worker's position and the queue's end.
    pub(crate) fn ends(&self) -> (Position, Position) {
        self.backlog.ends()
    }

    /// Returns whether not one more byte fits into the queue.
    #[must_use]
    pub(crate) fn is_full(&self) -> bool {
        self.backlog.is_full()
    }

    /// Returns the time of the last refusal because the queue had no room, if no data of an app was appended since.
    pub(crate) fn refusal(&self) -> Option<Instant> {
        self.condition.refusal()
    }

    /// Returns the time of the last refusal because an app had its whole part of the queue.
    pub(crate) fn refusal_of_app(&self) -> Option<Instant> {
        self.condition.refusal_of_app()
    }

    /// Returns the number of bytes that wait for the worker.
    #[must_use]
    pub(crate) fn backlog(&self) -> u64 {
        self.backlog.bytes()
    }
}
