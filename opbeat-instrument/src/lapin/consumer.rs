//! A consumer whose deliveries are transactions.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use opbeat_core::Agent;
use opbeat_core::record::TransactionName;

use super::delivery::Delivery;

/// A consumer whose deliveries are transactions of the kind `task.lapin`: a stream, like [`lapin::Consumer`].
pub struct Consumer {
    agent: Agent,
    consumer: lapin::Consumer,
    name: TransactionName,
}

impl Consumer {
    /// Wraps a consumer. Its transactions are named after the queue.
    #[must_use]
    pub fn new(agent: &Agent, consumer: lapin::Consumer) -> Self {
        let name = consumer.queue().as_str().to_owned().into();
        Self { agent: agent.clone(), consumer, name }
    }

    /// Sets the name of the transactions, such as that of the function that handles the messages.
    #[must_use]
    pub fn named(mut self, name: impl Into<TransactionName>) -> Self {
        self.name = name.into();
        self
    }
}

impl Stream for Consumer {
    type Item = lapin::Result<Delivery>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = Pin::new(&mut self.consumer).poll_next(cx);
        polled.map_ok(|delivery| Delivery::begin(&self.agent, self.name.clone(), delivery))
    }
}

impl fmt::Debug for Consumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumer").field("name", &self.name).field("consumer", &self.consumer).finish_non_exhaustive()
    }
}
