//! Scheduled jobs.

use axum::Json;
use axum::extract::{Path, Query as Params};
use jiff::Timestamp;

use super::access::Reader;
use super::problem::Problem;
use super::query_parameters::PageParameters;
use crate::query::CronList;

/// Lists scheduled jobs with their last run, their next expected run and their state.
#[utoipa::path(
    get,
    path = "/api/v2/organizations/{organization}/apps/{app}/crons/",
    operation_id = "list_crons",
    tag = "crons",
    params(("organization" = String, Path), ("app" = String, Path), PageParameters),
    responses((status = 200, body = CronList)),
)]
pub(super) async fn list(
    reader: Reader,
    Path((organization, app)): Path<(String, String)>,
    Params(page): Params<PageParameters>,
) -> Result<Json<CronList>, Problem> {
    let app = reader.app(&organization, &app).await?;
    let (limit, offset) = page.limit_and_offset()?;
    Ok(Json(reader.query.crons(&app, (limit.into(), offset.into()), Timestamp::now()).await?))
}
