//! The end of a request: its response or its error, recorded in the transaction.

use std::sync::Arc;

use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::error::ErrorInternalServerError;
use actix_web::http::StatusCode;
use actix_web::{Error, HttpRequest};
use opbeat_core::http::{HttpTransaction, unmatched};
use opbeat_core::record::Outcome;

use crate::body::OpbeatBody;
use crate::error_with_id::{ERROR_ID, ErrorWithId, header_value};
use crate::report::{Downcast, report};
use crate::route_name;

/// The settings of responses and their errors.
#[derive(Clone, Debug)]
pub(crate) struct ResponseSettings {
    pub(crate) catch_panics: bool,
    pub(crate) error_id_header: bool,
    /// The registered error types of the application, if any.
    pub(crate) downcasts: Option<Arc<[Downcast]>>,
}

impl ResponseSettings {
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
        report(&transaction, error, settings.downcasts());
    }
    set_name(response.request(), response.status(), &mut transaction);
    let is_empty = matches!(response.response().body().size(), BodySize::None | BodySize::Sized(0));
    let ends_here = transaction.start_response(response.status().as_u16()) || is_empty;
    if settings.error_id_header && response.status().is_server_error() {
        add_error_id(&mut response, &transaction);
    }
    response.map_body(|_, body| OpbeatBody::new(body, transaction, ends_here))
}

/// Names the transaction after the resource that made the response.
fn set_name(request: &HttpRequest, status: StatusCode, transaction: &mut HttpTransaction) {
    // If an outer layer records the request, that layer may know a route. Only our own transaction becomes `unmatched`.
    let is_unmatched = status == StatusCode::NOT_FOUND && transaction.is_recording();
    let unmatched = || is_unmatched.then(|| unmatched(request.method().as_str()));
    transaction.set_route_name_with(|| route_name::matched(request).or_else(unmatched));
}

/// Ends the transaction of a request that failed with an error.
///
/// Actix makes the response from the error and does not call the middleware again, so the transaction ends here.
pub(crate) fn fail(transaction: HttpTransaction, error: Error, settings: &ResponseSettings) -> Error {
    report(&transaction, &error, settings.downcasts());
    end(transaction, error, settings)
}

/// Ends the transaction of a request whose handler panicked. Returns the error that replaces the handler's response.
pub(crate) fn fail_by_panic(mut transaction: HttpTransaction, settings: &ResponseSettings) -> Error {
    transaction.set_outcome(Outcome::Panicked);
    end(transaction, ErrorInternalServerError("Internal Server Error"), settings)
}

fn end(mut transaction: HttpTransaction, error: Error, settings: &ResponseSettings) -> Error {
    let status = error.as_response_error().status_code();
    transaction.start_response(status.as_u16());
    let sends_id = settings.error_id_header && status.is_server_error();
    let id = if sends_id { transaction.error_id() } else { None };
    transaction.complete();
    match id {
        Some(id) => ErrorWithId::new(error, id).into(),
        None => error,
    }
}

fn add_error_id<B>(response: &mut ServiceResponse<B>, transaction: &HttpTransaction) {
    if let Some(value) = transaction.error_id().and_then(header_value) {
        response.headers_mut().insert(ERROR_ID, value);
    }
}
