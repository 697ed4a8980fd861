//! One run of a task, from its first poll to its end.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use apalis_core::error::{AbortError, BoxDynError, DeferredError, RetryAfterError};
use apalis_core::task::attempt::Attempt;
use opbeat_core::Transaction;
use opbeat_core::http::CapturedError;
use opbeat_core::jobs::JobOutput;
use opbeat_core::task::InTransaction;
use pin_project::pin_project;

/// The future of a task that runs as a transaction.
#[pin_project]
#[must_use = "futures do nothing unless polled"]
pub struct MonitoredTask<F> {
    #[pin]
    inner: InTransaction<F>,
    /// `None` after the end, and during each poll: a panic that unwinds through a poll then drops it.
    transaction: Option<Transaction>,
    attempts: Attempt,
}

impl<F> MonitoredTask<F> {
    pub(super) fn new(transaction: Transaction, attempts: Attempt, future: F) -> Self {
        Self { inner: transaction.wrap(future), transaction: Some(transaction), attempts }
    }
}

impl<F, T, E> Future for MonitoredTask<F>
where
    F: Future<Output = Result<T, E>>,
    E: Into<BoxDynError>,
{
    type Output = Result<T, BoxDynError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let transaction = this.transaction.take();
        let Poll::Ready(output) = this.inner.poll(cx) else {
            *this.transaction = transaction;
            return Poll::Pending;
        };
        let output = output.map_err(Into::into);
        if let Some(transaction) = transaction {
            end(transaction, this.attempts, output.as_ref().err());
        }
        Poll::Ready(output)
    }
}

/// Ends the transaction with the error of the task, if it failed.
fn end(transaction: Transaction, attempts: &Attempt, error: Option<&BoxDynError>) {
    // A layer inside of this one may have repeated the task.
    transaction.set_extra("attempt", attempts.current());
    if error.is_some_and(|error| error.is::<AbortError>()) {
        transaction.set_extra("final", true);
    }
    transaction.finish(&Ended(error.map(|error| error_in(&**error))));
}

/// Returns the application's error: the one that is wrapped in an instruction to apalis, if it is.
fn error_in<'a>(error: &'a (dyn Error + Send + Sync + 'static)) -> &'a (dyn Error + 'static) {
    let is_instruction = error.is::<AbortError>() || error.is::<RetryAfterError>() || error.is::<DeferredError>();
    error.source().filter(|_| is_instruction).unwrap_or(error)
}

/// The end of a task, with its error if it failed.
struct Ended<'a>(Option<&'a (dyn Error + 'static)>);

impl JobOutput<Self> for Ended<'_> {
    fn failure(&self) -> Option<CapturedError> {
        self.0.map(CapturedError::received)
    }
}

impl<F: fmt::Debug> fmt::Debug for MonitoredTask<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MonitoredTask").field("inner", &self.inner).finish_non_exhaustive()
    }
}
