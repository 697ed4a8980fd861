//! The future of a response head.

use std::fmt::{self, Display};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use http_body::Body;
use opbeat_core::http::has_no_body;
use pin_project::pin_project;

use super::body::ClientBody;
use super::errors::ErrorTypes;
use super::protocol::Protocol;
use crate::outgoing::Call;

/// The future of a recorded response.
#[pin_project]
pub struct ClientFuture<F> {
    /// It is dropped before the call, because the call lasts until it has released its connection.
    #[pin]
    inner: F,
    call: Option<Call>,
    protocol: Protocol,
    error_types: ErrorTypes,
    method: &'static str,
}

impl<F> ClientFuture<F> {
    pub(super) fn new(
        inner: F,
        call: Option<Call>,
        protocol: Protocol,
        error_types: ErrorTypes,
        method: &'static str,
    ) -> Self {
        Self { inner, call, protocol, error_types, method }
    }
}

impl<F, R, E> Future for ClientFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    E: Display + 'static,
    R: Body,
    R::Error: Display + 'static,
{
    type Output = Result<Response<ClientBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let polled = match this.call {
            Some(call) => call.run(|| this.inner.poll(cx)),
            None => this.inner.poll(cx),
        };
        let result = ready!(polled);
        let mut call = this.call.take();
        match (&mut call, &result) {
            (Some(call), Ok(response)) => this.protocol.answer(call, response.status(), response.headers()),
            (Some(call), Err(error)) => call.fail(this.error_types.text(error)),
            (None, _) => {}
        }
        Poll::Ready(result.map(|response| {
            let is_empty = has_no_body(this.method, response.status().as_u16()) || response.body().is_end_stream();
            let call = call.filter(|_| !is_empty);
            response.map(|body| ClientBody::new(body, call, *this.protocol, this.error_types.clone()))
        }))
    }
}

impl<F> fmt::Debug for ClientFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientFuture").field("is_recorded", &self.call.is_some()).finish_non_exhaustive()
    }
}
