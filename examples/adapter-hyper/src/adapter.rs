//! The adapter: records each request from its arrival to the end of its response body.

use std::convert::Infallible;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::{Body as _, Incoming, SizeHint};
use hyper::header::{CONTENT_LENGTH, HeaderMap};
use hyper::service::Service;
use hyper::{Request, Response, StatusCode, Uri};
use opbeat_core::http::CapturedError;
use opbeat_core::http::{HttpTransaction, route};
use opbeat_core::{Agent, CurrentTransaction};

use crate::{Body, Monitored, Router};

/// Serves a router, and records its requests.
#[derive(Clone, Debug)]
pub struct Opbeat {
    agent: Agent,
    router: Arc<Router>,
    time_limit: Option<Duration>,
}

impl Opbeat {
    /// Records a router's requests with an agent.
    pub fn new(agent: &Agent, router: Router) -> Self {
        Self { agent: agent.clone(), router: Arc::new(router), time_limit: None }
    }

    /// Declares that the caller drops requests after this time. Such requests then count as timed out.
    #[must_use]
    pub fn outer_time_limit(self, limit: Duration) -> Self {
        Self { time_limit: Some(limit), ..self }
    }

    fn begin(&self, request: &Request<Incoming>) -> HttpTransaction {
        let method = request.method().as_str();
        // An outer adapter around the same request may record it already, on another task.
        let outer = request.extensions().get().map(|RecordedBy(outer)| outer.clone()).unwrap_or_default();
        let mut transaction = HttpTransaction::begin_within(&outer, &self.agent, "web.hyper", method, |record| {
            record.set_line(method, target(request.uri()));
            request.headers().iter().for_each(|(name, value)| record.push_header(name.as_str(), value.as_bytes()));
        });
        // The name is set before the handler is called, so that a request that panics or is dropped has it too.
        transaction
            .set_route_name_with(|| self.router.template(request.uri().path()).map(|template| route(method, template)));
        if let Some(limit) = self.time_limit {
            transaction.set_time_limit(limit);
        }
        transaction
    }
}

/// Returns the target to record: path and query, or the authority of a `CONNECT` without a path.
fn target(uri: &Uri) -> &str {
    let authority = || uri.authority()?.as_str().rsplit('@').next(); // without credentials
    uri.path_and_query().map(|target| target.as_str()).or_else(authority).unwrap_or("*")
}

/// The transaction that records a request, in the request's extensions.
#[derive(Clone)]
struct RecordedBy(CurrentTransaction);

impl Service<Request<Incoming>> for Opbeat {
    type Response = Response<Monitored<Body>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        let mut transaction = self.begin(&request);
        request.extensions_mut().insert(RecordedBy(transaction.current()));
        let handler = {
            let _entered = transaction.enter();
            self.router.call(request)
        };
        let handler = Monitored::new(handler, transaction);
        Box::pin(async {
            let (answer, transaction) = handler.await;
            Ok(respond(answer, transaction))
        })
    }
}

/// Records the status, and moves the transaction into the response body, whose end is the transaction's end.
fn respond(
    answer: Result<Response<Body>, CapturedError>,
    mut transaction: HttpTransaction,
) -> Response<Monitored<Body>> {
    let response = answer.unwrap_or_else(|failure| {
        transaction.report_captured(&failure);
        let mut response = Response::new(Body::default());
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response
    });
    let ends_here = transaction.start_response(response.status().as_u16());
    if ends_here || has_no_body(response.headers(), &response.body().size_hint(), &mut transaction) {
        mem::take(&mut transaction).complete();
    }
    response.map(|body| Monitored::new(body, transaction))
}

/// Declares the length of the body, from its size hint or its `Content-Length`. Returns whether the body is empty.
fn has_no_body(headers: &HeaderMap, size: &SizeHint, transaction: &mut HttpTransaction) -> bool {
    let declared = || headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok();
    size.exact().or_else(declared).is_some_and(|length| transaction.set_body_length(length))
}
