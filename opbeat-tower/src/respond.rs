//! The response head, and the responses to panics.

use http::{HeaderValue, Response, StatusCode};
use http_body::Body;
use opbeat_core::http::HttpTransaction;
use opbeat_core::record::Outcome;
use tower_http::classify::{ClassifiedResponse, ClassifyResponse};

use crate::body::OpbeatBody;
use crate::settings::ResponseSettings;
use crate::{body, extension, grpc};

/// The header with the id of the reported error.
const ERROR_ID: &str = "x-opbeat-id";

/// Records the response head, and moves the transaction into the body, which ends it.
#[inline]
pub(crate) fn respond<B: Body, C: ClassifyResponse>(
    response: Response<B>,
    mut transaction: HttpTransaction,
    settings: &mut ResponseSettings,
    classifier: Option<C>,
) -> Response<OpbeatBody<B, C::ClassifyEos>> {
    let status = response.status();
    if status.is_client_error() || status.is_server_error() {
        transaction
            .set_response_headers(response.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes())));
        extension::report(&response, settings.error_types.extensions(), &transaction);
    }
    settings.retain_call(response.headers());
    let has_ended =
        transaction.start_response(status.as_u16()) || body::is_empty(&response, &mut transaction, settings);
    let has_grpc_status =
        settings.grpc.as_mut().is_some_and(|call| grpc::record_status(response.headers(), &mut transaction, call));
    let classify_eos = match classifier.map(|classifier| classifier.classify_response(&response)) {
        // A status of 5xx needs no classifier: the transaction derives its outcome from it.
        Some(ClassifiedResponse::Ready(Err(_))) if !has_grpc_status && !status.is_server_error() => {
            transaction.set_outcome(Outcome::ServerError);
            None
        }
        Some(ClassifiedResponse::RequiresEos(classify_eos)) => Some(classify_eos),
        Some(ClassifiedResponse::Ready(_)) | None => None,
    };
    let mut response = response;
    // The HTTP status of a failed gRPC call is 200.
    if settings.sends_error_id && (status.is_server_error() || settings.grpc.is_some()) {
        insert_error_id(&mut response, &transaction);
    }
    response.map(|body| OpbeatBody::new(Some(body), transaction, classify_eos, has_ended, settings))
}

/// Responds for a handler that panicked, with 500 and an empty body.
pub(crate) fn respond_to_panic<B, E>(
    mut transaction: HttpTransaction,
    settings: &mut ResponseSettings,
) -> Response<OpbeatBody<B, E>>
where
    B: Body,
    E: tower_http::classify::ClassifyEos,
{
    transaction.set_outcome(Outcome::Panicked);
    transaction.start_response(StatusCode::INTERNAL_SERVER_ERROR.as_u16());
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    if settings.sends_error_id {
        insert_error_id(&mut response, &transaction);
    }
    response.map(|()| OpbeatBody::new(None, transaction, None, true, settings))
}

fn insert_error_id<B>(response: &mut Response<B>, transaction: &HttpTransaction) {
    let id = transaction.error_id().and_then(|id| HeaderValue::try_from(id.to_string()).ok());
    if let Some(id) = id {
        response.headers_mut().insert(ERROR_ID, id);
    }
}
