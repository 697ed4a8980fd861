//! An error for handlers that use `?`.

use std::error::Error as StdError;
use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::ContentType;
use actix_web::{HttpResponse, ResponseError};
use opbeat_core::http::CapturedError;

type BoxError = Box<dyn StdError + Send + Sync>;

/// What a handler returns that uses `?` on any error.
///
/// # Examples
///
/// ```
/// use actix_web::web;
///
/// async fn price(text: web::Path<String>) -> opbeat_actix::Result<String> {
///     let cents: u32 = text.parse()?;
///     Ok(format!("{cents} cents"))
/// }
/// # let _ = web::get().to(price);
/// ```
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Any error that ended a handler: with its type, its whole chain of sources, the stack, and the line of the `?`.
///
/// It is answered by 500 and the words `Internal Server Error`, or by what [`with_status`](Self::with_status) says. The
/// middleware reports it if the answer is 5xx.
pub struct Error {
    source: BoxError,
    failure: CapturedError,
    status: StatusCode,
}

impl Error {
    /// Answers by another status. The middleware reports errors that are answered by 5xx only.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// Returns the error that ended the handler.
    #[must_use]
    pub fn source(&self) -> &(dyn StdError + Send + Sync + 'static) {
        &*self.source
    }

    pub(crate) fn failure(&self) -> &CapturedError {
        &self.failure
    }
}

/// It is no [`std::error::Error`] itself, as all are made from those.
impl<E: Into<BoxError>> From<E> for Error {
    #[track_caller]
    fn from(error: E) -> Self {
        let source = error.into();
        let failure = CapturedError::of_type::<E>(&*source);
        Self { source, failure, status: StatusCode::INTERNAL_SERVER_ERROR }
    }
}

/// What an error says is for developers, and nothing for clients.
impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let words = self.status.canonical_reason().unwrap_or_default();
        HttpResponse::build(self.status).content_type(ContentType::plaintext()).body(words)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.source, f)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.failure, f)
    }
}
