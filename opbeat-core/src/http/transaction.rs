//! The transaction of an HTTP request.

use std::fmt;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use super::active_request::ActiveRequest;
use super::entered::EnteredHttp;
use crate::agent::Agent;
use crate::capture::{CapturedError, cut, failure_record};
use crate::pipeline::TransactionHandle;
use crate::record::{ErrorId, Outcome, RequestRecord, TransactionName};
use crate::transaction::{Active, Context, CurrentTransaction, report_panics};

/// The transaction of one HTTP request. An adapter moves it from the request's future into the response body.
///
/// It ends exactly once:
///
/// - [`complete`](Self::complete) ends it at the end of the response body, with the outcome of the status.
/// - [`end`](Self::end) ends it with an outcome that the adapter knows.
/// - A panic that unwinds through [`poll`](Self::poll) or [`enter`](Self::enter) ends it as [`Outcome::Panicked`].
/// - If it is dropped before, it ends as [`Outcome::ClientGone`]: the client disconnected. There are two exceptions: a
///   drop while the thread panics, and a drop at a [time limit](Self::set_time_limit) before the response head.
///
/// The default value records nothing.
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
///     transaction.start_response(status);
///     transaction.complete();
/// }
///
/// agent.flush(std::time::Duration::from_secs(5))?;
/// assert_eq!(exporter.count("GET /books/{id}"), 1);
/// # Ok::<(), opbeat_core::export::FlushError>(())
/// ```
#[derive(Default)]
#[must_use = "a transaction that is dropped counts as a disconnect of the client"]
pub struct HttpTransaction {
    /// The request that it records, or that an outer layer records and this transaction joined.
    request: Option<Box<ActiveRequest>>,
}

/// The start, and the polls of the handler and the body.
impl HttpTransaction {
    /// Begins the transaction of a request that has just arrived.
    ///
    /// It records nothing if the agent is disabled, or if the request is already part of another HTTP transaction: a
    /// second layer around the same service adds nothing. `describe` is then not called.
    #[inline]
    pub fn begin(agent: &Agent, kind: &'static str, method: &str, describe: impl FnOnce(&mut RequestRecord)) -> Self {
        let Some(recorder) = agent.recorder().filter(|_| !is_nested()) else {
            return Self::default();
        };
        Self { request: Some(ActiveRequest::begin(recorder, kind, method, describe)) }
    }

    /// Begins the transaction of a request that an outer layer may record already, on another task.
    ///
    /// A middleware between two layers may call the inner one on a task of its own, which does not know the outer
    /// layer's transaction. So the outer layer puts its [handle](Self::current) into the request, and the inner layer
    /// passes it here. If that transaction still runs, this one records nothing, and makes the outer one current during
    /// polls.
    ///
    /// # Examples
    ///
    /// ```
    /// # use opbeat_core::{Agent, Config, http::HttpTransaction};
    /// # use opbeat_testing::MemoryExporter;
    /// # let agent = Agent::with_exporter(&Config::default(), MemoryExporter::default());
    /// let outer = HttpTransaction::begin(&agent, "web.example", "GET", |_| ());
    /// let handle = outer.current();
    /// let inner = std::thread::spawn(move || {
    ///     let inner = HttpTransaction::begin_within(&handle, &agent, "web.example", "GET", |_| ());
    ///     inner.is_recording()
    /// });
    /// assert_eq!(inner.join().ok(), Some(false));
    /// ```
    pub fn begin_within(
        outer: &CurrentTransaction,
        agent: &Agent,
        kind: &'static str,
        method: &str,
        describe: impl FnOnce(&mut RequestRecord),
    ) -> Self {
        match &outer.active {
            Some(active) if !active.has_ended() => Self { request: Some(ActiveRequest::join(outer.context())) },
            _ => Self::begin(agent, kind, method, describe),
        }
    }

    /// Returns whether the request is recorded. An adapter may skip its work if not.
    #[must_use]
    #[inline]
    pub fn is_recording(&self) -> bool {
        self.own().is_some()
    }

    /// Returns the request, unless an outer layer records it.
    #[inline]
    fn own(&self) -> Option<&ActiveRequest> {
        self.request.as_deref().filter(|request| !request.is_joined)
    }

    #[inline]
    fn own_mut(&mut self) -> Option<&mut ActiveRequest> {
        self.request.as_deref_mut().filter(|request| !request.is_joined)
    }

