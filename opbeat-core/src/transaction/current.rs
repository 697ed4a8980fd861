//! The handle to the transaction that code runs in.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

use super::code_name::CodeName;
use super::late::LateWork;
use super::{Active, Context, Detached, Entered, InTransaction, Span};
use crate::capture::{CapturedError, error_record, message_record};
use crate::record::{
    ErrorId, ErrorRecord, Level, Outcome, TraceParent, TransactionId, TransactionName, TransactionResult, User, Value,
};

/// A handle to a transaction, cheap to clone, that does nothing when there is none or when it has ended.
///
/// [`current`] returns the one that the running code is part of; the adapters have extractors for it.
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
        context.go_on();
        context.transaction.clone()
    });
    CurrentTransaction { active: active.flatten() }
}

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

    /// Names the transaction, in place of the name that the adapter gives it.
    ///
    /// Names tell apart what a developer wants to look at apart: use few different ones, without ids in them.
    pub fn set_name(&self, name: impl Into<TransactionName>) {
        if let Some(active) = &self.active {
            active.rename(name.into());
        }
    }

    /// Names the transaction after the route that matched, unless the application gives it a name of its own.
    ///
    /// It is for adapters whose frameworks tell the route only within their router, where the
    /// [`HttpTransaction`](crate::http::HttpTransaction) is out of reach.
    pub fn set_route_name(&self, name: TransactionName) {
        if let Some(active) = &self.active {
            active.name(name);
        }
    }

    /// Sets the result that the transaction is counted under, in place of the one that it ends with.
    ///
    /// A panic, a client that has gone and a time limit around the application tell more, and stay.
    pub fn set_result(&self, result: impl Into<TransactionResult>) {
        if let Some(active) = &self.active {
            active.set_result(result.into());
        }
    }

    /// Sets how the transaction ended, where its response does not tell: a handler that gave up waiting, for one.
    ///
    /// A panic, a client that has gone and a time limit around the application tell more, and stay.
    pub fn set_outcome(&self, outcome: Outcome) {
        if let Some(active) = &self.active {
            active.set_outcome(outcome);
        }
    }

    /// Says who the work is done for. Errors show it.
    pub fn set_user(&self, user: User) {
        if let Some(active) = &self.active {
            active.set_user(user);
        }
    }

    /// Sets a tag: a word to find the transaction and its errors by. At most 64 are kept.
    pub fn set_tag(&self, key: impl Into<Cow<'static, str>>, value: impl Into<Value>) {
        if let Some(active) = &self.active {
            active.set_tag(key.into(), value.into());
        }
    }

    /// Sets an extra value, to be shown with the transaction and its errors. At most 64 are kept.
    pub fn set_extra(&self, key: impl Into<Cow<'static, str>>, value: impl Into<Value>) {
        if let Some(active) = &self.active {
            active.set_extra(key.into(), value.into());
        }
    }

    /// Sets the request's body, for errors to show. Its first 8 KiB are kept, without its secrets.
    pub fn set_request_body(&self, body: impl AsRef<[u8]>) {
        const MAX_BODY: usize = 8 * 1024;
        if let Some(active) = &self.active {
            let body = body.as_ref();
            active.set_request_body(String::from_utf8_lossy(&body[..body.len().min(MAX_BODY)]).into_owned());
        }
    }

    /// Returns the id of the report that the failure is known by: what a page can show to its user.
    ///
    /// That is the report of what ended the request, as far as it is known by now, and not of what was logged on the way.
    /// Once it was asked for, it stays.
    #[must_use]
    pub fn error_id(&self) -> Option<ErrorId> {
        self.active.as_ref()?.error()
    }

    /// Returns what a call to another service has to say of the trace, as the value of its `traceparent` header.
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

    /// Returns what a call to another service has to pass on for the trace's other participants, as the value of its
    /// `tracestate` header: what came in with the request, as it came.
    #[must_use]
    pub fn trace_state(&self) -> Option<String> {
        self.active.as_ref()?.trace_state()
    }

    /// Starts a span in the transaction; see [`span`](crate::span()).
    pub fn span(&self, signature: impl Into<Cow<'static, str>>, kind: impl Into<Cow<'static, str>>) -> Span {
        match &self.active {
            Some(active) => Span::start(active, signature.into(), kind.into()),
            None => Span::default(),
        }
    }

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

    /// Makes the transaction current on this thread until the guard is dropped: for code without `async`.
    pub fn enter(&self) -> Entered {
        Entered::new(self.context())
    }

    /// Makes the transaction current whenever `future` is polled: for work that is waited for.
    ///
    /// What the future still does when the transaction is over is not recorded; [`detach`](Self::detach) is for work that
    /// nobody waits for.
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

    /// Runs a closure with the transaction current: on a thread of another pool, as often as it takes.
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
        work()
    }

    /// Makes a closure that has the transaction current when it is called: for `spawn_blocking`, threads and pools.
    ///
    /// The current span stays the parent of what the closure starts. What the closure still does when the transaction is
    /// over becomes a background transaction of its own, as with [`detach`](Self::detach).
    #[track_caller]
    pub fn wrap_fn<T, F: FnOnce() -> T>(&self, work: F) -> impl FnOnce() -> T + use<T, F> {
        let late = LateWork::new(self.context(), CodeName::of::<F>());
        move || late.run(work)
    }

    /// Lets a future go on when the transaction is over: for tasks that nobody waits for.
    ///
    /// For as long as the transaction runs, the future is part of it. What is left then becomes a background
    /// transaction of its own, of the kind `task.detached`, which knows its parent, is done for the same user and has the
    /// same tags. It is named after the function that the future was written in, or else after the line that calls this.
    ///
    /// A future that is dropped before its end, such as all tasks of a runtime that shuts down, counts as `cancelled`.
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

    /// Reports a failure that was captured before, where it happened. Returns the report's id.
    pub fn report_failure(&self, failure: &CapturedError) -> Option<ErrorId> {
        self.active.as_ref()?;
        self.report(failure.record())
    }

    pub(crate) fn report(&self, record: ErrorRecord) -> Option<ErrorId> {
        let active = self.active.as_ref()?;
        if record.level.is_failure() { active.report_error(record) } else { active.report(record) }
    }

    /// Keeps the current span, if it is one of this transaction's.
    pub(super) fn context(&self) -> Context {
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
