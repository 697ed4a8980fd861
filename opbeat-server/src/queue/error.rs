//! The errors of the queue's two ends.

use std::io;
use std::sync::Arc;

/// A message that was not appended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum AppendError {
    /// Too many bytes wait for the worker.
    #[error("the queue is full: its limit is {} MiB", .0 >> 20)]
    Full(u64),
    /// Too many bytes of the app wait for the worker.
    #[error("too much data of this app waits to be stored: the limit of an app is {} MiB", .0 >> 20)]
    AppFull(u64),
    /// The record is larger than a record can be, in bytes.
    #[error("its data is larger than {}; send smaller bodies", size(*.0))]
    TooLarge(usize),
    /// Too many appends wait for the disk.
    #[error("the disk is too slow: too many bodies wait to be written")]
    Busy,
    /// The disk failed.
    #[error("the queue cannot be written: {0}")]
    Disk(Arc<io::Error>),
    /// The server is shutting down.
    #[error("the server is shutting down")]
    Closed,
}

fn size(bytes: usize) -> String {
    if bytes >= 1 << 20 { format!("{} MiB", bytes >> 20) } else { format!("{bytes} bytes") }
}

/// A failure to read the queue, or to acknowledge what was read. Another attempt may succeed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    /// The disk failed.
    #[error("the queue on the disk failed")]
    Disk(#[from] io::Error),
    /// RabbitMQ failed.
    #[error("RabbitMQ failed")]
    Broker(#[from] lapin::Error),
    /// The queue was removed from RabbitMQ.
    #[error("the queue was removed from RabbitMQ; it is declared again")]
    Cancelled,
    /// RabbitMQ has not answered in time.
    #[error("RabbitMQ does not answer")]
    Timeout,
}
