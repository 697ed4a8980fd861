//! What handlers and middlewares fail with.

use std::error::Error as StdError;
use std::io;

use actix_web::error::{JsonPayloadError, PayloadError, QueryPayloadError, UrlencodedError};
use actix_web::http::StatusCode;
use actix_web::{Error, ResponseError};
use opbeat_core::CurrentTransaction;
use opbeat_core::http::CapturedError;
use opbeat_core::http::HttpTransaction;

use crate::printed::Printed;

/// Reports an error if it is of the type that this one knows. Returns whether it is.
pub(crate) type Downcast = fn(&Error, &CurrentTransaction) -> bool;

/// Returns the downcast to a type.
pub(crate) fn downcast<T: ResponseError + StdError + 'static>() -> Downcast {
    |error, transaction| {
        let known = error.as_error::<T>();
        known.map(|known| transaction.report_captured(&CapturedError::received(known))).is_some()
    }
}

/// What is known of all applications.
const KNOWN: [Downcast; 7] = [
    |error, transaction| {
        let known = error.as_error::<crate::Error>();
        known.map(|known| transaction.report_captured(known.failure())).is_some()
    },
    |error, transaction| {
        let known = error.as_error::<Box<dyn StdError>>();
        known.map(|known| transaction.report_captured(&CapturedError::received(&**known))).is_some()
    },
    |error, transaction| capture::<io::Error>(error, transaction),
    |error, transaction| capture::<JsonPayloadError>(error, transaction),
    |error, transaction| capture::<PayloadError>(error, transaction),
    |error, transaction| capture::<QueryPayloadError>(error, transaction),
    |error, transaction| capture::<UrlencodedError>(error, transaction),
];

fn capture<T: ResponseError + StdError + 'static>(error: &Error, transaction: &CurrentTransaction) -> bool {
    downcast::<T>()(error, transaction)
}

/// Reports an error that ends a request with 5xx, with its causes as far as its type is known, or prints them. What the
/// client did wrong is noted with the transaction.
pub(crate) fn report(transaction: &HttpTransaction, error: &Error, downcasts: &[Downcast]) {
    if !transaction.is_recording() {
        return;
    }
    let current = transaction.current();
    let status = error.as_response_error().status_code();
    if status.is_client_error() {
        current.set_extra("error", error.to_string());
    }
    if status.is_server_error() && !downcasts.iter().chain(&KNOWN).any(|downcast| downcast(error, &current)) {
        let printed = Printed::of(error);
        // A time limit is an outcome, and no error.
        if status != StatusCode::GATEWAY_TIMEOUT || !printed.is_time_limit() {
            current.report_captured(&CapturedError::received::<dyn StdError>(&printed));
        }
    }
}
