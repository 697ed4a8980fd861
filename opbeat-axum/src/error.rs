//! An error for handlers that use `?`.

use std::error::Error as StdError;
use std::fmt;

use axum::Extension;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use opbeat_core::http::CapturedError;

use crate::rejection;

type BoxError = Box<dyn StdError + Send + Sync>;

/// The result of a handler that uses `?` on any error.
///
/// # Examples
///
/// ```
/// use axum::{Router, extract::Path, routing::get};
///
/// async fn price(Path(text): Path<String>) -> opbeat_axum::Result<String> {
///     let cents: u32 = text.parse()?;
///     Ok(format!("{cents} cents"))
/// }
/// # let _: Router = Router::new().route("/price/{text}", get(price));
/// ```
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Any error that a handler returns, with its type, its whole chain of sources, the stack, and the line of the `?`.
///
/// Its response is 500 with the text `Internal Server Error`, or the status of [`with_status`](Self::with_status). A
/// rejection of axum keeps its own response. The layer reports the error if the status is 5xx.
///
/// It does not implement [`std::error::Error`], because every type that does can be converted into it.
pub struct Error {
    source: BoxError,
    captured: CapturedError,
    status: Option<StatusCode>,
}

impl Error {
    /// Sets the status of the response. The layer reports the error only if the status is 5xx.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = Some(status);
        self
    }

    /// Returns the error that the handler returned.
    #[must_use]
    pub fn source(&self) -> &(dyn StdError + Send + Sync + 'static) {
        &*self.source
    }
}

impl<E: Into<BoxError>> From<E> for Error {
    #[track_caller]
    fn from(error: E) -> Self {
        let source = error.into();
        let captured = CapturedError::of_type::<E>(&*source);
        Self { source, captured, status: None }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let response = match self.status {
            Some(status) => respond(status),
            None => rejection::respond(&*self.source).unwrap_or_else(|| respond(StatusCode::INTERNAL_SERVER_ERROR)),
        };
        (Extension(self.captured), response).into_response()
    }
}

/// Makes a response without the error's message, which clients must not see.
fn respond(status: StatusCode) -> Response {
    (status, status.canonical_reason().unwrap_or_default()).into_response()
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
