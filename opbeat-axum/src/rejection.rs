//! The responses of axum's rejections that a handler returns with `?`.

use std::error::Error;

use axum::extract::rejection::{
    BytesRejection, ExtensionRejection, FormRejection, JsonRejection, MatchedPathRejection, PathRejection,
    QueryRejection, RawFormRejection, RawPathParamsRejection, StringRejection,
};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// Returns the response of an error, if it is one of axum's rejections.
pub(crate) fn respond(error: &(dyn Error + Send + Sync + 'static)) -> Option<Response> {
    respond_to::<JsonRejection>(error)
        .or_else(|| respond_to::<PathRejection>(error))
        .or_else(|| respond_to::<QueryRejection>(error))
        .or_else(|| respond_to::<FormRejection>(error))
        .or_else(|| respond_to::<RawFormRejection>(error))
        .or_else(|| respond_to::<BytesRejection>(error))
        .or_else(|| respond_to::<StringRejection>(error))
        .or_else(|| respond_to::<ExtensionRejection>(error))
        .or_else(|| respond_to::<MatchedPathRejection>(error))
        .or_else(|| respond_to::<RawPathParamsRejection>(error))
}

fn respond_to<R: Rejection>(error: &(dyn Error + Send + Sync + 'static)) -> Option<Response> {
    let rejection = error.downcast_ref::<R>()?;
    Some((rejection.status_code(), rejection.text()).into_response())
}

/// The methods that all of axum's rejections have. Axum has no common trait for them.
trait Rejection: Error + 'static {
    fn status_code(&self) -> StatusCode;
    fn text(&self) -> String;
}

macro_rules! rejections {
    ($($rejection:ty),* $(,)?) => {
        $(impl Rejection for $rejection {
            fn status_code(&self) -> StatusCode {
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
