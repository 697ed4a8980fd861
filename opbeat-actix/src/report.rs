//! Reports of the errors of handlers and middlewares.

use std::error::Error as StdError;
use std::io;

use actix_web::error::{JsonPayloadError, PayloadError, QueryPayloadError, UrlencodedError};
use actix_web::http::StatusCode;
use actix_web::{Error, ResponseError};
use opbeat_core::CurrentTransaction;
use opbeat_core::http::{CapturedError, HttpTransaction};

use crate::printed_error::PrintedError;

/// Reports an error if it is of one certain type. Returns whether it is of that type.
pub(crate) type Downcast = fn(&Error, &CurrentTransaction) -> bool;

/// Returns the downcast for a type.
pub(crate) fn downcast<T: ResponseError + StdError + 'static>() -> Downcast {
    |error, transaction| {
        let known = error.as_error::<T>();
        known.map(|known| transaction.report_captured(&CapturedError::received(known))).is_some()
    }
}

/// The error types that need no registration.
const KNOWN: [Downcast; 7] = [
    |error, transaction| {
        let known = error.as_error::<crate::Error>();
        known.map(|known| transaction.report_captured(known.captured())).is_some()
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

/// Reports an error that ends a request with 5xx. The causes come from the error if its type is known, and from its
/// printed text otherwise. An error with a 4xx status is not reported; its message becomes a value of the transaction.
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
        let printed = PrintedError::of(error);
        // A timeout is an outcome, not an error.
        if status != StatusCode::GATEWAY_TIMEOUT || !printed.is_time_limit() {
            current.report_captured(&CapturedError::received::<dyn StdError>(&printed));
        }
    }
}
