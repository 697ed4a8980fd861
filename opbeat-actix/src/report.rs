//! Reports of the errors that handlers and middlewares return.

use std::error::Error as StdError;
use std::io;

use actix_web::error::{JsonPayloadError, PayloadError, QueryPayloadError, UrlencodedError};
use actix_web::http::StatusCode;
use actix_web::{Error, ResponseError};
use opbeat_core::CurrentTransaction;
use opbeat_core::http::{CapturedError, HttpTransaction};

use crate::printed_error::PrintedError;

/// Reports an error if it has the one type that this function knows. Returns whether it has.
pub(crate) type Downcast = fn(&Error, &CurrentTransaction) -> bool;

/// Returns the downcast to the type `T`.
pub(crate) fn downcast<T: ResponseError + StdError + 'static>() -> Downcast {
    |error, transaction| {
        let known = error.as_error::<T>();
        known.map(|known| transaction.report_captured(&CapturedError::received(known))).is_some()
    }
}

/// The downcasts to error types that occur in all applications.
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

/// Reports an error whose response has a 5xx status.
///
/// The report contains the error's causes if a downcast knows the error's type. Otherwise, it contains the causes that
/// the error prints. The message of an error with a 4xx status becomes an extra value of the transaction.
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
        // A timeout's own 504 is an outcome of the transaction, not an error.
        if status != StatusCode::GATEWAY_TIMEOUT || !printed.is_timeout() {
            current.report_captured(&CapturedError::received::<dyn StdError>(&printed));
        }
    }
}
