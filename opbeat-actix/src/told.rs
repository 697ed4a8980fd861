//! Errors that are answered with the id of their report.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{Error, HttpResponse, ResponseError};
use opbeat_core::record::ErrorId;

/// The header that tells a client the id of the error that was reported.
pub(crate) const ERROR_ID: HeaderName = HeaderName::from_static("x-opbeat-id");

/// An error of a middleware, or what stands for a panic: actix makes the answer of it when nobody else can add a header.
pub(crate) struct Told {
    inner: Error,
    id: ErrorId,
}

impl Told {
    pub(crate) fn new(inner: Error, id: ErrorId) -> Self {
        Self { inner, id }
    }
}

/// Returns an id as the header's value.
pub(crate) fn value(id: ErrorId) -> Option<HeaderValue> {
    HeaderValue::try_from(id.to_string()).ok()
}

impl ResponseError for Told {
    fn status_code(&self) -> StatusCode {
        self.inner.as_response_error().status_code()
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = self.inner.error_response();
        if let Some(value) = value(self.id) {
            response.headers_mut().insert(ERROR_ID, value);
        }
        response
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.inner, f)
    }
}

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.inner, f)
    }
}
