//! Apps.

use axum::Json;
use axum::extract::Path;
use jiff::Timestamp;

use super::access::Reader;
use super::problem::Problem;
use crate::query::AppSummary;

/// Lists an organization's apps, with their last hour.
#[utoipa::path(
    get,
    path = "/api/v2/organizations/{organization}/apps/",
    tag = "apps",
    params(("organization" = String, Path, description = "The organization's id or short name")),
    responses((status = 200, body = Vec<AppSummary>)),
)]
pub(super) async fn list(reader: Reader, Path(organization): Path<String>) -> Result<Json<Vec<AppSummary>>, Problem> {
    let mut apps = reader.query.apps(&reader.scope, Timestamp::now()).await?;
    apps.retain(|app| app.app.organization == organization || app.app.organization_id == organization);
    if apps.is_empty() {
        return Err(Problem::forbidden("The read token belongs to another organization, or this one has no apps."));
    }
    Ok(Json(apps))
}
