//! Requests of ureq.
//!
//! Each request of a transaction becomes a span of the kind `ext.http.ureq`, named after the method and the host, such as
//! `GET prices.example`. Redirects are part of it. The request has a `traceparent` header, so that the called service
//! continues the trace. The recorded values are `method`, `url` (without user info, query and fragment), `status` and
//! `error`.

use std::borrow::Cow;
use std::io::{self, Read};

use opbeat_core::http::{has_no_body, static_method};
use ureq::middleware::MiddlewareNext;
use ureq::{Body, Error, SendBody, http};

use crate::outgoing::{Call, Description, Destination, chain_text};

/// The kind of the spans.
const KIND: Cow<'static, str> = Cow::Borrowed("ext.http.ureq");

/// A middleware that records the requests of an agent as spans.
///
/// # Examples
///
/// ```
/// let agent: ureq::Agent =
///     ureq::Agent::config_builder().middleware(opbeat_instrument::ureq::Middleware::new()).build().into();
/// ```
#[derive(Clone, Debug, Default)]
pub struct Middleware {
    includes_bodies: bool,
}

impl Middleware {
    /// Makes a middleware whose spans last to the response head.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes the spans last to the end of the response body, or until it is dropped.
    ///
    /// Default: off, because ureq has no way to wrap a body and to keep its length. With this setting,
    /// [`Body::content_length`] returns `None`, and a body that is passed on as the body of another request is sent
    /// empty, unless it is passed on with [`SendBody::from_owned_reader`].
    #[must_use]
    pub fn include_bodies(mut self) -> Self {
        self.includes_bodies = true;
        self
    }
}

impl ureq::middleware::Middleware for Middleware {
    fn handle(
        &self,
        mut request: http::Request<SendBody<'_>>,
        next: MiddlewareNext<'_>,
    ) -> Result<http::Response<Body>, Error> {
        let method = static_method(request.method().as_str());
        let Some(mut call) = start(&mut request, method) else { return next.handle(request) };
        let result = call.run(|| next.handle(request));
        match &result {
            Ok(response) => call.answer(response.status().as_u16()),
            Err(Error::StatusCode(status)) => call.answer(*status),
            Err(error) => call.fail(chain_text(error)),
        }
        let mut response = result?;
        let is_empty = has_no_body(method, response.status().as_u16()) || response.body().content_length() == Some(0);
        if self.includes_bodies && !is_empty {
            response = response.map(|body| with_call(body, call));
        }
        Ok(response)
    }
}

fn start(request: &mut http::Request<SendBody<'_>>, method: &'static str) -> Option<Call> {
    let call = Call::start(|| {
        let uri = request.uri();
        let destination =
            Destination { scheme: uri.scheme_str(), host: uri.host(), port: uri.port_u16(), path: uri.path() };
        Description::http(KIND, method, &destination)
    })?;
    let headers = request.headers_mut();
    if !headers.contains_key("traceparent") {
        call.headers(|name, value| {
            if !headers.contains_key(name)
                && let Ok(value) = http::HeaderValue::try_from(value)
            {
                headers.insert(name, value);
            }
        });
    }
    Some(call)
}

/// Moves the call into the body, at whose end it ends.
fn with_call(body: Body, call: Call) -> Body {
    let mut builder = Body::builder();
    if let Some(mime_type) = body.mime_type() {
        builder = builder.mime_type(mime_type);
    }
    // The reader of the body converts other encodings, so the new body must not convert them once more.
    if let Some(charset) = body.charset().filter(|charset| charset.eq_ignore_ascii_case("utf-8")) {
        builder = builder.charset(charset);
    }
    builder.reader(RecordedReader { reader: body.into_reader(), call: Some(call) })
}

/// Reads a body, and ends the call at its end.
struct RecordedReader<R> {
    reader: R,
    call: Option<Call>,
}

impl<R: Read> Read for RecordedReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer);
        match &read {
            Ok(0) if !buffer.is_empty() => self.call = None,
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                if let Some(mut call) = self.call.take() {
                    call.fail(chain_text(error));
                }
            }
            Ok(_) | Err(_) => {}
        }
        read
    }
}
