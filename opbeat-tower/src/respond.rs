//! What a response's head says of its transaction.

use http::{HeaderValue, Response, StatusCode};
use http_body::Body;
use opbeat_core::http::HttpTransaction;
use opbeat_core::record::Outcome;
use tower_http::classify::{ClassifiedResponse, ClassifyResponse};

use crate::body::OpbeatBody;
use crate::settings::Answering;
use crate::{body, carrier, grpc};

/// The header that tells a client the id of the error that was reported.
const ERROR_ID: &str = "x-opbeat-id";

/// Notes the head, and lets the body carry the transaction on to its last byte.
#[inline]
pub(crate) fn respond<B: Body, C: ClassifyResponse>(
    response: Response<B>,
    mut transaction: HttpTransaction,
    answering: &mut Answering,
    classifier: Option<C>,
) -> Response<OpbeatBody<B, C::ClassifyEos>> {
    let status = response.status();
    if status.is_client_error() || status.is_server_error() {
        carrier::report(&response, answering.places.carriers(), &transaction);
    }
    let ends_here = transaction.head(status.as_u16()) || body::ends_at_head(&response, &mut transaction, answering);
    let call = answering.grpc.as_mut();
    let is_settled = call.is_some_and(|call| grpc::note_status(response.headers(), &mut transaction, call));
    let classify_eos = match classifier.map(|classifier| classifier.classify_response(&response)) {
        Some(ClassifiedResponse::Ready(Err(_))) if !is_settled && !is_telling(status) => {
            transaction.set_outcome(Outcome::ServerError);
            None
        }
        Some(ClassifiedResponse::RequiresEos(classify_eos)) => Some(classify_eos),
        Some(ClassifiedResponse::Ready(_)) | None => None,
    };
    let mut response = response;
    // A call of gRPC that fails is answered by 200 all the same.
    if answering.tells_error_id && (status.is_server_error() || answering.grpc.is_some()) {
        tell_error_id(&mut response, &transaction);
    }
    response.map(|body| OpbeatBody::new(Some(body), transaction, classify_eos, ends_here, answering))
}

/// Answers in place of a handler that panicked: 500, and no body.
pub(crate) fn respond_to_panic<B, E>(
    mut transaction: HttpTransaction,
    answering: &mut Answering,
) -> Response<OpbeatBody<B, E>>
where
    B: Body,
    E: tower_http::classify::ClassifyEos,
{
    transaction.set_outcome(Outcome::Panicked);
    transaction.head(StatusCode::INTERNAL_SERVER_ERROR.as_u16());
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    if answering.tells_error_id {
        tell_error_id(&mut response, &transaction);
    }
    response.map(|()| OpbeatBody::new(None, transaction, None, true, answering))
}

/// The outcome follows from the status, and a classifier that only knows 5xx has nothing to add.
fn is_telling(status: StatusCode) -> bool {
    status.is_server_error()
}

fn tell_error_id<B>(response: &mut Response<B>, transaction: &HttpTransaction) {
    let id = transaction.error_id().and_then(|id| HeaderValue::try_from(id.to_string()).ok());
    if let Some(id) = id {
        response.headers_mut().insert(ERROR_ID, id);
    }
}
