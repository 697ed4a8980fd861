//! The middleware, which records all requests of a client.

use std::future::Future;
use std::pin::Pin;

use http::Extensions;
use opbeat_core::http::static_method;
use reqwest::{Request, Response};
use reqwest_middleware::{Next, Result};

use super::{end, start};
use crate::outgoing::Attempts;

/// A middleware of `reqwest-middleware`, which records all requests of a client.
///
/// Add it before a middleware that retries, and once more after it. The request is then one span, whose extra value
/// `retries` is the number of attempts after the first.
///
/// # Errors
///
/// Returns the errors of the client and of the other middleware, unchanged.
///
/// # Examples
///
/// ```
/// use reqwest_middleware::ClientBuilder;
///
/// let client = ClientBuilder::new(reqwest::Client::new()).with(opbeat_instrument::reqwest::middleware).build();
/// ```
pub fn middleware<'a>(
    mut request: Request,
    extensions: &'a mut Extensions,
    next: Next<'a>,
) -> Pin<Box<dyn Future<Output = Result<Response>> + Send + 'a>> {
    if let Some(attempts) = extensions.get::<Attempts>() {
        attempts.count();
        return next.run(request, extensions);
    }
    let Some(call) = start(&mut request) else { return next.run(request, extensions) };
    let method = static_method(request.method().as_str());
    extensions.insert(call.attempts());
    Box::pin(async move {
        let result = call.wrap(next.run(request, extensions)).await;
        // The extensions are the caller's, who may use them for another request.
        extensions.remove::<Attempts>();
        end(call, method, result)
    })
}
