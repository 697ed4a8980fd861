//! The queue's health.

use std::sync::Arc;
use std::time::Instant;

use super::amqp::BrokerCondition;
use super::condition::{Condition, Failure};
use super::log::{Backlog, Log, Position};

/// A view of the queue's health. It does not keep the queue open.
#[derive(Clone, Debug)]
pub(crate) struct QueueHealth {
    condition: Arc<Condition>,
    /// The bytes on the disk of this machine: the queue, or its spool. A worker of RabbitMQ has none.
    backlog: Option<Arc<Backlog>>,
    broker: Option<Arc<BrokerCondition>>,
}

impl QueueHealth {
    /// Returns the health of a queue on the disk of this machine.
    pub(super) fn of_log(log: &Log) -> Self {
        Self { condition: Arc::clone(log.condition()), backlog: Some(Arc::clone(log.backlog())), broker: None }
    }

    /// Returns the health of a queue in RabbitMQ, of a process that may have a spool.
    pub(super) fn of_broker(broker: &Arc<BrokerCondition>, spool: Option<&Log>) -> Self {
        Self {
            condition: spool.map_or_else(Arc::default, |spool| Arc::clone(spool.condition())),
            backlog: spool.map(|spool| Arc::clone(spool.backlog())),
            broker: Some(Arc::clone(broker)),
        }
    }

    /// Returns the last write, if it failed.
    pub(crate) fn failure(&self) -> Option<Failure> {
        self.condition.failure()
    }

    /// Returns why RabbitMQ cannot be used at the moment.
    pub(crate) fn broker_outage(&self) -> Option<Failure> {
        self.broker.as_ref().and_then(|broker| broker.outage())
    }

    /// Returns the number of damaged parts since the start.
    pub(crate) fn damages(&self) -> u64 {
        self.condition.damages()
    }

    /// Returns the number of records that are kept in files, since they are larger than RabbitMQ takes.
    pub(crate) fn set_aside(&self) -> u64 {
        self.condition.set_aside()
    }

    /// Returns a position up to which data is stored and the position of the queue's end. Both only grow.
    ///
    /// RabbitMQ has no positions: there, they are counts, as far as this process knows them.
    pub(crate) fn ends(&self) -> (Position, Position) {
        match (&self.broker, &self.backlog) {
            (Some(broker), _) => broker.ends(self.backlog()),
            (None, Some(backlog)) => backlog.ends(),
            (None, None) => Default::default(),
        }
    }

    /// Returns whether not one more byte fits into the queue.
    pub(crate) fn is_full(&self) -> bool {
        self.backlog.as_ref().is_some_and(|backlog| backlog.is_full())
    }

    /// Returns the time of the last refusal because the queue had no room, if no data of an app was appended since.
    pub(crate) fn refusal(&self) -> Option<Instant> {
        self.condition.refusal()
    }

    /// Returns the time of the last refusal because an app had its whole part of the queue.
    pub(crate) fn refusal_of_app(&self) -> Option<Instant> {
        self.condition.refusal_of_app()
    }

    /// Returns the number of bytes that wait on the disk of this machine.
    pub(crate) fn backlog(&self) -> u64 {
        self.backlog.as_ref().map_or(0, |backlog| backlog.bytes())
    }

    /// Returns the number of records that wait in RabbitMQ, as far as this process knows.
    pub(crate) fn waiting(&self) -> Option<u64> {
        self.broker.as_ref().map(|broker| broker.waiting())
    }
}
