//! From the response, or the error of the handler, to the end of the transaction.

use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::error::ErrorInternalServerError;
use actix_web::http::StatusCode;
use actix_web::{Error, HttpRequest};
use opbeat_core::http::{HttpTransaction, unmatched};
use opbeat_core::record::Outcome;

use crate::body::OpbeatBody;
use crate::error_with_id::{ERROR_ID, ErrorWithId, header_value};
use crate::report::report;
use crate::route_name;
use crate::settings::ResponseSettings;

/// Records the response head (status and headers), and moves the transaction into the body, at whose end it ends.
pub(crate) fn respond<B: MessageBody>(
    mut response: ServiceResponse<B>,
    mut transaction: HttpTransaction,
    settings: &ResponseSettings,
) -> ServiceResponse<OpbeatBody<B>> {
    if let Some(error) = response.response().error() {
        report(&transaction, error, settings.downcasts.as_deref().unwrap_or_default());
    }
    name(response.request(), response.status(), &mut transaction);
    let is_empty = matches!(response.response().body().size(), BodySize::None | BodySize::Sized(0));
    let ends_here = transaction.start_response(response.status().as_u16()) || is_empty;
    if settings.sends_error_id && response.status().is_server_error() {
        add_error_id(&mut response, &transaction);
    }
    response.map_body(|_, body| OpbeatBody::new(body, transaction, ends_here))
}

/// Names the transaction after the resource that responded.
fn name(request: &HttpRequest, status: StatusCode, transaction: &mut HttpTransaction) {
    // Without a transaction of our own, an outer layer is recording. It may know the route, so it is not named
    // `unmatched`.
    let is_unmatched = status == StatusCode::NOT_FOUND && transaction.is_recording();
    let unmatched = || is_unmatched.then(|| unmatched(request.method().as_str()));
    transaction.set_route_name_with(|| route_name::taken(request).or_else(unmatched));
}

/// Ends the transaction with an error.
///
/// Actix turns the error into a response later, outside this middleware, so the transaction ends here.
pub(crate) fn fail(transaction: HttpTransaction, error: Error, settings: &ResponseSettings) -> Error {
    report(&transaction, &error, settings.downcasts.as_deref().unwrap_or_default());
    end(transaction, error, settings)
}

/// Ends the transaction of a handler that panicked, and returns the error that becomes its response.
pub(crate) fn fail_by_panic(mut transaction: HttpTransaction, settings: &ResponseSettings) -> Error {
    transaction.set_outcome(Outcome::Panicked);
    end(transaction, ErrorInternalServerError("Internal Server Error"), settings)
}

fn end(mut transaction: HttpTransaction, error: Error, settings: &ResponseSettings) -> Error {
    let status = error.as_response_error().status_code();
    transaction.start_response(status.as_u16());
    let sends_id = settings.sends_error_id && status.is_server_error();
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
