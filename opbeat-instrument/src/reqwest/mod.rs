//! Requests of reqwest: for each call site, or for a whole client through `reqwest-middleware`.
//!
//! A request of a transaction becomes a span of the kind `ext.http.reqwest`, from the call to the end of the response
//! body. It includes redirects and the retries of reqwest itself. See [`client`](crate::client) for the recorded values.
//!
//! # Examples
//!
//! ```no_run
//! use opbeat_instrument::reqwest::RequestBuilderExt;
//!
//! # async fn price(client: reqwest::Client) -> Result<String, reqwest::Error> {
//! let response = client.get("http://prices.example/books/42").send_recorded().await?;
//! let price = response.text().await?;
//! # Ok(price)
//! # }
//! ```

#[cfg(feature = "reqwest-middleware")]
mod middleware;

use std::borrow::Cow;
use std::fmt::Display;
use std::future::Future;

use opbeat_core::http::{has_no_body, static_method};
use reqwest::{Body, Client, Request, RequestBuilder, Response, ResponseBuilderExt};

use crate::client::{ClientBody, add_headers, error_text};
use crate::outgoing::{Call, Description, Destination};

#[cfg(feature = "reqwest-middleware")]
pub use middleware::middleware;

/// The kind of the spans.
const KIND: Cow<'static, str> = Cow::Borrowed("ext.http.reqwest");

/// Records the requests of a builder.
pub trait RequestBuilderExt {
    /// Sends the request, like [`RequestBuilder::send`], and records it as a span.
    ///
    /// # Errors
    ///
    /// Returns the errors of `send`, unchanged.
    fn send_recorded(self) -> impl Future<Output = Result<Response, reqwest::Error>> + Send;
}

impl RequestBuilderExt for RequestBuilder {
    async fn send_recorded(self) -> Result<Response, reqwest::Error> {
        let (client, request) = self.build_split();
        client.execute_recorded(request?).await
    }
}

/// Records the requests of a client.
pub trait ClientExt {
    /// Executes a request, like [`Client::execute`], and records it as a span.
    ///
    /// # Errors
    ///
    /// Returns the errors of `execute`, unchanged.
    fn execute_recorded(&self, request: Request) -> impl Future<Output = Result<Response, reqwest::Error>> + Send;
}

impl ClientExt for Client {
    async fn execute_recorded(&self, mut request: Request) -> Result<Response, reqwest::Error> {
        match start(&mut request) {
            Some(call) => {
                let method = static_method(request.method().as_str());
                let result = call.wrap(self.execute(request)).await;
                end(call, method, result)
            }
            None => self.execute(request).await,
        }
    }
}

fn start(request: &mut Request) -> Option<Call> {
    let call = Call::start(|| {
        let url = request.url();
        let (scheme, host) = (Some(url.scheme()), url.host_str());
        let destination = Destination { scheme, host, port: url.port(), path: url.path() };
        Description::http(KIND, static_method(request.method().as_str()), &destination)
    })?;
    add_headers(&call, request.headers_mut());
    Some(call)
}

fn end<E: Display + 'static>(mut call: Call, method: &str, result: Result<Response, E>) -> Result<Response, E> {
    match &result {
        Ok(response) => call.answer(response.status().as_u16()),
        Err(error) => call.fail(error_text(error)),
    }
    result.map(|response| {
        let is_empty = has_no_body(method, response.status().as_u16()) || response.content_length() == Some(0);
        if is_empty { response } else { with_call(response, call) }
    })
}

/// Moves the call into the response's body, at whose end it ends.
fn with_call(response: Response, call: Call) -> Response {
    let url = response.url().clone();
    let (mut parts, body) = http::Response::<Body>::from(response).into_parts();
    let body = Body::wrap(ClientBody::of_http(body, call));
    // reqwest keeps the URL beside the parts, and finds it in an extension that only its builder can make.
    let mut marked = http::Response::builder().url(url).body(body).expect("a response without headers is valid");
    parts.extensions.extend(std::mem::take(marked.extensions_mut()));
    Response::from(http::Response::from_parts(parts, marked.into_body()))
}
