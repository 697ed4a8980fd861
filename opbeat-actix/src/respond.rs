//! What a response's head says of its transaction.

use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::error::ErrorInternalServerError;
use actix_web::http::StatusCode;
use actix_web::{Error, HttpRequest};
use opbeat_core::http::{HttpTransaction, unmatched};
use opbeat_core::record::Outcome;

use crate::answering::Answering;
use crate::body::OpbeatBody;
use crate::told::{self, ERROR_ID, Told};
use crate::{failure, patterns};

/// Notes the head, and lets the body carry the transaction on to its last byte.
pub(crate) fn respond<B: MessageBody>(
    mut response: ServiceResponse<B>,
    mut transaction: HttpTransaction,
    answering: &Answering,
) -> ServiceResponse<OpbeatBody<B>> {
    if let Some(error) = response.response().error() {
        failure::report(&transaction, error, answering.downcasts.as_deref().unwrap_or_default());
    }
    name(response.request(), response.status(), &mut transaction);
    let is_empty = matches!(response.response().body().size(), BodySize::None | BodySize::Sized(0));
    let ends_here = transaction.head(response.status().as_u16()) || is_empty;
    if answering.tells_error_id && response.status().is_server_error() {
        tell_error_id(&mut response, &transaction);
    }
    response.map_body(|_, body| OpbeatBody::new(body, transaction, ends_here))
}

/// Names the transaction after the resource that answered.
fn name(request: &HttpRequest, status: StatusCode, transaction: &mut HttpTransaction) {
    // The layer around, where there is one, may know better than that there is no route.
    let is_unmatched = status == StatusCode::NOT_FOUND && transaction.is_recording();
    let unmatched = || is_unmatched.then(|| unmatched(request.method().as_str()));
    transaction.name_route(|| patterns::taken(request).or_else(unmatched));
}

/// Actix answers with what the error makes of itself; nobody is asked once more, and so the transaction ends here.
pub(crate) fn fail(transaction: HttpTransaction, error: Error, answering: &Answering) -> Error {
    failure::report(&transaction, &error, answering.downcasts.as_deref().unwrap_or_default());
    end(transaction, error, answering)
}

/// Answers in place of a handler that panicked.
pub(crate) fn fail_by_panic(mut transaction: HttpTransaction, answering: &Answering) -> Error {
    transaction.set_outcome(Outcome::Panicked);
    end(transaction, ErrorInternalServerError("Internal Server Error"), answering)
}

fn end(mut transaction: HttpTransaction, error: Error, answering: &Answering) -> Error {
    let status = error.as_response_error().status_code();
    transaction.head(status.as_u16());
    let tells = answering.tells_error_id && status.is_server_error();
    let id = if tells { transaction.error_id() } else { None };
    transaction.complete();
    match id {
        Some(id) => Told::new(error, id).into(),
        None => error,
    }
}

fn tell_error_id<B>(response: &mut ServiceResponse<B>, transaction: &HttpTransaction) {
    if let Some(value) = transaction.error_id().and_then(told::value) {
        response.headers_mut().insert(ERROR_ID, value);
    }
}
