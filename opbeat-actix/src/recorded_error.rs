//! Errors of inner middlewares, which carry their transaction until actix makes the response from them.

use std::cell::{OnceCell, RefCell};
use std::fmt;

use actix_web::body::BoxBody;
use actix_web::error::ErrorInternalServerError;
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderValue;
use actix_web::{Error, HttpResponse, ResponseError};
use opbeat_core::http::HttpTransaction;
use opbeat_core::record::Outcome;

use crate::respond::{ERROR_ID, ResponseSettings, respond_to_error};

/// An error that an inner middleware returned, or that replaces a caught panic, with the transaction of its request.
///
/// Only the response shows how the request ended. `ResponseError::status_code` is 500 unless a type overrides it, and
/// `InternalError::from_response` gives its response away once. So this type waits until actix, or an outer middleware,
/// makes the response from it.
struct RecordedError {
    inner: Error,
    /// `None` after the response was made.
    open: RefCell<Option<OpenRequest>>,
    /// The error id in the first response, which further responses need too.
    id: OnceCell<HeaderValue>,
}

/// A request whose response is not made yet.
struct OpenRequest {
    transaction: HttpTransaction,
    settings: ResponseSettings,
    /// Whether the error is reported if its response has a 5xx status. A caught panic was reported already.
    is_reported: bool,
}

/// Passes on an error of an inner middleware. The transaction ends with the response that is made from it.
pub(crate) fn fail(transaction: HttpTransaction, error: Error, settings: &ResponseSettings) -> Error {
    if !transaction.is_recording() {
        return error;
    }
    RecordedError::new(error, OpenRequest { transaction, settings: settings.clone(), is_reported: true }).into()
}

/// Returns the error that replaces the response of a handler that panicked.
pub(crate) fn fail_by_panic(mut transaction: HttpTransaction, settings: &ResponseSettings) -> Error {
    transaction.set_outcome(Outcome::Panicked);
    let error = ErrorInternalServerError("Internal Server Error");
    RecordedError::new(error, OpenRequest { transaction, settings: settings.clone(), is_reported: false }).into()
}

impl RecordedError {
    fn new(inner: Error, open: OpenRequest) -> Self {
        Self { inner, open: RefCell::new(Some(open)), id: OnceCell::new() }
    }
}

impl OpenRequest {
    /// Records the response that was made from the error.
    fn respond(self, response: HttpResponse<BoxBody>, error: &Error) -> HttpResponse<BoxBody> {
        respond_to_error(response, self.transaction, &self.settings, self.is_reported.then_some(error))
    }
}

impl ResponseError for RecordedError {
    fn status_code(&self) -> StatusCode {
        self.inner.as_response_error().status_code()
    }

    fn error_response(&self) -> HttpResponse {
        let mut open = self.open.take();
        let mut response = {
            let _entered = open.as_mut().map(|open| open.transaction.enter());
            self.inner.error_response()
        };
        if let Some(open) = open {
            let response = open.respond(response, &self.inner);
            if let Some(id) = response.headers().get(ERROR_ID) {
                let _ = self.id.set(id.clone());
            }
            return response;
        }
        if let Some(id) = self.id.get() {
            response.headers_mut().insert(ERROR_ID, id.clone());
        }
        response
    }
}

/// Ends the transaction if no response was made: an outer middleware responded by itself. The status of the error is
/// the best that is known then.
impl Drop for RecordedError {
    fn drop(&mut self) {
        if let Some(open) = self.open.take() {
            if std::thread::panicking() {
                // It ends as panicked, and runs no code of the application, which could panic once more.
                return drop(open);
            }
            let response = HttpResponse::new(self.status_code());
            drop(open.respond(response, &self.inner));
        }
    }
}

impl fmt::Display for RecordedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.inner, f)
    }
}

impl fmt::Debug for RecordedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.inner, f)
    }
}
