//! What an `App` is wrapped with.

use std::cell::OnceCell;
use std::error::Error as StdError;
use std::future::{Ready, ready};
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{ResourceMap, Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::{Error, ResponseError};
use opbeat_core::Agent;
use opbeat_core::http::{HttpTransaction, catch_panic};

use crate::answering::Answering;
use crate::body::OpbeatBody;
use crate::failure::downcast;
use crate::future::ResponseFuture;
use crate::request;
use crate::unnamed::Unnamed;

/// Records every request of an `App` or a scope as a transaction, named after its resource: `GET /books/{id}`.
///
/// Requests that no resource matches are counted together, as `GET unmatched`. A second one around the same request adds
/// nothing.
///
/// # Examples
///
/// ```
/// use actix_web::App;
/// use opbeat_actix::{Agent, Opbeat};
///
/// let agent = Agent::from_env();
/// let app = App::new().wrap(Opbeat::new(&agent).catch_panics(true).error_id_header(true));
/// # let _ = app;
/// ```
#[derive(Clone, Debug)]
pub struct Opbeat {
    agent: Agent,
    kind: &'static str,
    time_limit: Option<Duration>,
    request_body: usize,
    answering: Answering,
}

impl Opbeat {
    /// Makes a middleware that records through an agent.
    pub fn new(agent: &Agent) -> Self {
        let answering = Answering { catches_panics: false, tells_error_id: false, downcasts: None };
        Self { agent: agent.clone(), kind: "web.actix", time_limit: None, request_body: 0, answering }
    }

    /// Sets the transactions' dotted kind, such as `web.admin`.
    #[must_use]
    pub fn kind(mut self, kind: &'static str) -> Self {
        self.kind = kind;
        self
    }

    /// Reports errors of a type of the application with their whole chain of sources.
    ///
    /// `actix_web::Error` hides what it was made of from all but those who name the type. Known without a word are
    /// [`opbeat_actix::Error`](crate::Error), boxed errors, those of the standard library's I/O, and, by the causes that
    /// they print, `anyhow` and `eyre`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use opbeat_actix::{Agent, Opbeat};
    /// # #[derive(Debug)] struct ShopError;
    /// # impl std::fmt::Display for ShopError {
    /// #     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str("no shelf") }
    /// # }
    /// # impl std::error::Error for ShopError {}
    /// # impl actix_web::ResponseError for ShopError {}
    /// # let agent = Agent::disabled();
    /// let opbeat = Opbeat::new(&agent).downcast::<ShopError>();
    /// ```
    #[must_use]
    pub fn downcast<T: ResponseError + StdError + 'static>(mut self) -> Self {
        let known = self.answering.downcasts.take();
        let downcasts = known.iter().flat_map(|known| known.iter().copied()).chain([downcast::<T>()]);
        self.answering.downcasts = Some(downcasts.collect());
        self
    }

    /// Answers 500 in place of a handler that panicked before its head. Without it, a panic goes on to the server, which
    /// closes the connection.
    #[must_use]
    pub fn catch_panics(mut self, catches: bool) -> Self {
        self.answering.catches_panics = catches;
        self
    }

    /// Tells clients the id of the error that was reported, in the header `X-Opbeat-ID` of the failed response.
    #[must_use]
    pub fn error_id_header(mut self, tells: bool) -> Self {
        self.answering.tells_error_id = tells;
        self
    }

    /// Says that a middleware around this one drops requests after this time: they then count as timed out, and not as
    /// clients that have gone. What is dropped after three quarters of the time counts so, since the outer clock started
    /// earlier.
    #[must_use]
    pub fn outer_time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = Some(limit);
        self
    }

    /// Keeps the first bytes of each request's body, at most 8 KiB, for the errors of the request to show. Only what
    /// handlers read is kept.
    #[must_use]
    pub fn request_bodies(mut self, limit: usize) -> Self {
        self.request_body = limit;
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
        ready(Ok(OpbeatMiddleware { inner, settings: self.clone(), resources: OnceCell::new() }))
    }
}

/// A service whose requests are recorded, from [`Opbeat`].
#[derive(Debug)]
pub struct OpbeatMiddleware<S> {
    inner: S,
    settings: Opbeat,
    /// All resources of the application, also where a scope is wrapped.
    resources: OnceCell<Rc<ResourceMap>>,
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

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        let mut transaction = self.begin(&request);
        let mut unnamed = self.unnamed(&request);
        if self.settings.request_body > 0 && transaction.is_recording() {
            request::keep_body(&mut request, transaction.current(), self.settings.request_body);
        }
        let answering = self.settings.answering.clone();
        let inner = {
            let _entered = transaction.enter();
            // Where a panic ends the process, nothing of ours runs after it.
            if cfg!(panic = "abort") {
                unnamed.name();
            }
            let call = || catch_panic(answering.catches_panics, || self.inner.call(request));
            unnamed.name_unless(Option::is_some, call)
        };
        ResponseFuture::new(inner, transaction, unnamed, answering)
    }
}

impl<S> OpbeatMiddleware<S> {
    fn begin(&self, request: &ServiceRequest) -> HttpTransaction {
        let Opbeat { agent, kind, time_limit, .. } = &self.settings;
        let method = request.method().as_str();
        let mut transaction = HttpTransaction::begin(agent, kind, method, |record| request::describe(request, record));
        if let Some(limit) = *time_limit {
            transaction.set_time_limit(limit);
        }
        transaction
    }

    fn unnamed(&self, request: &ServiceRequest) -> Unnamed {
        Unnamed::new(self.resources.get_or_init(|| Rc::new(request.resource_map().clone())))
    }
}