    /// Takes the request out. A joined one is dropped.
    #[inline]
    fn take_own(&mut self) -> Option<Box<ActiveRequest>> {
        self.request.take().filter(|request| !request.is_joined)
    }

    /// Polls the handler's future or the response body, with the transaction current.
    ///
    /// The time of the poll counts as busy time. A panic that unwinds through it ends the transaction.
    #[inline]
    pub fn poll<T>(&mut self, work: impl FnOnce() -> Poll<T>) -> Poll<T> {
        let Some(request) = self.own_mut() else { return self.poll_unrecorded(work) };
        request.resume();
        let output = {
            let _entered = self.enter();
            // The payload of a panic has its message, and the guard does not see the payload.
            report_panics(work)
        };
        if let Some(request) = self.own_mut() {
            request.pause(output.is_pending());
        }
        output
    }

    fn poll_unrecorded<T>(&mut self, work: impl FnOnce() -> Poll<T>) -> Poll<T> {
        let _entered = self.enter();
        work()
    }

    /// Makes the transaction current until the guard is dropped: for calls and destructors, which are not polls.
    ///
    /// Do not hold the guard over an `.await`. A panic that unwinds through it ends the transaction.
    #[inline]
    pub fn enter(&mut self) -> EnteredHttp<'_> {
        EnteredHttp::new(&mut self.request)
    }

    /// Returns a handle to the transaction.
    #[must_use]
    pub fn current(&self) -> CurrentTransaction {
        CurrentTransaction { active: self.active().cloned() }
    }

    #[inline]
    fn active(&self) -> Option<&Arc<Active>> {
        self.request.as_ref().and_then(|request| request.context.transaction.as_ref())
    }
}

/// The name.
impl HttpTransaction {
    /// Names the transaction after the route that matched, unless the application sets a name.
    #[inline]
    pub fn set_route_name(&mut self, name: TransactionName) {
        if let Some(active) = self.own_mut().and_then(|request| request.context.transaction.as_mut()) {
            Active::set_route_name_mut(active, name);
        }
    }

    /// Names the transaction after the route that `find` returns, if it finds one.
    ///
    /// If an outer layer around the same request records it, that layer's transaction gets the name, unless it has a
    /// route already. An outer layer may be outside of the router and know no route.
    #[inline]
    pub fn set_route_name_with(&mut self, find: impl FnOnce() -> Option<TransactionName>) {
        if self.is_recording() {
            if let Some(name) = find() {
                self.set_route_name(name);
            }
        } else if let Some(outer) = self.active().cloned().or_else(outer) {
            outer.set_first_route_name(find);
        }
    }

    /// Returns the method and the target that were recorded for the request, by this layer or by an outer one. An
    /// adapter can use them to find the route late.
    ///
    /// # Examples
    ///
    /// ```
    /// # use opbeat_core::{Agent, Config, http::HttpTransaction};
    /// # use opbeat_testing::MemoryExporter;
    /// # let agent = Agent::with_exporter(&Config::default(), MemoryExporter::default());
    /// let transaction = HttpTransaction::begin(&agent, "web.example", "GET", |request| {
    ///     request.set_line("GET", "/books/1?page=2");
    /// });
    /// assert_eq!(transaction.request_line(), Some(("GET".to_owned(), "/books/1?page=2".to_owned())));
    /// ```
    #[must_use]
    #[cold]
    pub fn request_line(&self) -> Option<(String, String)> {
        self.active().cloned().or_else(outer)?.request_line()
    }
}

/// The response.
impl HttpTransaction {
    /// Records that the response head (status and headers) is ready. Returns whether the response ends with it.
    ///
    /// That is so for `HEAD` requests, 1xx, 204 and 304. Then, or if the body is known to be empty, the adapter calls
    /// [`complete`](Self::complete) at once. The adapter has to report the handler's error before this call.
    #[inline]
    pub fn start_response(&mut self, status: u16) -> bool {
        self.own_mut().is_none_or(|request| request.start_response(status))
    }

