//! Error groups.

use axum::Json;
use axum::extract::{Path, Query as Params};
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::IntoParams;

use super::access::Reader;
use super::problem::Problem;
use super::query_parameters::PageParameters;
use crate::query::{ErrorDetail, ErrorList, ErrorOrder};

/// The order of errors.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Order {
    /// `last_seen` (the default) or `times_seen`; the greatest first.
    order: Option<String>,
}

/// Lists error groups, open ones first.
#[utoipa::path(
    get,
    path = "/api/v2/organizations/{organization}/apps/{app}/errors/",
    tag = "errors",
    params(("organization" = String, Path), ("app" = String, Path), PageParameters, Order),
    responses((status = 200, body = ErrorList)),
)]
pub(super) async fn list(
    reader: Reader,
    Path((organization, app)): Path<(String, String)>,
    Params(page): Params<PageParameters>,
    Params(Order { order }): Params<Order>,
) -> Result<Json<ErrorList>, Problem> {
    let app = reader.app(&organization, &app).await?;
    let (limit, offset) = page.limit_and_offset()?;
    let order = match order.as_deref() {
        None | Some("last_seen") => ErrorOrder::LastSeen,
        Some("times_seen") => ErrorOrder::TimesSeen,
        Some(other) => {
            return Err(Problem::invalid("order", format!("{other:?} is neither `last_seen` nor `times_seen`")));
        }
    };
    Ok(Json(reader.query.errors(&app, order, (limit.into(), offset.into()), Timestamp::now()).await?))
}

/// Returns an error group with its newest occurrence.
#[utoipa::path(
    get,
    path = "/api/v2/organizations/{organization}/apps/{app}/errors/{number}/",
    tag = "errors",
    params(("organization" = String, Path), ("app" = String, Path), ("number" = i64, Path)),
    responses((status = 200, body = ErrorDetail)),
)]
pub(super) async fn one(
    reader: Reader,
    Path((organization, app, number)): Path<(String, String, i64)>,
) -> Result<Json<ErrorDetail>, Problem> {
    detail(&reader, &organization, &app, number, None).await
}

/// Returns an error group with one of its occurrences.
#[utoipa::path(
    get,
    path = "/api/v2/organizations/{organization}/apps/{app}/errors/{number}/occurrences/{occurrence}/",
    tag = "errors",
    params(
        ("organization" = String, Path), ("app" = String, Path), ("number" = i64, Path), ("occurrence" = i64, Path)
    ),
    responses((status = 200, body = ErrorDetail)),
)]
pub(super) async fn occurrence(
    reader: Reader,
    Path((organization, app, number, occurrence)): Path<(String, String, i64, i64)>,
) -> Result<Json<ErrorDetail>, Problem> {
    detail(&reader, &organization, &app, number, Some(occurrence)).await
}

/// Returns the newest error with an id that the application shows to its users, with its group.
///
/// The id is that of the Python agent's `X-Opbeat-ID`, of the Node.js agent's `extra.uuid`, or that which the server
/// returned when it accepted the error. The 50 newest occurrences of a group can be found, at
/// most 5 of one second.
#[utoipa::path(
    get,
    path = "/api/v2/organizations/{organization}/apps/{app}/errors/by-id/{id}/",
    tag = "errors",
    params(("organization" = String, Path), ("app" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = ErrorDetail)),
)]
pub(super) async fn by_id(
    reader: Reader,
    Path((organization, app, id)): Path<(String, String, String)>,
) -> Result<Json<ErrorDetail>, Problem> {
    let identity = reader.app(&organization, &app).await?;
    let found = reader.query.find_error(&identity, &id).await?.ok_or_else(|| Problem::not_found("error"))?;
    detail(&reader, &organization, &app, found.number, Some(found.occurrence)).await
}

async fn detail(
    reader: &Reader,
    organization: &str,
    app: &str,
    number: i64,
    occurrence: Option<i64>,
) -> Result<Json<ErrorDetail>, Problem> {
    let app = reader.app(organization, app).await?;
    let detail = reader.query.error(&app, number, occurrence, Timestamp::now()).await?;
    detail.map(Json).ok_or_else(|| Problem::not_found("error"))
}
