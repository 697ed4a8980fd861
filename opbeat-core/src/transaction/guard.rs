//! The owner of a transaction's end.

use std::fmt;
use std::ops::Deref;

use super::{CurrentTransaction, InTransaction};
use crate::record::{Outcome, TraceParent, TransactionName, TransactionResult};

/// A running transaction, from [`Agent::begin_transaction`](crate::Agent::begin_transaction).
///
/// It derefs to [`CurrentTransaction`], so that it can be named, tagged and entered. It ends once: by [`end`](Self::end),
/// or when it is dropped, with the result `panicked` while a panic unwinds and `cancelled` otherwise.
///
/// # Examples
///
/// ```
/// # use opbeat_core::{Agent, Config};
/// # use opbeat_testing::MemoryExporter;
/// # async fn send_all() -> u32 { 3 }
/// # let agent = Agent::with_exporter(&Config::default(), MemoryExporter::default());
/// # async {
/// let transaction = agent.begin_transaction("task.newsletter");
/// let sent = transaction.wrap(send_all()).await;
/// transaction.set_extra("mails", sent);
/// transaction.end("shop.newsletter", "ok");
/// # };
/// ```
#[must_use = "a transaction that is dropped counts as cancelled"]
pub struct Transaction {
    handle: CurrentTransaction,
}

impl Transaction {
    pub(crate) fn new(handle: CurrentTransaction) -> Self {
        Self { handle }
    }

    /// Makes the transaction current whenever `future` is polled: for the job itself.
    ///
    /// Its polls are the transaction's time at work, and one that takes longer than
    /// [`Config::blocking_threshold`](crate::Config::blocking_threshold) is reported.
    pub fn wrap<F>(&self, future: F) -> InTransaction<F> {
        InTransaction::timed(self.handle.context(), future)
    }

    /// Says which trace the work belongs to, where whoever asked for it has sent that along: in a message's headers, or
    /// beside a queued job. Calls that the work makes then carry that trace on.
    ///
    /// # Examples
    ///
    /// ```
    /// # use opbeat_core::{Agent, record::TraceParent};
    /// # let (agent, message) = (Agent::disabled(), [("traceparent", String::new())]);
    /// let transaction = agent.begin_transaction("task.queue");
    /// if let Some(parent) = message.iter().find(|(name, _)| *name == "traceparent") {
    ///     transaction.set_trace_parent(TraceParent::parse(&parent.1));
    /// }
    /// ```
    pub fn set_trace_parent(&self, parent: impl Into<Option<TraceParent>>) {
        if let (Some(active), Some(parent)) = (&self.handle.active, parent.into()) {
            active.set_remote_trace(parent);
        }
    }

    /// Sets what the trace's other participants want to be passed on: the `tracestate` that came with the trace parent.
    pub fn set_trace_state(&self, trace_state: impl Into<String>) {
        if let Some(active) = &self.handle.active {
            active.set_trace_state(trace_state.into());
        }
    }

    /// Ends the transaction under a name and a result.
    ///
    /// A result that is a status code of 500 or more, or one of the words `error`, `failed` and `failure`, counts as
    /// failed.
    pub fn end(mut self, name: impl Into<TransactionName>, result: impl Into<TransactionResult>) {
        let Some(active) = self.handle.active.take() else { return };
        let result = result.into();
        active.rename(name.into());
        active.set_result(result.clone());
        active.end_now(outcome_of(&result), false, Outcome::as_str);
    }
}

fn outcome_of(result: &TransactionResult) -> Outcome {
    match result {
        TransactionResult::Status(400..=499) => Outcome::ClientError,
        TransactionResult::Status(500..) => Outcome::ServerError,
        TransactionResult::Word(word) if matches!(word.as_ref(), "error" | "failed" | "failure") => {
            Outcome::ServerError
        }
        _ => Outcome::Ok,
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        let Some(active) = self.handle.active.take() else { return };
        let outcome = if std::thread::panicking() { Outcome::Panicked } else { Outcome::ClientGone };
        active.end_now(outcome, true, word);
    }
}

/// Nobody asked for a job, and so nobody has gone.
pub(super) fn word(outcome: Outcome) -> &'static str {
    if outcome == Outcome::ClientGone { "cancelled" } else { outcome.as_str() }
}

impl Deref for Transaction {
    type Target = CurrentTransaction;

    fn deref(&self) -> &CurrentTransaction {
        &self.handle
    }
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Transaction").field(&self.id()).finish()
    }
}
