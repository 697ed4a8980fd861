//! The queue: bodies on disk before they are answered 202.
//!
//! ```text
//! intake ─► Queue::append ─► writer thread ─► segment files ─► Reader ─► worker
//!           waits            one fdatasync                     from the store's cursor
//!                            for all who wait
//! ```
//!
//! Records lie in segment files, each behind its length and its checksum. A record is acknowledged once it is synced;
//! what a crash cuts off was never acknowledged, and is removed when the queue is opened again. Where the reader stands
//! is kept by the store, in the same transaction as what it has read: so every record is stored exactly once.

mod message;
mod position;
mod reader;
mod record;
mod segment;
#[cfg(test)]
mod tests;
mod writer;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread;

use tokio::sync::{oneshot, watch};

pub use message::{Endpoint, Envelope, Message};
pub use position::Position;
pub use reader::{Read, Reader};
use segment::Backlog;
use writer::{Append, Writer};

/// Appends that wait for the writer at the most; more are refused, and their senders come back.
const MAX_WAITING: usize = 4_096;

/// How large the queue may grow.
#[derive(Clone, Copy, Debug)]
pub struct QueueLimits {
    /// A segment that has grown to this many bytes is closed, and the next one begun.
    pub segment: u64,
    /// Bytes that wait for the worker at the most.
    pub backlog: u64,
}

impl Default for QueueLimits {
    fn default() -> Self {
        Self { segment: 16 << 20, backlog: 2 << 30 }
    }
}

/// The queue's end that intake appends to. Clones append to the same queue.
#[derive(Clone, Debug)]
pub struct Queue {
    folder: PathBuf,
    writer: SyncSender<Append>,
    backlog: Arc<Backlog>,
    limits: QueueLimits,
}

impl Queue {
    /// Opens the queue in a folder, removes what a crash has cut off, and reads on from a position.
    ///
    /// # Errors
    ///
    /// Returns an error if the folder cannot be read and written.
    pub fn open(folder: &Path, limits: QueueLimits, from: Position) -> io::Result<(Self, Reader)> {
        std::fs::create_dir_all(folder)?;
        let (writer, end) = Writer::open(folder, limits.segment, from)?;
        // Without its folder the queue begins anew, and a cursor points beside it.
        let first = segment::list(folder)?.first().copied().unwrap_or(end.segment);
        let from = from.max(Position::start_of(first)).min(end);
        let backlog = Arc::new(Backlog::measure(folder, from)?);
        let (sender, appends) = sync_channel(MAX_WAITING);
        let (ends, tail) = watch::channel(end);
        let counting = Arc::clone(&backlog);
        thread::Builder::new().name("queue-writer".to_owned()).spawn(move || writer.run(&appends, &ends, &counting))?;
        let reader = Reader::new(folder, from, tail);
        Ok((Self { folder: folder.to_owned(), writer: sender, backlog, limits }, reader))
    }

    /// Appends a message. When this returns, the message survives a crash.
    ///
    /// # Errors
    ///
    /// Returns an error if the queue is full or the disk refuses; then the message is not in the queue.
    pub async fn append(&self, message: &Message) -> Result<(), AppendError> {
        let record = record::frame(&message.encode());
        if self.backlog.bytes() + record.len() as u64 > self.limits.backlog {
            return Err(AppendError::Full(self.limits.backlog));
        }
        let (done, answer) = oneshot::channel();
        self.writer.try_send(Append { record, done }).map_err(|error| match error {
            TrySendError::Full(_) => AppendError::Busy,
            TrySendError::Disconnected(_) => AppendError::Closed,
        })?;
        answer.await.unwrap_or(Err(AppendError::Closed))
    }

    /// Removes the segments that lie wholly before a position.
    ///
    /// # Errors
    ///
    /// Returns an error if the folder cannot be read.
    pub fn release(&self, before: Position) -> io::Result<()> {
        segment::remove_before(&self.folder, before)?;
        self.backlog.set_start(before);
        Ok(())
    }

    /// Returns whether messages are refused because too much waits for the worker.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.backlog.bytes() >= self.limits.backlog
    }

    /// Returns how many bytes wait for the worker.
    #[must_use]
    pub fn backlog(&self) -> u64 {
        self.backlog.bytes()
    }
}

/// A message that was not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppendError {
    /// Too much waits for the worker.
    #[error("the queue holds {} MiB, as much as it may", .0 >> 20)]
    Full(u64),
    /// Too many wait for the disk.
    #[error("the disk does not keep up")]
    Busy,
    /// The disk refused.
    #[error("the queue cannot be written: {0}")]
    Disk(Arc<io::Error>),
    /// The server stops.
    #[error("the server stops")]
    Closed,
}
