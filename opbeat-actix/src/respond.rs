//! The end of a request: its response or its error, recorded in the transaction.

use std::sync::Arc;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue};
use actix_web::{Error, HttpRequest, HttpResponse};
use opbeat_core::http::{HttpTransaction, unmatched};

use crate::body::{OpbeatBody, ResponseEnd};
use crate::names;
use crate::report::{Downcast, report};

/// The response header with the id of the reported error.
pub(crate) const ERROR_ID: HeaderName = HeaderName::from_static("x-opbeat-id");

/// The settings of responses and their errors.
#[derive(Clone, Debug)]
pub(crate) struct ResponseSettings {
    pub(crate) catch_panics: bool,
    pub(crate) error_id_header: bool,
    /// The registered error types of the application, if any.
    pub(crate) downcasts: Option<Arc<[Downcast]>>,
}

impl ResponseSettings {
    pub(crate) fn add_downcast(&mut self, downcast: Downcast) {
        let known = self.downcasts.take();
        self.downcasts = Some(known.iter().flat_map(|known| known.iter().cloned()).chain([downcast]).collect());
    }

    fn downcasts(&self) -> &[Downcast] {
        self.downcasts.as_deref().unwrap_or_default()
    }
}

/// Records the response head (status and headers). The body then holds the transaction until the end of the response
/// body.
pub(crate) fn respond<B: MessageBody>(
    mut response: ServiceResponse<B>,
    mut transaction: HttpTransaction,
    settings: &ResponseSettings,
) -> ServiceResponse<OpbeatBody<B>> {
    if let Some(error) = response.response().error() {
        report(&transaction, error, response.status(), settings.downcasts());
    }
    set_name(response.request(), response.status(), &mut transaction);
    let end = start(response.response_mut(), &mut transaction, settings);
    response.map_body(|_, body| OpbeatBody::new(body, transaction, end))
}

/// Records the response that actix makes from an error of a middleware. If `error` is the error, it is reported.
pub(crate) fn respond_to_error(
    mut response: HttpResponse<BoxBody>,
    mut transaction: HttpTransaction,
    settings: &ResponseSettings,
    error: Option<&Error>,
) -> HttpResponse<BoxBody> {
    if let Some(error) = error {
        report(&transaction, error, response.status(), settings.downcasts());
    }
    // Such a body is in memory. A middleware that only looks at the response may throw it away and make another one, so
    // the transaction does not wait for the end of the body.
    let end = match start(&mut response, &mut transaction, settings) {
        ResponseEnd::Length(_) => ResponseEnd::Head,
        end => end,
    };
    response.map_body(|_, body| BoxBody::new(OpbeatBody::new(body, transaction, end)))
}

/// Starts the response in the transaction, and adds the id of the reported error. Returns where the response ends.
fn start<B: MessageBody>(
    response: &mut HttpResponse<B>,
    transaction: &mut HttpTransaction,
    settings: &ResponseSettings,
) -> ResponseEnd {
    let status = response.status();
    if status.is_client_error() || status.is_server_error() {
        let headers = response.headers().iter();
        transaction.set_response_headers(headers.map(|(name, value)| (name.as_str(), value.as_bytes())));
    }
    let has_no_body = transaction.start_response(status.as_u16());
    if settings.error_id_header
        && status.is_server_error()
        && let Some(value) = transaction.error_id().and_then(|id| HeaderValue::try_from(id.to_string()).ok())
    {
        response.headers_mut().insert(ERROR_ID, value);
    }
    match response.body().size() {
        _ if has_no_body => ResponseEnd::Head,
        BodySize::None | BodySize::Sized(0) => ResponseEnd::Head,
        BodySize::Sized(length) => ResponseEnd::Length(length),
        // Actix ignores the header of a chunked stream: a compressed body is shorter.
        BodySize::Stream if response.head().chunked() => ResponseEnd::Body,
        BodySize::Stream => declared_length(response.headers()).map_or(ResponseEnd::Body, ResponseEnd::Length),
    }
}

/// Returns the length that a response without a known body declares: that of a file or of a proxied response.
fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Names the transaction after the resource that made the response.
fn set_name(request: &HttpRequest, status: StatusCode, transaction: &mut HttpTransaction) {
    // If an outer layer records the request, that layer may know a route. Only our own transaction becomes `unmatched`.
    let is_unmatched = status == StatusCode::NOT_FOUND && transaction.is_recording();
    let unmatched = || is_unmatched.then(|| unmatched(request.method().as_str()));
    transaction.set_route_name_with(|| names::matched(request).or_else(unmatched));
}
