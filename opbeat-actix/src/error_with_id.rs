//! Errors whose responses contain the id of their report.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{Error, HttpResponse, ResponseError};
use opbeat_core::record::ErrorId;

/// The response header with the id of the reported error.
pub(crate) const ERROR_ID: HeaderName = HeaderName::from_static("x-opbeat-id");

/// An error, and the id of its report.
///
/// It wraps errors of middlewares, and the error that stands for a caught panic. Actix turns these into responses
/// outside the middleware, which therefore cannot add the header itself.
pub(crate) struct ErrorWithId {
    inner: Error,
    id: ErrorId,
}

impl ErrorWithId {
    pub(crate) fn new(inner: Error, id: ErrorId) -> Self {
        Self { inner, id }
    }
}

/// Returns an id as the value of the header.
pub(crate) fn header_value(id: ErrorId) -> Option<HeaderValue> {
    HeaderValue::try_from(id.to_string()).ok()
}

impl ResponseError for ErrorWithId {
    fn status_code(&self) -> StatusCode {
        self.inner.as_response_error().status_code()
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = self.inner.error_response();
        if let Some(value) = header_value(self.id) {
            response.headers_mut().insert(ERROR_ID, value);
        }
        response
    }
}

impl fmt::Display for ErrorWithId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.inner, f)
    }
}

impl fmt::Debug for ErrorWithId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.inner, f)
    }
}
