//! The endpoints for releases and deployments.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::HeaderMap;

use super::handler::{Accepted, Intake};
use super::rejection::Rejection;
use crate::decode::Endpoint;

pub(super) async fn releases(
    State(intake): State<Intake>,
    Path(app): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Accepted, Rejection> {
    intake.accept_with_token(Endpoint::Releases, &app, &headers, body).await
}

pub(super) async fn deployments(
    State(intake): State<Intake>,
    Path(app): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Accepted, Rejection> {
    intake.accept_with_token(Endpoint::Deployments, &app, &headers, body).await
}
