//! The error of the handlers.

use std::error::Error;
use std::fmt;
use std::io;

use actix_web::ResponseError;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// An error with a cause. Both frameworks respond to it with 500.
#[derive(Debug)]
pub struct CartError {
    cause: io::Error,
}

impl CartError {
    pub fn new() -> Self {
        Self { cause: io::Error::other("the shelf is broken") }
    }
}

impl fmt::Display for CartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there is no cart")
    }
}

impl Error for CartError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.cause)
    }
}

impl IntoResponse for CartError {
    fn into_response(self) -> Response {
        (StatusCode::INTERNAL_SERVER_ERROR, self.to_string()).into_response()
    }
}

impl ResponseError for CartError {}
