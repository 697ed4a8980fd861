//! An error for handlers that use `?`.

use std::error::Error as StdError;
use std::fmt;

use axum::Extension;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use opbeat_core::http::CapturedError;

use crate::rejection;

type BoxError = Box<dyn StdError + Send + Sync>;

/// What a handler returns that uses `?` on any error.
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

/// Any error that ended a handler: with its type, its whole chain of sources, the stack, and the line of the `?`.
///
/// It is answered by 500 and the words `Internal Server Error`, or what [`with_status`](Self::with_status) says;
/// axum's own rejections are answered as they would have been. The layer reports it if the answer is 5xx.
pub struct Error {
    source: BoxError,
    failure: CapturedError,
    status: Option<StatusCode>,
}

impl Error {
    /// Answers by another status. The layer reports errors that are answered by 5xx only.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = Some(status);
        self
    }

    /// Returns the error that ended the handler.
    #[must_use]
    pub fn source(&self) -> &(dyn StdError + Send + Sync + 'static) {
        &*self.source
    }
}

/// It is no [`std::error::Error`] itself, as all are made from those.
impl<E: Into<BoxError>> From<E> for Error {
    #[track_caller]
    fn from(error: E) -> Self {
        let source = error.into();
        let failure = CapturedError::of_type::<E>(&*source);
        Self { source, failure, status: None }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let answer = match self.status {
            Some(status) => plain(status),
            None => rejection::answer(&*self.source).unwrap_or_else(|| plain(StatusCode::INTERNAL_SERVER_ERROR)),
        };
        (Extension(self.failure), answer).into_response()
    }
}

/// What an error says is for developers, and nothing for clients.
fn plain(status: StatusCode) -> Response {
    (status, status.canonical_reason().unwrap_or_default()).into_response()
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