    /// Records the headers of a failed response that the configuration chooses, which error reports show. Names are in
    /// lower case. Call it before the [head](Self::start_response), and only if the status is 4xx or 5xx.
    pub fn set_response_headers<'a>(&mut self, headers: impl IntoIterator<Item = (&'a str, &'a [u8])>) {
        let Some(active) = self.own().and_then(|request| request.context.transaction.as_ref()) else {
            return;
        };
        let chosen = active.recorder.response_headers();
        if chosen.is_empty() {
            return;
        }
        for (name, value) in headers.into_iter().filter(|(name, _)| chosen.iter().any(|chosen| chosen == name)) {
            let header = (name.to_owned(), cut(String::from_utf8_lossy(value).into_owned()).into());
            active.change(|state| state.add_response_header(header));
        }
    }

    /// Sets the length of the response body in bytes, if a header or the body itself states it. Returns whether the
    /// body is empty, so that the response ends at once.
    ///
    /// After that number of bytes, servers drop a body without polling it again. [`record_sent`](Self::record_sent)
    /// recognises that end.
    #[must_use]
    pub fn set_body_length(&mut self, length: u64) -> bool {
        self.own_mut().is_none_or(|request| request.set_body_length(length))
    }

    /// Counts bytes of the body, which samples show. Returns whether they were the last ones of the length that was
    /// set: then the adapter calls [`complete`](Self::complete).
    #[must_use]
    #[inline]
    pub fn record_sent(&mut self, bytes: usize) -> bool {
        self.own_mut().is_some_and(|request| request.record_sent(bytes as u64))
    }

    /// Sets the time limit of a layer outside of the adapter. If the request is dropped at that limit and before its
    /// response head, it counts as [`Outcome::TimedOut`] instead of [`Outcome::ClientGone`].
    ///
    /// The limit's clock started earlier than the transaction's, since layers between the two take time as well. So a
    /// request that is dropped after three quarters of the limit counts as timed out.
    pub fn set_time_limit(&mut self, limit: Duration) {
        if let Some(request) = self.own_mut() {
            request.time_limit = Some(limit);
        }
    }

    /// Sets the result for outcomes that no HTTP status expresses, for protocols with status names of their own such as
    /// gRPC.
    pub fn set_result_names(&mut self, names: fn(Outcome) -> &'static str) {
        if let Some(request) = self.own_mut() {
            request.result_names = Some(names);
        }
    }

    /// Sets the outcome, whatever the status: for protocols such as gRPC, which respond with 200 and report a failure
    /// later.
    pub fn set_outcome(&mut self, outcome: Outcome) {
        if let Some(request) = self.own_mut() {
            request.outcome = Some(outcome);
        }
    }
}

/// Error reports.
impl HttpTransaction {
    /// Reports a handler's error that implements `Display`, but not [`Error`](std::error::Error).
    ///
    /// For an `Error`, use [`current`](Self::current) and [`capture_error`](CurrentTransaction::capture_error), which
    /// reports its sources too.
    pub fn capture_display<E: fmt::Display + ?Sized>(&self, error: &E) {
        if self.is_recording() {
            self.current().report(failure_record(error));
        }
    }

    /// Reports an error that was captured earlier, and that the response carries.
    pub fn report_captured(&self, error: &CapturedError) {
        if self.is_recording() {
            self.current().report_captured(error);
        }
    }

    /// Returns the id of the report that stands for the request's failure, if there is one. Adapters send it in a
    /// response header. After the first call, the id never changes.
    #[must_use]
    pub fn error_id(&self) -> Option<ErrorId> {
        self.own()?.context.transaction.as_ref()?.error()
    }
}

/// The end.
impl HttpTransaction {
    /// Ends the transaction at the end of the response body, with the outcome of its status.
    ///
    /// If fewer bytes were [sent](Self::record_sent) than the length that was set, the transaction ends as
    /// [`Outcome::ServerError`], and the incomplete body is reported.
    #[inline]
    pub fn complete(mut self) {
        if let Some(request) = self.take_own() {
            request.complete();
        }
    }

    /// Ends the transaction with an outcome: for a handler that failed without a response.
    pub fn end(mut self, outcome: Outcome) {
        if let Some(request) = self.take_own() {
            request.end(Some(outcome));
        }
    }
}

/// Ends a transaction that has not ended: the client disconnected, except during a panic and at a time limit.
impl Drop for HttpTransaction {
    #[inline]
    fn drop(&mut self) {
        if let Some(request) = self.take_own() {
            request.end_dropped();
        }
    }
}

impl fmt::Debug for HttpTransaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HttpTransaction").field(&self.current().id()).finish()
    }
}

/// Returns whether an outer layer records the request already.
#[inline]
fn is_nested() -> bool {
    Context::with(|context| context.is_in_request()).unwrap_or(false)
}

/// Returns the transaction of an outer layer around the same request.
fn outer() -> Option<Arc<Active>> {
    let current = Context::with(|context| context.transaction.clone()).flatten();
    current.filter(|active| active.is_request)
}
