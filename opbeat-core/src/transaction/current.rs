//! The handle to the transaction that the running code is part of.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

use super::futures::{Detached, InTransaction};
use super::panics::report_panics;
use super::running::{Active, TransactionState};
use super::scope::{CodeName, Context, Entered, LateWork};
use super::span::Span;
use crate::capture::{CapturedError, error_record, message_record};
use crate::record::{
    ErrorId, ErrorRecord, Level, LogFields, Outcome, TraceParent, TransactionId, TransactionName, TransactionResult,
    User, Value,
};

/// A handle to a transaction. Cloning it is cheap.
///
/// [`current`] returns a handle to the transaction of the running code, and the adapters have extractors for it. All
/// methods do nothing if there is no transaction or if it has ended.
#[derive(Clone, Default)]
pub struct CurrentTransaction {
    pub(crate) active: Option<Arc<Active>>,
}

/// Returns the transaction that the running code is part of, or a handle that does nothing.
///
/// # Examples
///
/// ```
/// use opbeat_core::User;
///
/// opbeat_core::current().set_user(User::new(42));
/// ```
#[must_use]
pub fn current() -> CurrentTransaction {
    let active = Context::with(|context| {
        context.continue_late();
        context.transaction.clone()
    });
    CurrentTransaction { active: active.flatten() }
}

/// Names, tags and other values of the transaction.
impl CurrentTransaction {
    /// Returns whether there is a transaction behind the handle.
    #[must_use]
    pub fn is_recording(&self) -> bool {
        self.active.is_some()
    }

    /// Returns the transaction's id.
    #[must_use]
    pub fn id(&self) -> Option<TransactionId> {
        self.active.as_ref().map(|active| active.id)
    }

    /// Sets the transaction's name, which replaces the name of its route.
    ///
    /// Transactions are grouped by their names. Use few different names, and no ids in them.
    pub fn set_name(&self, name: impl Into<TransactionName>) {
        self.change(|| name.into(), TransactionState::rename);
    }

    /// Names the transaction after the route that matched, unless the application sets a name.
    ///
    /// It is for adapters to frameworks whose route is known only inside the router, where the
    /// [`HttpTransaction`](crate::http::HttpTransaction) is out of reach.
    pub fn set_route_name(&self, name: TransactionName) {
        if let Some(active) = &self.active {
            active.set_route_name(name);
        }
    }

    /// Sets the result that the transaction is counted under, instead of its status or outcome.
    ///
    /// A panic, a disconnect of the client and a timeout outside of the application override it.
    pub fn set_result(&self, result: impl Into<TransactionResult>) {
        self.change(|| result.into(), TransactionState::set_result);
    }

    /// Sets the outcome of the transaction, if its response does not show it: after a timeout in the handler, for
    /// example.
    ///
    /// A panic, a disconnect of the client and a timeout outside of the application override it.
    pub fn set_outcome(&self, outcome: Outcome) {
        self.change(|| outcome, TransactionState::set_outcome);
    }

    /// Sets the user that the transaction works for. Error reports show the user.
    pub fn set_user(&self, user: User) {
        self.change(|| user, TransactionState::set_user);
    }

    /// Sets a tag, by which the transaction and its errors can be found. At most 64 are kept.
    pub fn set_tag(&self, key: impl Into<Cow<'static, str>>, value: impl Into<Value>) {
        self.change(|| (key.into(), value.into()), TransactionState::set_tag);
    }

    /// Sets an extra value that is shown with the transaction and its errors. At most 64 are kept.
    pub fn set_extra(&self, key: impl Into<Cow<'static, str>>, value: impl Into<Value>) {
        self.change(|| (key.into(), value.into()), TransactionState::set_extra);
    }

    /// Sets the request's body, which error reports show. Its first 8 KiB are kept, and secrets in it are removed.
    pub fn set_request_body(&self, body: impl AsRef<[u8]>) {
        const MAX_BODY: usize = 8 * 1024;
        let text = || {
            let body = body.as_ref();
            String::from_utf8_lossy(&body[..body.len().min(MAX_BODY)]).into_owned()
        };
        self.change(text, TransactionState::set_request_body);
    }

    /// Makes a value if there is a transaction, and sets it unless the transaction has ended.
    ///
    /// The value is made before the transaction is locked, since conversions of the application may use it.
    pub(super) fn change<T>(&self, value: impl FnOnce() -> T, set: impl FnOnce(&mut TransactionState, T)) {
        if let Some(active) = &self.active {
            let value = value();
            active.change(|state| set(state, value));
        }
    }

    /// Returns the id of the report that stands for the transaction's failure, to be shown to the user.
    ///
    /// It is the report of the error that ended the request, as far as it is known by now. Other reports, such as
    /// logged errors, are not returned. After the first call, the id never changes.
    #[must_use]
    pub fn error_id(&self) -> Option<ErrorId> {
        self.active.as_ref()?.error()
    }

    /// Returns the value of the `traceparent` header for a call to another service.
    ///
    /// # Examples
    ///
    /// ```
    /// # let mut headers: Vec<(&str, String)> = Vec::new();
    /// if let Some(parent) = opbeat_core::current().trace_parent() {
    ///     headers.push(("traceparent", parent.to_string()));
    /// }
    /// ```
    #[must_use]
    pub fn trace_parent(&self) -> Option<TraceParent> {
        let active = self.active.as_ref()?;
        Some(active.trace_parent(self.context().span))
    }

    /// Returns the value of the `tracestate` header for a call to another service: the value that came with the
    /// request, unchanged.
    #[must_use]
    pub fn trace_state(&self) -> Option<String> {
        self.active.as_ref()?.trace_state()
    }

