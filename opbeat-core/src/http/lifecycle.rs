//! From a request's arrival to its response's last byte.

use std::fmt;
use std::sync::Arc;

use super::name::{ends_at_head, static_method, unmatched};
use crate::agent::Agent;
use crate::capture::{failure_record, status_record};
use crate::record::{Outcome, RequestRecord, TransactionName};
use crate::transaction::{Active, Context, CurrentTransaction};

/// The transaction of one HTTP request, moved by an adapter from the request's future into the response's body.
///
/// It ends exactly once: by [`complete`](Self::complete) at the response's last byte, by [`end`](Self::end) with what
/// the adapter knows, or when it is dropped: as panicked if a panic came through [`enter`](Self::enter), as
/// [`Outcome::ClientGone`] otherwise. The default one records nothing.
///
/// # Examples
///
/// ```
/// use opbeat_core::{Agent, Config, RequestRecord, http::{HttpTransaction, route}, testing::MemoryExporter};
///
/// let exporter = MemoryExporter::default();
/// let agent = Agent::with_exporter(&Config::default(), exporter.clone());
///
/// let mut transaction = HttpTransaction::begin(&agent, "web.example", "GET", || {
///     RequestRecord::new("GET", "/books/1", 0)
/// });
/// transaction.set_route_name(route("GET", "/books/{id}"));
/// let status = {
///     let _entered = transaction.enter();
///     200
/// };
/// transaction.head(status);
/// transaction.complete();
///
/// agent.flush(std::time::Duration::from_secs(5))?;
/// assert_eq!(exporter.count("GET /books/{id}"), 1);
/// # Ok::<(), opbeat_core::FlushError>(())
/// ```
#[derive(Default)]
#[must_use = "a transaction that is dropped counts as a client that has gone"]
pub struct HttpTransaction {
    live: Option<Live>,
}

struct Live {
    context: Context,
    method: &'static str,
    status: Option<u16>,
    outcome: Option<Outcome>,
}

impl HttpTransaction {
    /// Begins the transaction of a request that has just arrived.
    ///
    /// It records nothing if the agent does not, and if the request is already part of another HTTP transaction: a
    /// second layer around the same service adds nothing. Then `request` is not called.
    pub fn begin(agent: &Agent, kind: &'static str, method: &str, request: impl FnOnce() -> RequestRecord) -> Self {
        let is_request = |context: &mut Context| context.transaction.as_ref().is_some_and(|active| active.is_request);
        let is_nested = || Context::with(is_request).unwrap_or(false);
        let Some(recorder) = agent.recorder().filter(|_| !is_nested()) else {
            return Self { live: None };
        };
        let active = Active::new(recorder.clone(), kind.into()).with_request(unmatched(method), request());
        let context = Context::of(Arc::new(active));
        Self { live: Some(Live { context, method: static_method(method), status: None, outcome: None }) }
    }

    /// Returns whether anything is recorded: an adapter may skip its work if not.
    #[must_use]
    pub fn is_recording(&self) -> bool {
        self.live.is_some()
    }

    /// Names the transaction after the route that matched, unless the application gives it a name of its own.
    pub fn set_route_name(&self, name: TransactionName) {
        if let Some(active) = self.active() {
            active.name(name);
        }
    }

    /// Makes the transaction current until the guard is dropped: to be held around each poll, never over one.
    ///
    /// A panic that unwinds through the guard ends the transaction.
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
    /// [`complete`](Self::complete) at once.
    pub fn head(&mut self, status: u16) -> bool {
        let Some(live) = &mut self.live else { return true };
        live.status = Some(status);
        if let Some(active) = &live.context.transaction {
            active.mark_head();
        }
        ends_at_head(live.method, status)
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

    /// Ends the transaction at the response's last byte, with what its status says.
    pub fn complete(mut self) {
        self.finish(None);
    }

    /// Ends the transaction with an outcome: for a handler that failed without a response.
    pub fn end(mut self, outcome: Outcome) {
        self.finish(Some(outcome));
    }

    fn finish(&mut self, outcome: Option<Outcome>) {
        let Some(mut live) = self.live.take() else { return };
        let Some(active) = live.context.transaction.take() else {
            return;
        };
        let outcome = outcome.or(live.outcome).unwrap_or_else(|| outcome_of(live.status));
        if outcome == Outcome::ServerError && active.error().is_none() {
            report_status(&active, live.status);
        }
        active.end(outcome, live.status.map_or_else(|| outcome.into(), Into::into));
    }

    fn active(&self) -> Option<&Arc<Active>> {
        self.live.as_ref().and_then(|live| live.context.transaction.as_ref())
    }
}

/// A request without a response has failed.
fn outcome_of(status: Option<u16>) -> Outcome {
    match status {
        Some(101) => Outcome::Upgraded,
        Some(100..=399) => Outcome::Ok,
        Some(400..=499) => Outcome::ClientError,
        _ => Outcome::ServerError,
    }
}

/// Reports an answer of 5xx that nobody reported an error for: the request failed all the same.
fn report_status(active: &Arc<Active>, status: Option<u16>) {
    let record = status_record(status);
    active.mark_error(record.id);
    active.recorder.capture(record, Some(Arc::clone(active) as _));
}

/// What is dropped before its end has lost its client, except in a panic.
impl Drop for HttpTransaction {
    fn drop(&mut self) {
        let outcome = if std::thread::panicking() { Outcome::Panicked } else { Outcome::ClientGone };
        self.finish(Some(outcome));
    }
}

impl fmt::Debug for HttpTransaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HttpTransaction").field(&self.current().id()).finish()
    }
}

/// Keeps an [`HttpTransaction`] current.
#[must_use = "the transaction is current for as long as this guard lives"]
pub struct EnteredHttp<'a> {
    transaction: &'a mut HttpTransaction,
    was_panicking: bool,
}

impl<'a> EnteredHttp<'a> {
    fn new(transaction: &'a mut HttpTransaction) -> Self {
        let mut entered = Self { was_panicking: std::thread::panicking(), transaction };
        entered.swap_context();
        entered
    }

    fn swap_context(&mut self) {
        if let Some(live) = &mut self.transaction.live {
            live.context.swap();
        }
    }
}

/// Executors catch a panic above us, and drop the future when nothing unwinds any more: it has to be noticed here.
impl Drop for EnteredHttp<'_> {
    fn drop(&mut self) {
        self.swap_context();
        if !self.was_panicking && std::thread::panicking() {
            self.transaction.finish(Some(Outcome::Panicked));
        }
    }
}

impl fmt::Debug for EnteredHttp<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnteredHttp").finish_non_exhaustive()
    }
}
