//! The report on an app's intake.

use axum::Json;
use axum::extract::{Path, Query as Params};

use super::access::Reader;
use super::problem::Problem;
use super::query_parameters::RangeParameters;
use crate::query::IntakeReport;

/// Returns the refused bodies, the changed values and the dropped data of a range, by reason.
#[utoipa::path(
    get,
    path = "/api/v2/organizations/{organization}/apps/{app}/intake/",
    operation_id = "get_intake",
    tag = "apps",
    params(("organization" = String, Path), ("app" = String, Path), RangeParameters),
    responses((status = 200, body = IntakeReport)),
)]
pub(super) async fn one(
    reader: Reader,
    Path((organization, app)): Path<(String, String)>,
    Params(range): Params<RangeParameters>,
) -> Result<Json<IntakeReport>, Problem> {
    let app = reader.app(&organization, &app).await?;
    Ok(Json(reader.query.intake(&app, &range.range()?).await?))
}
