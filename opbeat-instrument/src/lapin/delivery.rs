//! A consumed message, which is a transaction until it is dropped.

use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};

use lapin::message;
use lapin::options::{BasicAckOptions, BasicNackOptions, BasicRejectOptions};
use opbeat_core::record::{Outcome, TransactionName};
use opbeat_core::{Agent, Transaction};

use super::headers::{attempt, continue_trace, published_at};

/// A consumed message and its transaction. It derefs to [`lapin::message::Delivery`].
///
/// The transaction ends when the delivery is dropped. Its result is `ok` after [`ack`](Self::ack), `requeued` or `failed`
/// after [`nack`](Self::nack) and [`reject`](Self::reject), `panicked` while a panic unwinds, and `cancelled` without an
/// acknowledgement. It shows the exchange, whether the message was delivered before as `redelivered`, the time in the
/// queue if the message has a timestamp, and the number of the `attempt` if the queue counts it.
pub struct Delivery {
    delivery: message::Delivery,
    /// `None` after the end.
    transaction: Option<Transaction>,
    is_acknowledged: AtomicBool,
}

impl Delivery {
    /// Begins the transaction of a delivery, for consumers with a delegate and for `basic_get`. The deliveries of a
    /// [`Consumer`](super::Consumer) have begun already.
    #[must_use]
    pub fn begin(agent: &Agent, name: impl Into<TransactionName>, delivery: message::Delivery) -> Self {
        let mut job = agent.job(name).runner("lapin");
        if let Some(published) = published_at(&delivery.properties) {
            job = job.queued_at(published);
        }
        if let Some(attempt) = attempt(&delivery.properties) {
            job = job.attempt(attempt);
        }
        let transaction = job.begin();
        continue_trace(&transaction, &delivery.properties);
        if !delivery.exchange.as_str().is_empty() {
            transaction.set_extra("exchange", delivery.exchange.to_string());
        }
        if delivery.redelivered {
            transaction.set_extra("redelivered", true);
        }
        Self { delivery, transaction: Some(transaction), is_acknowledged: AtomicBool::new(false) }
    }

    /// Makes the transaction current whenever `future` is polled: for the work on the message.
    pub async fn wrap<F: Future>(&self, future: F) -> F::Output {
        match &self.transaction {
            Some(transaction) => transaction.wrap(future).await,
            None => future.await,
        }
    }

    /// Returns the transaction, to name or tag it.
    #[must_use]
    pub fn transaction(&self) -> opbeat_core::CurrentTransaction {
        self.transaction.as_ref().map(|transaction| (**transaction).clone()).unwrap_or_default()
    }

    /// Acknowledges the message, like [`lapin::Acker::ack`].
    ///
    /// # Errors
    ///
    /// Returns the errors of lapin, unchanged.
    pub async fn ack(&self, options: BasicAckOptions) -> lapin::Result<bool> {
        self.acknowledge("ok", Outcome::Ok);
        self.wrap(self.delivery.ack(options)).await
    }

    /// Rejects the message, like [`lapin::Acker::nack`]. The result is `requeued` if the broker delivers it again, and
    /// otherwise `failed`.
    ///
    /// # Errors
    ///
    /// Returns the errors of lapin, unchanged.
    pub async fn nack(&self, options: BasicNackOptions) -> lapin::Result<bool> {
        self.refuse(options.requeue);
        self.wrap(self.delivery.nack(options)).await
    }

    /// Rejects the message, like [`lapin::Acker::reject`]. The result is `requeued` if the broker delivers it again, and
    /// otherwise `failed`.
    ///
    /// # Errors
    ///
    /// Returns the errors of lapin, unchanged.
    pub async fn reject(&self, options: BasicRejectOptions) -> lapin::Result<bool> {
        self.refuse(options.requeue);
        self.wrap(self.delivery.reject(options)).await
    }

    /// Ends the transaction as a success without an acknowledgement, for consumers with the option `no_ack`.
    pub fn complete(mut self) {
        if let Some(transaction) = self.transaction.take() {
            transaction.complete();
        }
    }

    fn refuse(&self, requeues: bool) {
        if requeues {
            self.acknowledge("requeued", Outcome::Ok);
        } else {
            self.acknowledge("failed", Outcome::ServerError);
        }
    }

    fn acknowledge(&self, result: &'static str, outcome: Outcome) {
        // Only the first acknowledgement has an effect, in lapin as well.
        if !self.is_acknowledged.swap(true, Ordering::Relaxed)
            && let Some(transaction) = &self.transaction
        {
            transaction.set_result(result);
            transaction.set_outcome(outcome);
        }
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        let Some(transaction) = self.transaction.take() else { return };
        if *self.is_acknowledged.get_mut() && !std::thread::panicking() {
            transaction.complete();
        }
    }
}

impl Deref for Delivery {
    type Target = message::Delivery;

    fn deref(&self) -> &message::Delivery {
        &self.delivery
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery").field("delivery", &self.delivery).finish_non_exhaustive()
    }
}
