//! Errors whose responses carry the id of the report in a header.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{Error, HttpResponse, ResponseError};
use opbeat_core::record::ErrorId;

/// The response header that contains the id of the reported error.
pub(crate) const ERROR_ID: HeaderName = HeaderName::from_static("x-opbeat-id");

/// An error of an inner middleware, or the error that replaces a caught panic, with the id of its report.
///
/// Actix makes the response from such an error after the middleware has returned. This wrapper adds the header to that
/// response.
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
