//! A call to another service, which is a span of the caller's transaction.

use std::borrow::Cow;
#[cfg(any(feature = "lapin", feature = "reqwest"))]
use std::future::{Future, poll_fn};
#[cfg(any(feature = "lapin", feature = "reqwest"))]
use std::pin::pin;

use opbeat_core::Span;
use opbeat_core::instrument::Position;
use opbeat_core::record::Value;

#[cfg(feature = "tower")]
use super::attempts::Attempts;
#[cfg(any(feature = "awc", feature = "tower", feature = "ureq"))]
use super::destination::Destination;
use super::propagation;

/// A running call. Its span is a leaf, and ends when the call is dropped.
pub(crate) struct Call {
    span: Span,
    /// The position in the span, or the caller's position if the span is not recorded.
    position: Position,
    #[cfg(feature = "tower")]
    attempts: Attempts,
    /// The call has a response or an error. A call that is dropped before is cancelled.
    is_answered: bool,
}

/// The properties of a call that are known before its response.
pub(crate) struct Description {
    pub(crate) kind: Cow<'static, str>,
    pub(crate) signature: String,
    pub(crate) method: Option<&'static str>,
    pub(crate) url: Option<String>,
}

#[cfg(any(feature = "awc", feature = "tower", feature = "ureq"))]
impl Description {
    /// Describes a request of HTTP.
    pub(crate) fn http(kind: Cow<'static, str>, method: &'static str, destination: &Destination<'_>) -> Self {
        Self { kind, signature: destination.signature(method), method: Some(method), url: Some(destination.url()) }
    }
}

impl Call {
    /// Starts a call in the current transaction. Returns `None` if there is none, and then describes nothing.
    pub(crate) fn start(describe: impl FnOnce() -> Description) -> Option<Self> {
        let caller = Position::current()?;
        let Description { kind, signature, method, url } = describe();
        let span = caller.start(signature, kind).leaf();
        if let Some(method) = method {
            span.set_extra("method", method);
        }
        if let Some(url) = url {
            span.set_extra("url", url);
        }
        let position = span.position().unwrap_or(caller);
        Some(Self {
            span,
            position,
            #[cfg(feature = "tower")]
            attempts: Attempts::default(),
            is_answered: false,
        })
    }

    /// Passes the headers that continue the trace in the called service to a function, as names and values.
    pub(crate) fn headers(&self, set: impl FnMut(&'static str, String)) {
        propagation::headers(&self.position, set);
    }

    /// Returns the counter for the attempts of layers below this call.
    #[cfg(feature = "tower")]
    pub(crate) fn attempts(&self) -> Attempts {
        self.attempts.clone()
    }

    /// Runs a closure while the call is current on this thread, so that libraries below add no spans of their own.
    pub(crate) fn run<T>(&self, work: impl FnOnce() -> T) -> T {
        let _entered = self.position.enter();
        work()
    }

    /// Runs a future in the same way.
    #[cfg(any(feature = "lapin", feature = "reqwest"))]
    pub(crate) async fn wrap<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        poll_fn(|cx| self.run(|| future.as_mut().poll(cx))).await
    }

    /// Sets an extra value of the span.
    #[cfg(feature = "tower")]
    pub(crate) fn set_extra(&self, key: &'static str, value: impl Into<Value>) {
        self.span.set_extra(key, value);
    }

    /// Records the status of the response. One of 400 or more is an error too, because the values of a failed call are
    /// kept apart when repeated calls are combined.
    #[cfg(any(feature = "awc", feature = "tower", feature = "ureq"))]
    pub(crate) fn answer(&mut self, status: u16) {
        self.is_answered = true;
        self.span.set_extra("status", u32::from(status));
        if status >= 400 {
            self.span.set_extra("error", format!("HTTP {status}"));
        }
    }

    /// Records that a response has arrived, whose status is not one of HTTP.
    #[cfg(any(feature = "lapin", feature = "tower"))]
    pub(crate) fn note_answer(&mut self) {
        self.is_answered = true;
    }

    /// Records that the call failed, or that its response did.
    pub(crate) fn fail(&mut self, error: impl Into<Value>) {
        self.is_answered = true;
        self.span.set_extra("error", error);
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        #[cfg(feature = "tower")]
        if self.attempts.retries() > 0 {
            self.span.set_extra("retries", self.attempts.retries());
        }
        if !self.is_answered {
            self.span.set_extra("error", "cancelled");
        }
    }
}
