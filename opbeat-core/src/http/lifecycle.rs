//! From a request's arrival to its response's last byte.

use std::fmt;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use super::EnteredHttp;
use super::live::Live;
use crate::agent::Agent;
use crate::capture::{CapturedError, caught_panic_record, failure_record};
use crate::record::{ErrorId, Outcome, RequestRecord, TransactionName};
use crate::transaction::{Active, CurrentTransaction};

/// The transaction of one HTTP request, moved by an adapter from the request's future into the response's body.
///
/// It ends exactly once: by [`complete`](Self::complete) at the response's last byte, by [`end`](Self::end) with what
/// the adapter knows, or when it is dropped: as panicked if a panic came through [`poll`](Self::poll) or
/// [`enter`](Self::enter), as [`Outcome::ClientGone`] otherwise. The default one records nothing.
///
/// # Examples
///
/// ```
/// use std::task::Poll;
/// use opbeat_core::{Agent, Config};
/// use opbeat_core::http::{HttpTransaction, route};
/// use opbeat_testing::MemoryExporter;
///
/// let exporter = MemoryExporter::default();
/// let agent = Agent::with_exporter(&Config::default(), exporter.clone());
///
/// let mut transaction = HttpTransaction::begin(&agent, "web.example", "GET", |request| {
///     request.set_line("GET", "/books/1");
/// });
/// transaction.set_route_name(route("GET", "/books/{id}"));
/// if let Poll::Ready(status) = transaction.poll(|| Poll::Ready(200)) {
///     transaction.head(status);
///     transaction.complete();
/// }
///
/// agent.flush(std::time::Duration::from_secs(5))?;
/// assert_eq!(exporter.count("GET /books/{id}"), 1);
/// # Ok::<(), opbeat_core::export::FlushError>(())
/// ```
#[derive(Default)]
#[must_use = "a transaction that is dropped counts as a client that has gone"]
pub struct HttpTransaction {
    pub(super) live: Option<Box<Live>>,
}

impl HttpTransaction {
    /// Begins the transaction of a request that has just arrived.
    ///
    /// It records nothing if the agent does not, and if the request is already part of another HTTP transaction: a
    /// second layer around the same service adds nothing. Then `describe` is not called.
    #[inline]
    pub fn begin(agent: &Agent, kind: &'static str, method: &str, describe: impl FnOnce(&mut RequestRecord)) -> Self {
        let Some(recorder) = agent.recorder().filter(|_| !Self::is_nested()) else {
            return Self { live: None };
        };
        Self { live: Some(Live::begin(recorder, kind, method, describe)) }
    }

    /// Returns whether anything is recorded: an adapter may skip its work if not.
    #[must_use]
    #[inline]
    pub fn is_recording(&self) -> bool {
        self.live.is_some()
    }

    /// Names the transaction after the route that matched, unless the application gives it a name of its own.
    #[inline]
    pub fn set_route_name(&mut self, name: TransactionName) {
        if let Some(active) = self.live.as_mut().and_then(|live| live.context.transaction.as_mut()) {
            Active::name_early(active, name);
        }
    }

    /// Says that something around the adapter drops the request after this time: if it is dropped before its head, it then
    /// counts as [`Outcome::TimedOut`], and not as a client that has gone.
    ///
    /// The other clock started earlier, by what other layers do in between. So what is dropped after three quarters of the
    /// time is taken to have reached its limit.
    pub fn set_time_limit(&mut self, limit: Duration) {
        if let Some(live) = &mut self.live {
            live.time_limit = Some(limit);
        }
    }

    /// Polls the handler's future or the response's body, with the transaction current.
    ///
    /// What the poll takes counts as time at work. A panic that unwinds through it ends the transaction.
    #[inline]
    pub fn poll<T>(&mut self, work: impl FnOnce() -> Poll<T>) -> Poll<T> {
        let Some(live) = &mut self.live else { return work() };
        live.resume();
        let answer = {
            let _entered = self.enter();
            work()
        };
        if let Some(live) = &mut self.live {
            live.pause(answer.is_pending());
        }
        answer
    }

