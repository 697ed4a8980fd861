//! The adapter: records each request from its arrival to the end of its response body.

use std::error::Error as _;
use std::mem;

use http_body::{Body as _, SizeHint};
use http_body_util::BodyExt;
use http_body_util::combinators::BoxBody;
use opbeat_core::http::CapturedError;
use opbeat_core::http::{HttpTransaction, outcome_of_status};
use opbeat_core::record::{Outcome, RequestRecord};
use opbeat_core::{Agent, CurrentTransaction};
use poem::http::header::CONTENT_LENGTH;
use poem::http::{HeaderMap, Uri};
use poem::{Body, Endpoint, Error, IntoResponse, Middleware, Request, Response, Result};

use crate::monitored::Monitored;
use crate::route_name;

/// Records every request to the endpoint that it wraps as a transaction, named after its route: `GET /books/{id}`.
///
/// Wrap the whole application with it. There, poem names the route in the response only, so a request that panics is
/// counted as `GET unmatched`. A second middleware around an endpoint names those requests too, and records nothing
/// else.
#[derive(Clone, Debug)]
pub struct Opbeat {
    agent: Agent,
}

impl Opbeat {
    /// Creates a middleware that records with an agent.
    pub fn new(agent: &Agent) -> Self {
        Self { agent: agent.clone() }
    }
}

impl<E: Endpoint> Middleware<E> for Opbeat {
    type Output = OpbeatEndpoint<E>;

    fn transform(&self, inner: E) -> OpbeatEndpoint<E> {
        OpbeatEndpoint { inner, agent: self.agent.clone() }
    }
}

/// An endpoint whose requests are recorded, from [`Opbeat`].
#[derive(Debug)]
pub struct OpbeatEndpoint<E> {
    inner: E,
    agent: Agent,
}

impl<E: Endpoint> Endpoint for OpbeatEndpoint<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> Result<Response> {
        let method = request.method().clone();
        // An outer middleware around the same request may record it already, on another task.
        let outer = request.extensions().get().map(|RecordedBy(outer)| outer.clone()).unwrap_or_default();
        let mut transaction =
            HttpTransaction::begin_within(&outer, &self.agent, "web.poem", method.as_str(), |record| {
                describe(&request, record);
            });
        route_name::set_early(&transaction, &request);
        request.extensions_mut().insert(RecordedBy(transaction.current()));
        let handler = {
            let _entered = transaction.enter();
            Box::pin(self.inner.call(request))
        };
        let (answer, mut transaction) = Monitored::new(handler, transaction).await;
        let answer = answer.map(IntoResponse::into_response);
        route_name::set(&mut transaction, &method, &answer);
        match answer {
            Ok(response) => Ok(respond(response, transaction)),
            Err(error) => Err(fail(error, transaction)),
        }
    }
}

/// The transaction that records a request, in the request's extensions.
#[derive(Clone)]
struct RecordedBy(CurrentTransaction);

fn describe(request: &Request, record: &mut RequestRecord) {
    // A nested route receives only the rest of the path, so the original URI is used.
    record.set_line(request.method().as_str(), target(request.original_uri()));
    record.set_client(request.remote_addr().as_socket_addr().map(|address| address.ip()));
    request.headers().iter().for_each(|(name, value)| record.push_header(name.as_str(), value.as_bytes()));
}

/// Returns the target to record: path and query, or the authority of a `CONNECT` without a path.
fn target(uri: &Uri) -> &str {
    let authority = || uri.authority()?.as_str().rsplit('@').next(); // without credentials
    uri.path_and_query().map(|target| target.as_str()).or_else(authority).unwrap_or("*")
}

/// Records the status, and moves the transaction into the response body, whose end is the transaction's end.
fn respond(mut response: Response, mut transaction: HttpTransaction) -> Response {
    let body = BoxBody::from(response.take_body());
    let ends_here = transaction.start_response(response.status().as_u16());
    if ends_here || has_no_body(response.headers(), &body.size_hint(), &mut transaction) {
        mem::take(&mut transaction).complete();
    }
    response.set_body(Body::from(Monitored::new(body, transaction).boxed()));
    response
}

/// Declares the length of the body, from its size hint or its `Content-Length`. Returns whether the body is empty.
fn has_no_body(headers: &HeaderMap, size: &SizeHint, transaction: &mut HttpTransaction) -> bool {
    let declared = || headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok();
    size.exact().or_else(declared).is_some_and(|length| transaction.set_body_length(length))
}

/// Records the error that poem turns into a response. The middleware never gets that response, so the transaction ends
/// here.
fn fail(error: Error, mut transaction: HttpTransaction) -> Error {
    let status = error.status().as_u16();
    // A `CapturedError` contains the handler's line. Otherwise the source is the error that poem's error was made from.
    // Timeouts are outcomes, not errors.
    if let Some(failure) = error.data::<CapturedError>().filter(|_| status >= 500) {
        transaction.report_captured(failure);
    } else if outcome_of_status(status) == Outcome::ServerError
        && let Some(source) = error.source()
    {
        transaction.report_captured(&CapturedError::received(source));
    }
    transaction.start_response(status);
    transaction.complete();
    error
}
