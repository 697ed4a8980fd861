//! What an `App` is wrapped with.

use std::future::{Ready, ready};
use std::task::{Context, Poll};

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use opbeat_core::Agent;
use opbeat_core::http::{HttpTransaction, route};

use crate::body::OpbeatBody;
use crate::future::ResponseFuture;
use crate::request;

/// Records every request of an `App` or a scope as a transaction, named after its resource: `GET /books/{id}`.
///
/// Requests that no resource matches are counted together, as `GET unmatched`.
#[derive(Clone, Debug)]
pub struct Opbeat {
    agent: Agent,
    kind: &'static str,
}

impl Opbeat {
    /// Makes a middleware that records through an agent.
    pub fn new(agent: &Agent) -> Self {
        Self { agent: agent.clone(), kind: "web.actix" }
    }

    /// Sets the transactions' dotted kind, such as `web.admin`.
    #[must_use]
    pub fn kind(mut self, kind: &'static str) -> Self {
        self.kind = kind;
        self
    }
}

impl<S, B> Transform<S, ServiceRequest> for Opbeat
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    type Response = ServiceResponse<OpbeatBody<B>>;
    type Error = Error;
    type Transform = OpbeatMiddleware<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(OpbeatMiddleware { inner, settings: self.clone() }))
    }
}

/// A service whose requests are recorded, from [`Opbeat`].
#[derive(Clone, Debug)]
pub struct OpbeatMiddleware<S> {
    inner: S,
    settings: Opbeat,
}

impl<S, B> Service<ServiceRequest> for OpbeatMiddleware<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    type Response = ServiceResponse<OpbeatBody<B>>;
    type Error = Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let mut transaction = self.settings.begin(&request);
        let inner = {
            let _entered = transaction.enter();
            self.inner.call(request)
        };
        ResponseFuture::new(inner, transaction)
    }
}

impl Opbeat {
    fn begin(&self, request: &ServiceRequest) -> HttpTransaction {
        let method = request.method().as_str();
        let transaction = HttpTransaction::begin(&self.agent, self.kind, method, || request::record(request));
        // The resource map knows the pattern before anything is called, so that the name stands whatever happens.
        if transaction.is_recording()
            && let Some(pattern) = request.match_pattern()
        {
            transaction.set_route_name(route(method, pattern));
        }
        transaction
    }
}
