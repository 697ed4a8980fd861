//! The end of the queue that the worker reads.

use std::io;

use super::amqp::Consumer;
use super::batch::{Batch, Mark, Receipt, Record};
use super::error::SourceError;
use super::health::QueueHealth;
use super::id::QueueId;
use super::log::{Log, Position, Reader, RecordBatch};

/// Reads the records of the queue.
#[derive(Debug)]
pub(crate) struct Source {
    engine: Engine,
    /// Whether the worker stops.
    is_finishing: bool,
}

#[derive(Debug)]
enum Engine {
    Log { id: QueueId, log: Log, reader: Reader, is_placed: bool },
    Amqp(Box<Consumer>),
}

impl Source {
    pub(super) const fn log(id: QueueId, log: Log, reader: Reader, is_placed: bool) -> Self {
        Self { engine: Engine::Log { id, log, reader, is_placed }, is_finishing: false }
    }

    /// Returns the queue whose position is missing at which the source starts, which only the store knows.
    pub(crate) const fn without_position(&self) -> Option<QueueId> {
        match self.engine {
            Engine::Log { id, is_placed: false, .. } => Some(id),
            Engine::Log { .. } | Engine::Amqp(_) => None,
        }
    }

    /// Sets the position at which the source starts.
    ///
    /// # Errors
    ///
    /// Returns an error if the folder cannot be read.
    pub(crate) fn begin(&mut self, position: Position) -> io::Result<()> {
        if let Engine::Log { log, reader, is_placed, .. } = &mut self.engine {
            log.backlog().set_start(reader.begin(position)?);
            *is_placed = true;
        }
        Ok(())
    }

    pub(super) fn amqp(consumer: Consumer) -> Self {
        Self { engine: Engine::Amqp(Box::new(consumer)), is_finishing: false }
    }

    /// Waits for the next records. Returns `None` after the end: when the queue is closed, or after [`finish`].
    ///
    /// A record of the log is returned once. A record of RabbitMQ is returned again if it was not acknowledged before
    /// the connection ended. If the future is dropped, no record is skipped.
    ///
    /// # Errors
    ///
    /// Returns an error if the disk or RabbitMQ fails; another attempt may succeed.
    ///
    /// [`finish`]: Self::finish
    pub(crate) async fn next(&mut self) -> Result<Option<Batch>, SourceError> {
        match &mut self.engine {
            Engine::Log { id, log, reader, .. } => {
                let end = log.backlog().ends().1;
                if self.is_finishing && reader.is_at(end) {
                    return Ok(None);
                }
                if !self.is_finishing {
                    reader.gather().await;
                }
                Ok(reader.next().await?.map(|read| batch(*id, read)))
            }
            Engine::Amqp(_) if self.is_finishing => Ok(None),
            Engine::Amqp(consumer) => consumer.next().await.map(Some),
        }
    }

    /// Releases a batch, after the store has committed it.
    ///
    /// # Errors
    ///
    /// Returns an error if the space cannot be released, or if RabbitMQ will deliver the records again. Neither loses
    /// anything: the store knows that it has the batch.
    pub(crate) async fn acknowledge(&mut self, batch: &Batch) -> Result<(), SourceError> {
        match (&mut self.engine, batch.mark) {
            (Engine::Log { log, .. }, Mark::Position(_, next)) => Ok(log.release(next)?),
            (Engine::Amqp(consumer), Mark::Records) => consumer.acknowledge(&batch.receipt).await,
            (Engine::Log { .. }, Mark::Records) | (Engine::Amqp(_), Mark::Position(..)) => Ok(()),
        }
    }

    /// Announces that the worker stops. The records that the log contains by now are still returned. Those of RabbitMQ
    /// stay there, for other workers.
    pub(crate) fn finish(&mut self) {
        self.is_finishing = true;
    }

    /// Ends the connection, if there is one. Records that were not acknowledged return to the queue.
    pub(crate) async fn close(self) {
        if let Engine::Amqp(consumer) = self.engine {
            consumer.close().await;
        }
    }

    /// Counts a part of the queue that the worker found damaged.
    pub(crate) fn count_damage(&self) {
        match &self.engine {
            Engine::Log { log, .. } => log.condition().count_damage(),
            Engine::Amqp(_) => {}
        }
    }

    /// Returns a view of the queue's health, for a process that only stores.
    pub(crate) fn health(&self) -> QueueHealth {
        match &self.engine {
            Engine::Log { log, .. } => QueueHealth::of_log(log),
            Engine::Amqp(consumer) => QueueHealth::of_broker(consumer.condition(), None),
        }
    }
}

fn batch(id: QueueId, read: RecordBatch) -> Batch {
    Batch {
        records: read.records.into_iter().map(|bytes| Record { id: None, bytes }).collect(),
        dead: Vec::new(),
        mark: Mark::Position(id, read.next),
        damage: read.damage,
        receipt: Receipt::default(),
    }
}