    /// Returns the value of the `baggage` header for a call to another service: the [members][w3c] that came with the
    /// request, unchanged. At most 64 members and 8192 bytes are passed on; malformed members are not.
    ///
    /// [w3c]: https://www.w3.org/TR/baggage/
    #[must_use]
    pub fn baggage(&self) -> Option<String> {
        self.active.as_ref()?.baggage()
    }

    /// Returns the transaction's id and the trace's id as fields of a log line.
    ///
    /// # Examples
    ///
    /// A logger such as `env_logger` gets them in its format function:
    ///
    /// ```
    /// # use std::io::Write;
    /// # fn format(out: &mut impl Write, record: &log::Record<'_>) -> std::io::Result<()> {
    /// writeln!(out, "[{} {}] {} {}", record.level(), record.target(), record.args(), opbeat_core::current().log_fields())
    /// # }
    /// ```
    #[must_use]
    pub fn log_fields(&self) -> LogFields {
        LogFields { ids: self.active.as_ref().map(|active| (active.id, active.trace_parent(None).trace_id)) }
    }

    /// Starts a span in the transaction; see [`span`](crate::span()).
    pub fn span(&self, signature: impl Into<Cow<'static, str>>, kind: impl Into<Cow<'static, str>>) -> Span {
        match &self.active {
            Some(active) => Span::start(active, signature.into(), kind.into()),
            None => Span::default(),
        }
    }
}

/// Error reports.
impl CurrentTransaction {
    /// Reports an error with its chain of sources, the stack and the request. Returns the report's id.
    #[track_caller]
    pub fn capture_error<E: Error + ?Sized>(&self, error: &E) -> Option<ErrorId> {
        self.active.as_ref()?;
        self.report(error_record(error))
    }

    /// Reports a message. Returns the report's id.
    #[track_caller]
    pub fn capture_message(&self, level: Level, message: impl Into<String>) -> Option<ErrorId> {
        self.active.as_ref()?;
        self.report(message_record(level, message.into()))
    }

    /// Reports an error that was captured earlier, at the location where it happened. Returns the report's id.
    pub fn report_captured(&self, error: &CapturedError) -> Option<ErrorId> {
        self.active.as_ref()?;
        self.report(error.record())
    }

    pub(crate) fn report(&self, record: ErrorRecord) -> Option<ErrorId> {
        let active = self.active.as_ref()?;
        if record.level.is_failure() { active.report_error(record) } else { active.report(record) }
    }
}

/// Code that runs in the transaction.
impl CurrentTransaction {
    /// Makes the transaction current on this thread until the guard is dropped: for code without `async`.
    pub fn enter(&self) -> Entered {
        Entered::new(self.context())
    }

    /// Makes the transaction current whenever `future` is polled: for a task whose result is awaited.
    ///
    /// Work that the future does after the end of the transaction is not recorded. For tasks that are not awaited, use
    /// [`detach`](Self::detach).
    ///
    /// # Examples
    ///
    /// ```
    /// # async fn count_shelves() -> u32 { 4 }
    /// # async fn handler() -> Result<u32, tokio::task::JoinError> {
    /// tokio::spawn(opbeat_core::current().wrap(count_shelves())).await
    /// # }
    /// ```
    pub fn wrap<F>(&self, future: F) -> InTransaction<F> {
        InTransaction::new(self.context(), future)
    }

    /// Runs a closure with the transaction current, on any thread and any number of times.
    ///
    /// # Examples
    ///
    /// ```
    /// let transaction = opbeat_core::current();
    /// std::thread::scope(|scope| {
    ///     for shelf in 0..4 {
    ///         let transaction = transaction.clone();
    ///         scope.spawn(move || transaction.run(|| println!("counting shelf {shelf}")));
    ///     }
    /// });
    /// ```
    pub fn run<T>(&self, work: impl FnOnce() -> T) -> T {
        let _entered = self.enter();
        report_panics(work)
    }

    /// Returns a closure that runs with the transaction current: for `spawn_blocking`, threads and thread pools.
    ///
    /// The current span becomes the parent of the spans that the closure starts. Work that the closure does after the
    /// end of the transaction becomes a background transaction of its own, as with [`detach`](Self::detach).
    #[track_caller]
    pub fn wrap_fn<T, F: FnOnce() -> T>(&self, work: F) -> impl FnOnce() -> T + use<T, F> {
        let late = LateWork::new(self.context(), CodeName::of::<F>());
        move || late.run(|| report_panics(work))
    }

    /// Lets a future continue after the end of the transaction: for tasks that are not awaited.
    ///
    /// The future is part of the transaction while that runs. The rest of its work then becomes a background
    /// transaction of its own, of the kind `task.detached`. That one records its parent, and has the same user and the
    /// same tags. It is named after the function that the future is written in, or else after the line of this call.
    ///
    /// A future that is dropped before it has completed counts as `cancelled`. This includes all tasks of a runtime
    /// that shuts down.
    ///
    /// # Examples
    ///
    /// ```
    /// # async fn send_mail() {}
    /// # async fn handler() {
    /// tokio::spawn(opbeat_core::current().detach(send_mail()));
    /// # }
    /// ```
    #[track_caller]
    pub fn detach<F>(&self, future: F) -> Detached<F> {
        Detached::new(LateWork::new(self.context(), CodeName::of::<F>()), future)
    }

    /// Returns a context of the transaction, with the current span if that is one of its spans.
    pub(crate) fn context(&self) -> Context {
        let Some(active) = &self.active else {
            return Context::default();
        };
        let current = Context::of_current();
        if current.is_of(active) { current } else { Context::of(Arc::clone(active)) }
    }
}

impl fmt::Debug for CurrentTransaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CurrentTransaction").field(&self.id()).finish()
    }
}
