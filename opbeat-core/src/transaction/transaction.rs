//! The owner of a transaction, which ends it.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use super::current::CurrentTransaction;
use super::futures::InTransaction;
use super::running::{Active, TransactionState, job_result};
use crate::record::{Outcome, TraceParent, TransactionName, TransactionResult};

/// A running job, from [`Agent::begin_transaction`](crate::Agent::begin_transaction).
///
/// It derefs to [`CurrentTransaction`], so it can be named, tagged and entered. It ends once: when [`end`](Self::end)
/// is called, or when it is dropped. A dropped transaction has the result `panicked` while a panic unwinds, and
/// `cancelled` otherwise.
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
    /// The time of all its polls is recorded as the transaction's busy time. A poll that takes longer than
    /// [`Config::blocking_threshold`](crate::Config::blocking_threshold) is reported.
    pub fn wrap<F>(&self, future: F) -> InTransaction<F> {
        InTransaction::timed(self.handle.context(), future)
    }

    /// Sets the distributed trace that the job belongs to. The service that requested the job sends it in a message's
    /// headers or stores it with a queued job. Calls that the job makes to other services continue that trace.
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
        if let Some(parent) = parent.into() {
            self.handle.change(|| parent, TransactionState::set_remote_trace);
        }
    }

    /// Sets the `tracestate` that calls to other services pass on: the value that came with the trace parent.
    pub fn set_trace_state(&self, trace_state: impl Into<String>) {
        self.handle.change(|| trace_state.into(), TransactionState::set_trace_state);
    }

    /// Sets the `baggage` that calls to other services pass on: the value that came with the trace parent.
    pub fn set_baggage(&self, baggage: impl AsRef<str>) {
        self.handle.change(|| baggage, |state, baggage| state.set_baggage(baggage.as_ref()));
    }

    /// Sets the time that the job waited in its queue.
    pub(crate) fn set_queued(&self, queued: Option<Duration>) {
        self.handle.change(|| queued, TransactionState::set_queued);
    }

    /// Ends the transaction as a success, under the name and the result that were set, or else with the result `ok`.
    pub fn complete(mut self) {
        if let Some(active) = self.handle.active.take() {
            active.end_job(Outcome::Ok, false, Outcome::as_str);
        }
    }

    /// Ends the transaction as a failure, with the result `failed` unless another one was set.
    pub(crate) fn fail(mut self) {
        let result = |outcome| if outcome == Outcome::ServerError { "failed" } else { job_result(outcome) };
        if let Some(active) = self.handle.active.take() {
            active.end_job(Outcome::ServerError, false, result);
        }
    }

    /// Ends the transaction under a name and a result.
    ///
    /// The transaction counts as failed if the result is a status code of 500 or more, `error`, `failed` or `failure`.
    pub fn end(mut self, name: impl Into<TransactionName>, result: impl Into<TransactionResult>) {
        let Some(active) = self.handle.active.take() else { return };
        let (name, result) = (name.into(), result.into());
        let outcome = outcome_of(&result);
        active.change(|state| {
            state.rename(name);
            state.set_result(result);
        });
        active.end_job(outcome, false, Outcome::as_str);
    }
}

/// Transactions that another one starts.
impl CurrentTransaction {
    /// Begins a transaction that this one starts and that outlives it, such as the session of a websocket.
    ///
    /// It has the name of this transaction, a kind of its own, this transaction as its parent, and the same trace, user
    /// and tags. If this handle does nothing, so does the new transaction.
    ///
    /// # Examples
    ///
    /// ```
    /// # async fn export() {}
    /// # async fn handler() {
    /// let export_job = opbeat_core::current().begin_child("task.export");
    /// export_job.wrap(export()).await;
    /// export_job.complete();
    /// # }
    /// ```
    pub fn begin_child(&self, kind: impl Into<Cow<'static, str>>) -> Transaction {
        let begin = |parent: &Arc<Active>| {
            let child = Active::begin(&parent.recorder, kind.into(), |child| child.set_parent(parent));
            child.set_route_name(parent.route_name());
            child
        };
        Transaction::new(Self { active: self.active.as_ref().map(begin) })
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
        active.end_job(outcome, true, job_result);
    }
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
