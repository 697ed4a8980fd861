//! Requests of `awc`, the HTTP client of actix.
//!
//! Each request of a transaction becomes a span of the kind `ext.http.awc`, from the call to the end of the response
//! body. It is named after the method and the host, such as `GET prices.example`. The request has a `traceparent`
//! header, so that the called service continues the trace. The recorded values are `method`, `url` (without user info,
//! query and fragment), `status` and `error`; a request that awc's timeout drops has the error `cancelled`.
//!
//! awc follows redirects outside of its middleware, so each redirect is a span of its own. To record one span for all
//! of them, disable the redirects of awc and add its middleware before this one:
//!
//! ```
//! use awc::middleware::Redirect;
//! use opbeat_instrument::awc::Middleware;
//!
//! let client = awc::Client::builder().disable_redirects().wrap(Redirect::new()).wrap(Middleware::new()).finish();
//! ```

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_http::error::PayloadError;
use actix_http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_http::{BoxedPayloadStream, Payload, RequestHead, RequestHeadType};
use actix_service::Service;
use awc::error::SendRequestError;
use awc::middleware::Transform;
use awc::{ClientResponse, ConnectRequest, ConnectResponse};
use bytes::Bytes;
use futures_core::Stream;
use opbeat_core::http::{has_no_body, static_method};
use pin_project::pin_project;

use crate::outgoing::{Call, Description, Destination, chain_text};

/// The kind of the spans.
const KIND: Cow<'static, str> = Cow::Borrowed("ext.http.awc");

/// A middleware that records the requests of a client as spans.
///
/// # Examples
///
/// ```
/// let client = awc::Client::builder().wrap(opbeat_instrument::awc::Middleware::new()).finish();
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Middleware {
    _private: (),
}

impl Middleware {
    /// Makes a middleware.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl<S> Transform<S, ConnectRequest> for Middleware
where
    S: Service<ConnectRequest, Response = ConnectResponse, Error = SendRequestError>,
{
    type Transform = RecordedService<S>;

    fn new_transform(self, service: S) -> RecordedService<S> {
        RecordedService { service }
    }
}

/// A service whose requests are recorded, from [`Middleware`].
#[derive(Clone, Debug)]
pub struct RecordedService<S> {
    service: S,
}

impl<S> Service<ConnectRequest> for RecordedService<S>
where
    S: Service<ConnectRequest, Response = ConnectResponse, Error = SendRequestError>,
{
    type Response = ConnectResponse;
    type Error = SendRequestError;
    type Future = RecordedFuture<S::Future>;

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), SendRequestError>> {
        self.service.poll_ready(cx)
    }

    fn call(&self, mut request: ConnectRequest) -> Self::Future {
        let method = static_method(head_of(&request).method.as_str());
        let call = start(&mut request, method);
        let inner = match &call {
            Some(call) => call.run(|| self.service.call(request)),
            None => self.service.call(request),
        };
        RecordedFuture { inner, call, method }
    }
}

fn head_of(request: &ConnectRequest) -> &RequestHead {
    match request {
        ConnectRequest::Client(head, ..) => head.as_ref(),
        ConnectRequest::Tunnel(head, _) => head,
    }
}

fn start(request: &mut ConnectRequest, method: &'static str) -> Option<Call> {
    let call = Call::start(|| {
        let uri = &head_of(request).uri;
        let destination =
            Destination { scheme: uri.scheme_str(), host: uri.host(), port: uri.port_u16(), path: uri.path() };
        Description::http(KIND, method, &destination)
    })?;
    match request {
        ConnectRequest::Client(RequestHeadType::Owned(head), ..) | ConnectRequest::Tunnel(head, _) => {
            add_headers(&call, &mut head.headers, None);
        }
        // A frozen request shares its head.
        ConnectRequest::Client(RequestHeadType::Rc(head, extra), ..) => {
            add_headers(&call, extra.get_or_insert_default(), Some(&head.headers));
        }
    }
    Some(call)
}

/// Adds the headers that continue the trace, unless the application has set `traceparent` itself. Its other headers
/// stay too, also the `shared` ones of a frozen request.
fn add_headers(call: &Call, headers: &mut HeaderMap, shared: Option<&HeaderMap>) {
    let is_set = |headers: &HeaderMap, name| {
        headers.contains_key(name) || shared.is_some_and(|shared| shared.contains_key(name))
    };
    if is_set(headers, "traceparent") {
        return;
    }
    call.headers(|name, value| {
        if !is_set(headers, name)
            && let Ok(value) = HeaderValue::try_from(value)
        {
            headers.insert(HeaderName::from_static(name), value);
        }
    });
}

/// The future of a recorded response.
#[pin_project]
pub struct RecordedFuture<F> {
    /// It is dropped before the call, because the call lasts until it has released its connection.
    #[pin]
    inner: F,
    call: Option<Call>,
    method: &'static str,
}

impl<F: Future<Output = Result<ConnectResponse, SendRequestError>>> Future for RecordedFuture<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let polled = match this.call {
            Some(call) => call.run(|| this.inner.poll(cx)),
            None => this.inner.poll(cx),
        };
        let result = ready!(polled);
        let Some(mut call) = this.call.take() else { return Poll::Ready(result) };
        Poll::Ready(match result {
            Ok(ConnectResponse::Client(response)) => {
                let status = response.status().as_u16();
                call.answer(status);
                let is_empty = has_no_body(this.method, status);
                Ok(ConnectResponse::Client(if is_empty { response } else { with_call(response, call) }))
            }
            Ok(ConnectResponse::Tunnel(head, framed)) => {
                call.answer(head.status.as_u16());
                Ok(ConnectResponse::Tunnel(head, framed))
            }
            Err(error) => {
                call.fail(chain_text(&error));
                Err(error)
            }
        })
    }
}

/// Moves the call into the response's body, at whose end it ends.
fn with_call(response: ClientResponse, call: Call) -> ClientResponse {
    response.map_body(|_, payload| match payload {
        Payload::None => Payload::None,
        payload => {
            let payload: BoxedPayloadStream = Box::pin(RecordedPayload { payload, call: Some(call) });
            Payload::Stream { payload }
        }
    })
}

/// The body of a response, at whose end the call ends.
struct RecordedPayload {
    payload: Payload,
    call: Option<Call>,
}

impl Stream for RecordedPayload {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = Pin::new(&mut self.payload).poll_next(cx);
        match &polled {
            Poll::Ready(None) => self.call = None,
            Poll::Ready(Some(Err(error))) => {
                if let Some(mut call) = self.call.take() {
                    call.fail(chain_text(error));
                }
            }
            Poll::Ready(Some(Ok(_))) | Poll::Pending => {}
        }
        polled
    }
}

impl<F> fmt::Debug for RecordedFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordedFuture").field("is_recorded", &self.call.is_some()).finish_non_exhaustive()
    }
}
