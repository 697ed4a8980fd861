//! Axum's rejections: what an extractor could not make of a request.

use std::error::Error;

use axum::Extension;
use axum::extract::rejection::{
    BytesRejection, ExtensionRejection, FormRejection, JsonRejection, MatchedPathRejection, PathRejection,
    QueryRejection, RawFormRejection, RawPathParamsRejection, StringRejection,
};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use opbeat_core::http::CapturedError;

/// An extractor whose rejections are told to the layer.
///
/// It extracts what `T` does, and rejects as `T` does. A rejection that is the application's fault, such as a state that
/// is missing, is reported as an error; one that is the client's is noted with the transaction.
///
/// # Examples
///
/// ```
/// use axum::{Json, Router, routing::post};
/// use opbeat_axum::Noted;
///
/// async fn add(Noted(Json(title)): Noted<Json<String>>) -> String {
///     title
/// }
/// # let _: Router = Router::new().route("/books", post(add));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Noted<T>(pub T);

impl<S: Send + Sync, T> FromRequestParts<S> for Noted<T>
where
    T: FromRequestParts<S>,
    T::Rejection: Error,
{
    type Rejection = NotedRejection<T::Rejection>;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        T::from_request_parts(parts, state).await.map(Self).map_err(NotedRejection)
    }
}

impl<S: Send + Sync, T> FromRequest<S> for Noted<T>
where
    T: FromRequest<S>,
    T::Rejection: Error,
{
    type Rejection = NotedRejection<T::Rejection>;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        T::from_request(request, state).await.map(Self).map_err(NotedRejection)
    }
}

/// A rejection whose response carries it to the layer; from [`Noted`].
#[derive(Clone, Debug)]
pub struct NotedRejection<R>(pub R);

impl<R: IntoResponse + Error> IntoResponse for NotedRejection<R> {
    fn into_response(self) -> Response {
        let failure = CapturedError::received(&self.0);
        (Extension(failure), self.0).into_response()
    }
}

/// Returns the answer of a rejection that a handler gave back by `?`.
pub(crate) fn answer(error: &(dyn Error + Send + Sync + 'static)) -> Option<Response> {
    answer_of::<JsonRejection>(error)
        .or_else(|| answer_of::<PathRejection>(error))
        .or_else(|| answer_of::<QueryRejection>(error))
        .or_else(|| answer_of::<FormRejection>(error))
        .or_else(|| answer_of::<RawFormRejection>(error))
        .or_else(|| answer_of::<BytesRejection>(error))
        .or_else(|| answer_of::<StringRejection>(error))
        .or_else(|| answer_of::<ExtensionRejection>(error))
        .or_else(|| answer_of::<MatchedPathRejection>(error))
        .or_else(|| answer_of::<RawPathParamsRejection>(error))
}

fn answer_of<R: Rejection>(error: &(dyn Error + Send + Sync + 'static)) -> Option<Response> {
    let rejection = error.downcast_ref::<R>()?;
    Some((rejection.status_code(), rejection.text()).into_response())
}

/// What all of axum's rejections know of themselves.
trait Rejection: Error + 'static {
    fn status_code(&self) -> axum::http::StatusCode;
    fn text(&self) -> String;
}

macro_rules! rejections {
    ($($rejection:ty),* $(,)?) => {
        $(impl Rejection for $rejection {
            fn status_code(&self) -> axum::http::StatusCode {
                self.status()
            }

            fn text(&self) -> String {
                self.body_text()
            }
        })*
    };
}

rejections!(
    BytesRejection,
    ExtensionRejection,
    FormRejection,
    JsonRejection,
    MatchedPathRejection,
    PathRejection,
    QueryRejection,
    RawFormRejection,
    RawPathParamsRejection,
    StringRejection,
);