    /// Makes the transaction current until the guard is dropped, for work that is no poll: calls and destructors.
    ///
    /// It is never to be held over an `.await`. A panic that unwinds through the guard ends the transaction.
    #[inline]
    pub fn enter(&mut self) -> EnteredHttp<'_> {
        EnteredHttp::new(self)
    }

    /// Returns a handle to the transaction.
    #[must_use]
    pub fn current(&self) -> CurrentTransaction {
        CurrentTransaction { active: self.active().cloned() }
    }

    /// Notes that the response's head is ready, and with what status. Returns whether the response ends there.
    ///
    /// It does for `HEAD`, 1xx, 204 and 304; then, or when the body is known to be empty, the adapter calls
    /// [`complete`](Self::complete) at once. Whatever the handler failed with has to be reported before.
    #[inline]
    pub fn head(&mut self, status: u16) -> bool {
        let Some(live) = &mut self.live else { return true };
        live.note_head(status);
        if status >= 500 {
            live.report_failed_response();
        }
        live.method.ends_at_head(status)
    }

    /// Says what the protocol calls endings that have no status, for protocols with words of their own, as gRPC.
    pub fn set_words(&mut self, words: fn(Outcome) -> &'static str) {
        if let Some(live) = &mut self.live {
            live.words = Some(words);
        }
    }

    /// Marks the transaction as failed, whatever its status: for protocols that answer 200 and say more later, as gRPC.
    pub fn set_outcome(&mut self, outcome: Outcome) {
        if let Some(live) = &mut self.live {
            live.outcome = Some(outcome);
        }
    }

    /// Reports what the handler failed with, where that is no [`Error`](std::error::Error) but can be shown.
    ///
    /// What is one is reported by [`current`](Self::current) and
    /// [`capture_error`](CurrentTransaction::capture_error), which tells its causes too.
    pub fn capture_failure<E: fmt::Display + ?Sized>(&self, failure: &E) {
        if self.is_recording() {
            self.current().report(failure_record(failure));
        }
    }

    /// Reports a failure that the response carries.
    pub fn report_failure(&self, failure: &CapturedError) {
        if let Some(active) = self.active() {
            CurrentTransaction { active: Some(Arc::clone(active)) }.report_failure(failure);
        }
    }

    /// Returns the id of the report that the failure is known by, if there is one: for a response header. It stays then.
    #[must_use]
    pub fn error_id(&self) -> Option<ErrorId> {
        self.active()?.error()
    }

    /// Ends the transaction at the response's last byte, with what its status says.
    #[inline]
    pub fn complete(mut self) {
        self.finish(None);
    }

    /// Ends the transaction with an outcome: for a handler that failed without a response.
    pub fn end(mut self, outcome: Outcome) {
        self.finish(Some(outcome));
    }

    #[inline]
    pub(super) fn finish(&mut self, outcome: Option<Outcome>) {
        if let Some(live) = self.live.take() {
            live.end(outcome);
        }
    }

    /// Reports a panic that comes through, unless the hook has, and ends the transaction.
    #[cold]
    pub(super) fn finish_panicked(&mut self) {
        if let Some(active) = self.active() {
            active.report_untold_panic(|| caught_panic_record(None));
        }
        self.finish(Some(Outcome::Panicked));
    }

    #[inline]
    pub(super) fn swap_context(&mut self) {
        if let Some(live) = &mut self.live {
            live.context.swap();
        }
    }

    #[inline]
    pub(super) fn active(&self) -> Option<&Arc<Active>> {
        self.live.as_ref().and_then(|live| live.context.transaction.as_ref())
    }
}

/// What is dropped before its end has lost its client, except in a panic and at a time limit.
impl Drop for HttpTransaction {
    #[inline]
    fn drop(&mut self) {
        if let Some(live) = self.live.take() {
            live.end_by_drop();
        }
    }
}

impl fmt::Debug for HttpTransaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HttpTransaction").field(&self.current().id()).finish()
    }
}
