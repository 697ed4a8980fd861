//! An error for handlers that use `?`.

use std::error::Error as StdError;
use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::ContentType;
use actix_web::{HttpResponse, ResponseError};
use opbeat_core::http::CapturedError;

type BoxError = Box<dyn StdError + Send + Sync>;

/// The result of a handler that uses `?` on any error.
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

/// Any error that a handler returns, with its type, its whole chain of sources, the stack, and the line of the `?`.
///
/// Its response is 500 with the text `Internal Server Error`, or the status of [`with_status`](Self::with_status). The
/// middleware reports the error if the status is 5xx.
///
/// It does not implement [`std::error::Error`], because every type that does can be converted into it.
pub struct Error {
    source: BoxError,
    captured: CapturedError,
    status: StatusCode,
}

impl Error {
    /// Sets the status of the response. The middleware reports the error only if the status is 5xx.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// Returns the error that the handler returned.
    #[must_use]
    pub fn source(&self) -> &(dyn StdError + Send + Sync + 'static) {
        &*self.source
    }

    pub(crate) fn captured(&self) -> &CapturedError {
        &self.captured
    }
}

impl<E: Into<BoxError>> From<E> for Error {
    #[track_caller]
    fn from(error: E) -> Self {
        let source = error.into();
        let captured = CapturedError::of_type::<E>(&*source);
        Self { source, captured, status: StatusCode::INTERNAL_SERVER_ERROR }
    }
}

/// Makes a response without the error's message, which clients must not see.
impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let reason = self.status.canonical_reason().unwrap_or_default();
        HttpResponse::build(self.status).content_type(ContentType::plaintext()).body(reason)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.source, f)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.captured, f)
    }
}
