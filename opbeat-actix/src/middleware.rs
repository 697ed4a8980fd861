//! The middleware that wraps an `App`.

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

use crate::body::OpbeatBody;
use crate::future::ResponseFuture;
use crate::pending_name::PendingName;
use crate::report::downcast;
use crate::settings::ResponseSettings;
use crate::{request, request_body};

/// Records every request of an `App` or a scope as a transaction, named after its resource: `GET /books/{id}`.
///
/// Requests that no resource matches are counted together, as `GET unmatched`. A second middleware around the same
/// request records nothing.
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
    response: ResponseSettings,
}

impl Opbeat {
    /// Creates a middleware that records with an agent.
    pub fn new(agent: &Agent) -> Self {
        let response = ResponseSettings { catches_panics: false, sends_error_id: false, downcasts: None };
        Self { agent: agent.clone(), kind: "web.actix", time_limit: None, request_body: 0, response }
    }

    /// Sets the transactions' dotted kind, such as `web.admin`.
    #[must_use]
    pub fn kind(mut self, kind: &'static str) -> Self {
        self.kind = kind;
        self
    }

    /// Reports errors of a type of the application with their whole chain of sources.
    ///
    /// `actix_web::Error` shows the error inside only to code that names the type. These types need no registration:
    /// [`opbeat_actix::Error`](crate::Error), boxed errors, errors of the standard library's I/O, and errors of actix's
    /// payload extractors. The causes of `anyhow` and `eyre` are read from their printed text.
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
        let known = self.response.downcasts.take();
        let downcasts = known.iter().flat_map(|known| known.iter().copied()).chain([downcast::<T>()]);
        self.response.downcasts = Some(downcasts.collect());
        self
    }

    /// Responds with 500 if a handler panics before its response head (status and headers). Without this setting, the
    /// panic unwinds into the server, which closes the connection.
    #[must_use]
    pub fn catch_panics(mut self, catches: bool) -> Self {
        self.response.catches_panics = catches;
        self
    }

    /// Sends the id of the reported error to the client, in the header `X-Opbeat-ID` of a 5xx response.
    #[must_use]
    pub fn error_id_header(mut self, sends: bool) -> Self {
        self.response.sends_error_id = sends;
        self
    }

    /// Declares the time after which a middleware outside this one drops requests. Such requests count as timed out,
    /// not as disconnected clients.
    ///
    /// A request that is dropped after three quarters of the time counts as timed out, because the outer clock started
    /// earlier.
    #[must_use]
    pub fn outer_time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = Some(limit);
        self
    }

    /// Keeps the first `limit` bytes of each request body, at most 8 KiB, for the errors of the request. Only the bytes
    /// that handlers read are kept.
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
    /// All resources of the application, even if a scope is wrapped.
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
        let mut pending_name = self.pending_name(&request);
        if self.settings.request_body > 0 && transaction.is_recording() {
            request_body::keep(&mut request, transaction.current(), self.settings.request_body);
        }
        let response = self.settings.response.clone();
        let inner = {
            let _entered = transaction.enter();
            // If a panic aborts the process, none of our code runs after it, so the request is named before.
            if cfg!(panic = "abort") {
                pending_name.name();
            }
            let call = || catch_panic(response.catches_panics, || self.inner.call(request));
            pending_name.name_unless(Option::is_some, call)
        };
        ResponseFuture::new(inner, transaction, pending_name, response)
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

    fn pending_name(&self, request: &ServiceRequest) -> PendingName {
        PendingName::new(self.resources.get_or_init(|| Rc::new(request.resource_map().clone())))
    }
}
