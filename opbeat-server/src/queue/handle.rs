//! The end of the queue that intake appends to.

use std::io;
use std::path::Path;

use super::amqp::Publisher;
use super::error::AppendError;
use super::health::QueueHealth;
use super::id::QueueId;
use super::limits::QueueLimits;
use super::log::{Log, Position};
use super::source::Source;

/// A handle that appends to the queue; clones append to the same queue.
#[derive(Clone, Debug)]
pub(crate) struct Queue(Engine);

/// The form in which the queue runs.
#[derive(Clone, Debug)]
enum Engine {
    Log(Log),
    Amqp(Publisher),
}

impl Queue {
    /// Opens the queue with an id in a folder, and returns its other end, which starts at the position of the store. Without
    /// a position, because the store is away, [`Source::begin`] must be called before the first read.
    ///
    /// # Errors
    ///
    /// Returns an error if the folder cannot be read and written.
    pub(crate) fn open(
        folder: &Path,
        id: QueueId,
        limits: QueueLimits,
        from: Option<Position>,
    ) -> io::Result<(Self, Source)> {
        let (log, reader) = Log::open(folder, limits, from)?;
        Ok((Self(Engine::Log(log.clone())), Source::log(id, log, reader, from.is_some())))
    }

    /// Returns a queue that publishes to RabbitMQ.
    pub(super) const fn amqp(publisher: Publisher) -> Self {
        Self(Engine::Amqp(publisher))
    }

    /// Appends a record with data of an app. When this returns, the record survives a crash.
    ///
    /// Records of the server itself have an empty id of the app.
    ///
    /// # Errors
    ///
    /// Returns an error if the queue or the app's part of it is full, or the disk fails; then the record is not in the
    /// queue.
    pub(crate) async fn append(&self, app_id: &str, record: &[u8]) -> Result<(), AppendError> {
        match &self.0 {
            Engine::Log(log) => log.append(app_id, record).await,
            Engine::Amqp(publisher) => publisher.append(app_id, record).await,
        }
    }

    /// Returns a view of the queue's health.
    pub(crate) fn health(&self) -> QueueHealth {
        match &self.0 {
            Engine::Log(log) => QueueHealth::of_log(log),
            Engine::Amqp(publisher) => QueueHealth::of_broker(publisher.condition(), Some(publisher.spool().log())),
        }
    }
}
