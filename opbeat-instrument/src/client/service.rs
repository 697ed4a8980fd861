//! The service, which starts the span of each request.

use std::fmt::Display;
use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use opbeat_core::http::static_method;
use tower_service::Service;

use super::body::ClientBody;
use super::future::ClientFuture;
use super::request::{RequestHead, add_headers};
use super::settings::Settings;
use crate::outgoing::{Attempts, Call};

/// A client whose requests are recorded, from [`ClientLayer`](super::ClientLayer).
#[derive(Clone, Debug)]
pub struct ClientService<S> {
    inner: S,
    settings: Settings,
}

impl<S> ClientService<S> {
    pub(super) fn new(inner: S, settings: Settings) -> Self {
        Self { inner, settings }
    }

    /// Starts the call of a request. Returns `None` outside of a transaction, and in the attempts of a request that an
    /// outer layer records.
    fn start<B>(&self, request: &mut Request<B>) -> Option<Call> {
        if let Some(attempts) = request.extensions().get::<Attempts>() {
            attempts.count();
            return None;
        }
        let head = RequestHead::of(request);
        let call = Call::start(|| self.settings.protocol.describe(self.settings.kind.clone(), &head))?;
        add_headers(&call, request.headers_mut());
        request.extensions_mut().insert(call.attempts());
        Some(call)
    }
}

impl<S, B, R> Service<Request<B>> for ClientService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Display + 'static,
    R: Body,
    R::Error: Display + 'static,
{
    type Response = Response<ClientBody<R>>;
    type Error = S::Error;
    type Future = ClientFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let method = static_method(request.method().as_str());
        let call = self.start(&mut request);
        let future = match &call {
            Some(call) => call.run(|| self.inner.call(request)),
            None => self.inner.call(request),
        };
        let Settings { protocol, error_types, .. } = &self.settings;
        ClientFuture::new(future, call, *protocol, error_types.clone(), method)
    }
}
