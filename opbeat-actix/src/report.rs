//! Reports of the errors that handlers and middlewares return.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;

use actix_web::error::{JsonPayloadError, PayloadError, QueryPayloadError, UrlencodedError};
use actix_web::http::StatusCode;
use actix_web::{Error, ResponseError};
use opbeat_core::CurrentTransaction;
use opbeat_core::http::{CapturedError, HttpTransaction, display_output};

use crate::printed::PrintedError;

/// Reports an error if it has the one type that this function knows. Returns whether it has.
#[derive(Clone)]
pub(crate) struct Downcast(Arc<ReportKnown>);

type ReportKnown = dyn Fn(&Error, &CurrentTransaction) -> bool + Send + Sync;

impl Downcast {
    /// Makes the downcast to an error type.
    pub(crate) fn to<T: ResponseError + StdError + 'static>() -> Self {
        Self(Arc::new(capture::<T>))
    }

    /// Makes the downcast to a type, from a function that describes its values.
    pub(crate) fn with<T: ResponseError + 'static>(
        describe: impl Fn(&T) -> CapturedError + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(move |error, transaction| {
            let known = error.as_error::<T>();
            // The location would be that of `describe`, which is the same for all errors.
            known.map(|known| transaction.report_captured(&describe(known).without_location())).is_some()
        }))
    }
}

impl fmt::Debug for Downcast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Downcast").finish_non_exhaustive()
    }
}

/// The downcasts to error types that occur in all applications.
const KNOWN: [fn(&Error, &CurrentTransaction) -> bool; 7] = [
    |error, transaction| {
        let known = error.as_error::<crate::Error>();
        known.map(|known| transaction.report_captured(known.captured())).is_some()
    },
    |error, transaction| {
        let known = error.as_error::<Box<dyn StdError>>();
        known.map(|known| transaction.report_captured(&CapturedError::received(&**known))).is_some()
    },
    capture::<io::Error>,
    capture::<JsonPayloadError>,
    capture::<PayloadError>,
    capture::<QueryPayloadError>,
    capture::<UrlencodedError>,
];

/// Reports an error if it is a `T`. Returns whether it is.
fn capture<T: ResponseError + StdError + 'static>(error: &Error, transaction: &CurrentTransaction) -> bool {
    let known = error.as_error::<T>();
    known.map(|known| transaction.report_captured(&CapturedError::received(known))).is_some()
}

/// Reports an error whose response has a 5xx status: the response that the client gets.
///
/// The report contains the error's causes if a downcast knows the error's type. Otherwise, it contains the causes that
/// the error prints. The message of an error with a 4xx status becomes an extra value of the transaction.
pub(crate) fn report(transaction: &HttpTransaction, error: &Error, status: StatusCode, downcasts: &[Downcast]) {
    if !transaction.is_recording() {
        return;
    }
    let current = transaction.current();
    if status.is_client_error() {
        current.set_extra("error", display_output(error));
    }
    let is_known = || {
        downcasts.iter().any(|Downcast(report)| report(error, &current))
            || KNOWN.iter().any(|report| report(error, &current))
    };
    if status.is_server_error() && !is_known() {
        let printed = PrintedError::of(error);
        // A timeout's own 504 is an outcome of the transaction, not an error.
        if status != StatusCode::GATEWAY_TIMEOUT || !printed.is_timeout() {
            current.report_captured(&CapturedError::received::<dyn StdError>(&printed));
        }
    }
}
