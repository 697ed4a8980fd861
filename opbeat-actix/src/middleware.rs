//! The middleware that wraps an `App` or a scope.

use std::cell::OnceCell;
use std::error::Error as StdError;
use std::future::{Ready, ready};
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{ResourceMap, Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::{Error, HttpMessage, ResponseError};
use opbeat_core::Agent;
use opbeat_core::http::{CapturedError, HttpTransaction, catch_panic};
use opbeat_core::record::RequestRecord;

use crate::body::OpbeatBody;
use crate::future::ResponseFuture;
use crate::names::PendingName;
use crate::nesting::{self, CountedMiddleware, RecordedBy};
use crate::report::Downcast;
use crate::respond::ResponseSettings;
use crate::{request, request_body};

/// Records every request of an `App` or a scope as a transaction, named after its resource: `GET /books/{id}`.
///
/// Requests that match no resource share the name `GET unmatched`. If two of these middlewares wrap the same request,
/// only the outer one records it.
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
    outer_time_limit: Option<Duration>,
    /// The number of bytes that are kept of each request body.
    request_body_limit: usize,
    response: ResponseSettings,
}

impl Opbeat {
    /// Makes a middleware that records requests with an agent. Its transactions have the kind `web.actix`.
    pub fn new(agent: &Agent) -> Self {
        let response = ResponseSettings { catch_panics: false, error_id_header: false, downcasts: None };
        Self { agent: agent.clone(), kind: "web.actix", outer_time_limit: None, request_body_limit: 0, response }
    }

    /// Sets the kind of the transactions: words separated by dots, such as `web.admin`.
    #[must_use]
    pub fn kind(mut self, kind: &'static str) -> Self {
        self.kind = kind;
        self
    }

    /// Registers an error type of the application, so that its errors are reported with their whole chain of sources.
    ///
    /// `actix_web::Error` hides the original error from code that does not name its type. These errors need no
    /// registration:
    ///
    /// - [`opbeat_actix::Error`](crate::Error)
    /// - boxed errors (`Box<dyn std::error::Error>`)
    /// - `std::io::Error`, and actix's own errors of payloads, JSON, forms and queries
    /// - `anyhow` and `eyre`, whose causes are read from the text that they print
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
        self.response.add_downcast(Downcast::to::<T>());
        self
    }

    /// Registers an error type of the application that does not implement `std::error::Error`. The function describes
    /// its values.
    ///
    /// # Examples
    ///
    /// ```
    /// # use opbeat_actix::{Agent, CapturedError, Opbeat};
    /// #[derive(Debug)]
    /// enum ShopError {
    ///     NoShelf,
    /// }
    /// # impl std::fmt::Display for ShopError {
    /// #     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str("no shelf") }
    /// # }
    /// # impl actix_web::ResponseError for ShopError {}
    /// # let agent = Agent::disabled();
    /// let opbeat = Opbeat::new(&agent).downcast_with(|error: &ShopError| CapturedError::from_debug(error));
    /// ```
    #[must_use]
    pub fn downcast_with<T, F>(mut self, describe: F) -> Self
    where
        T: ResponseError + 'static,
        F: Fn(&T) -> CapturedError + Send + Sync + 'static,
    {
        self.response.add_downcast(Downcast::with(describe));
        self
    }

    /// Sets whether a panic of a handler before its response head becomes a response with the status 500. Default:
    /// false, and the panic continues to the server, which closes the connection.
    #[must_use]
    pub fn catch_panics(mut self, enabled: bool) -> Self {
        self.response.catch_panics = enabled;
        self
    }

    /// Sets whether 5xx responses contain the id of the reported error, in the header `X-Opbeat-ID`. Default: false.
    #[must_use]
    pub fn error_id_header(mut self, enabled: bool) -> Self {
        self.response.error_id_header = enabled;
        self
    }

    /// Sets the time after which a middleware around this one drops requests. A request that is dropped at that limit
    /// has the outcome [`TimedOut`](crate::Outcome::TimedOut) instead of [`ClientGone`](crate::Outcome::ClientGone).
    ///
    /// A request that is dropped after three quarters of the time counts as timed out, because the outer middleware's
    /// clock started earlier.
    #[must_use]
    pub fn outer_time_limit(mut self, limit: Duration) -> Self {
        self.outer_time_limit = Some(limit);
        self
    }

    /// Sets how many bytes at the start of each request body are kept, at most 8 KiB (8,192 bytes). Default: 0.
    ///
    /// Errors of the request contain these bytes. Only bytes that the handler reads are kept.
    #[must_use]
    pub fn request_bodies(mut self, limit: usize) -> Self {
        self.request_body_limit = limit;
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
        let (settings, counted) = (self.clone(), CountedMiddleware::new());
        ready(Ok(OpbeatMiddleware { inner, settings, counted, resources: OnceCell::new() }))
    }
}

/// The service that [`Opbeat`] makes, which records the requests of an inner service.
#[derive(Debug)]
pub struct OpbeatMiddleware<S> {
    inner: S,
    settings: Opbeat,
    #[expect(dead_code, reason = "its drop counts")]
    counted: CountedMiddleware,
    /// All resources of the application, even if only a scope is wrapped.
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
        if self.settings.request_body_limit > 0 && transaction.is_recording() {
            request_body::keep(&mut request, transaction.current(), self.settings.request_body_limit);
        }
        let settings = self.settings.response.clone();
        let inner = {
            let _entered = transaction.enter();
            // If panics abort the process, the name must be known before a handler can panic.
            if cfg!(panic = "abort") {
                pending_name.resolve();
            }
            let call = || catch_panic(settings.catch_panics, || self.inner.call(request));
            pending_name.resolve_unless(Option::is_some, call)
        };
        ResponseFuture::new(inner, transaction, pending_name, settings)
    }
}

impl<S> OpbeatMiddleware<S> {
    fn begin(&self, request: &ServiceRequest) -> HttpTransaction {
        let Opbeat { agent, kind, outer_time_limit, .. } = &self.settings;
        let method = request.method().as_str();
        let describe = |record: &mut RequestRecord| request::describe(request, record);
        let mut transaction = if nesting::may_be_nested() {
            let outer = request.extensions().get::<RecordedBy>().map(|RecordedBy(outer)| outer.clone());
            let outer = outer.unwrap_or_default();
            let transaction = HttpTransaction::begin_within(&outer, agent, kind, method, describe);
            if transaction.is_recording() {
                request.extensions_mut().insert(RecordedBy(transaction.current()));
            }
            transaction
        } else {
            HttpTransaction::begin(agent, kind, method, describe)
        };
        if let Some(limit) = *outer_time_limit {
            transaction.set_time_limit(limit);
        }
        transaction
    }

    fn pending_name(&self, request: &ServiceRequest) -> PendingName {
        PendingName::new(self.resources.get_or_init(|| Rc::new(request.resource_map().clone())))
    }
}
