//! RabbitMQ, as both ends of the queue use it.

use std::io;
use std::path::Path;

use super::amqp::{AmqpAddress, Connections, Consumer, Publisher};
use super::handle::Queue;
use super::limits::QueueLimits;
use super::source::Source;

/// RabbitMQ, for both ends of the queue. Its connection closes with the last of them.
#[derive(Clone, Debug)]
pub(crate) struct Broker(Connections);

impl Broker {
    /// Starts to connect, and keeps a connection open.
    ///
    /// It never fails because RabbitMQ is away. Must be called within a runtime.
    pub(crate) fn start(address: AmqpAddress) -> Self {
        Self(Connections::start(address))
    }

    /// Returns the end that intake appends to, with a spool in a folder.
    ///
    /// # Errors
    ///
    /// Returns an error if the folder cannot be read and written.
    pub(crate) fn queue(&self, spool: &Path, limits: QueueLimits) -> io::Result<Queue> {
        Ok(Queue::amqp(Publisher::start(self.0.clone(), spool, limits)?))
    }

    /// Returns the end that a worker reads.
    pub(crate) fn source(&self) -> Source {
        Source::amqp(Consumer::new(self.0.clone()))
    }

    /// Returns the connections, for tests that publish by themselves.
    #[cfg(test)]
    pub(super) const fn connections(&self) -> &Connections {
        &self.0
    }
}
