//! Apps.

use axum::extract::{Path, Query as Params};
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::IntoParams;

use super::access::Reader;
use super::problem::Problem;
use super::rounded::Rounded;
use crate::query::{AppFilter, AppSummary};

/// The largest number of apps in one response.
const MAX_APPS: u32 = 500;

/// The requested part of the list of apps.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Part {
    /// The number of apps, at most 500.
    limit: Option<u32>,
    /// The number of apps to skip.
    offset: Option<u32>,
    /// A part of the name, in any case.
    search: Option<String>,
}

/// Lists an organization's apps in the order of their names, with their last hour.
#[utoipa::path(
    get,
    path = "/api/v2/organizations/{organization}/apps/",
    operation_id = "list_apps",
    tag = "apps",
    params(("organization" = String, Path, description = "The organization's id or short name"), Part),
    responses((status = 200, body = Vec<AppSummary>)),
)]
pub(super) async fn list(
    reader: Reader,
    Path(organization): Path<String>,
    Params(part): Params<Part>,
) -> Result<Rounded<Vec<AppSummary>>, Problem> {
    let limit = part.limit.unwrap_or(MAX_APPS);
    if limit == 0 || limit > MAX_APPS {
        return Err(Problem::invalid("limit", format!("it is {limit}; request 1 to {MAX_APPS} apps")));
    }
    let rows = (limit.into(), part.offset.unwrap_or(0).into());
    let filter = AppFilter { organization: Some(&organization), search: part.search.as_deref() };
    let list = reader.query.apps(&reader.rights.scope, filter, rows, Timestamp::now()).await?;
    if list.total == 0 && part.search.is_none() {
        return Err(Problem::forbidden("The read token belongs to another organization, or this one has no apps."));
    }
    Ok(Rounded(list.apps))
}
