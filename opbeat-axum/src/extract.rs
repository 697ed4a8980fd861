//! Extractors: the current transaction, and extractors whose rejections are reported.

use std::convert::Infallible;
use std::error::Error;

use axum::Extension;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use opbeat_core::CurrentTransaction;
use opbeat_core::http::CapturedError;

/// Extracts the current transaction. If there is none, the handle does nothing.
///
/// # Examples
///
/// ```
/// use opbeat_axum::Current;
///
/// async fn checkout(Current(transaction): Current) {
///     transaction.set_tag("plan", "gold");
/// }
/// # let _: axum::Router = axum::Router::new().route("/", axum::routing::get(checkout));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Current(pub CurrentTransaction);

impl<S: Sync> FromRequestParts<S> for Current {
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(opbeat_core::current()))
    }
}

/// Wraps an extractor `T`, so that the layer learns of its rejections.
///
/// It extracts the same value as `T`, and its rejections have the same response. A rejection with a status of 5xx, such
/// as a missing extension, is reported as an error. The message of any other rejection is added to the transaction as
/// the extra value `error`.
///
/// # Examples
///
/// ```
/// use axum::{Json, Router, routing::post};
/// use opbeat_axum::Reported;
///
/// async fn add(Reported(Json(title)): Reported<Json<String>>) -> String {
///     title
/// }
/// # let _: Router = Router::new().route("/books", post(add));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Reported<T>(pub T);

impl<S: Send + Sync, T> FromRequestParts<S> for Reported<T>
where
    T: FromRequestParts<S>,
    T::Rejection: Error,
{
    type Rejection = ReportedRejection<T::Rejection>;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        T::from_request_parts(parts, state).await.map(Self).map_err(ReportedRejection)
    }
}

impl<S: Send + Sync, T> FromRequest<S> for Reported<T>
where
    T: FromRequest<S>,
    T::Rejection: Error,
{
    type Rejection = ReportedRejection<T::Rejection>;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        T::from_request(request, state).await.map(Self).map_err(ReportedRejection)
    }
}

/// The rejection of a [`Reported`] extractor. Its response has a [`CapturedError`] in its extensions, which the layer
/// reads.
#[derive(Clone, Debug)]
pub struct ReportedRejection<R>(pub R);

impl<R: IntoResponse + Error> IntoResponse for ReportedRejection<R> {
    fn into_response(self) -> Response {
        let error = CapturedError::received(&self.0);
        (Extension(error), self.0).into_response()
    }
}
