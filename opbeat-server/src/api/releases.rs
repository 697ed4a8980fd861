//! Releases, and what is installed on machines.

use axum::Json;
use axum::extract::{Path, Query as Params};
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::IntoParams;

use super::access::Reader;
use super::problem::Problem;
use super::query_parameters::PageParameters;
use super::rounded::Rounded;
use crate::query::{Deployment, DeploymentList, FindingList, FindingsOf, Release, ReleaseErrors, ReleaseList};

/// Lists releases, the last completed one first.
#[utoipa::path(
    get,
    path = "/api/v2/organizations/{organization}/apps/{app}/releases/",
    operation_id = "list_releases",
    tag = "releases",
    params(("organization" = String, Path), ("app" = String, Path), PageParameters),
    responses((status = 200, body = ReleaseList)),
)]
pub(super) async fn list(
    reader: Reader,
    Path((organization, app)): Path<(String, String)>,
    Params(page): Params<PageParameters>,
) -> Result<Json<ReleaseList>, Problem> {
    let app = reader.app(&organization, &app).await?;
    let (limit, offset) = page.limit_and_offset()?;
    Ok(Json(reader.query.releases(&app, (limit.into(), offset.into())).await?))
}

/// Returns a release by its revision, or by its number.
#[utoipa::path(
    get,
    path = "/api/v2/organizations/{organization}/apps/{app}/releases/{release}/",
    operation_id = "get_release",
    tag = "releases",
    params(
        ("organization" = String, Path), ("app" = String, Path),
        ("release" = String, Path, description = "The revision, or the number. A revision of this name comes first.")
    ),
    responses((status = 200, body = Release)),
)]
pub(super) async fn one(
    reader: Reader,
    Path((organization, app, release)): Path<(String, String, String)>,
) -> Result<Json<Release>, Problem> {
    let app = reader.app(&organization, &app).await?;
    let release = reader.query.release(&app, &release).await?;
    release.map(Json).ok_or_else(|| Problem::not_found("release"))
}

/// Returns the errors that began, came back and ended with a release.
#[utoipa::path(
    get,
    path = "/api/v2/organizations/{organization}/apps/{app}/releases/{release}/errors/",
    operation_id = "list_release_errors",
    tag = "releases",
    params(
        ("organization" = String, Path), ("app" = String, Path),
        ("release" = String, Path, description = "The revision, or the number. A revision of this name comes first.")
    ),
    responses((status = 200, body = ReleaseErrors)),
)]
pub(super) async fn errors(
    reader: Reader,
    Path((organization, app, release)): Path<(String, String, String)>,
) -> Result<Json<ReleaseErrors>, Problem> {
    let app = reader.app(&organization, &app).await?;
    let release = reader.query.release(&app, &release).await?.ok_or_else(|| Problem::not_found("release"))?;
    Ok(Json(reader.query.release_errors(&app, &release, Timestamp::now()).await?))
}

/// Lists transactions that became slower after a release, or without one, the newest finding first.
#[utoipa::path(
    get,
    path = "/api/v2/organizations/{organization}/apps/{app}/findings/",
    operation_id = "list_findings",
    tag = "releases",
    params(("organization" = String, Path), ("app" = String, Path), FindingParameters),
    responses((status = 200, body = FindingList)),
)]
pub(super) async fn findings(
    reader: Reader,
    Path((organization, app)): Path<(String, String)>,
    Params(parameters): Params<FindingParameters>,
) -> Result<Rounded<FindingList>, Problem> {
    let app = reader.app(&organization, &app).await?;
    let of = match (parameters.release, parameters.transaction) {
        (Some(_), Some(_)) => return Err(Problem::invalid("release", "give either a release or a transaction")),
        (Some(release), None) => FindingsOf::Release(release),
        (None, Some(transaction)) => FindingsOf::Transaction(transaction),
        (None, None) => FindingsOf::Since(0),
    };
    Ok(Rounded(reader.query.findings(&app, of).await?))
}

/// The release or the transaction that findings are about.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct FindingParameters {
    /// The number of a release.
    release: Option<i64>,
    /// The id of a transaction.
    transaction: Option<i64>,
}

/// Lists machines with what is installed on them, the machine with the newest report first.
#[utoipa::path(
    get,
    path = "/api/v2/organizations/{organization}/apps/{app}/deployments/",
    operation_id = "list_deployments",
    tag = "releases",
    params(("organization" = String, Path), ("app" = String, Path), PageParameters),
    responses((status = 200, body = DeploymentList)),
)]
pub(super) async fn deployments(
    reader: Reader,
    Path((organization, app)): Path<(String, String)>,
    Params(page): Params<PageParameters>,
) -> Result<Json<DeploymentList>, Problem> {
    let app = reader.app(&organization, &app).await?;
    let (limit, offset) = page.limit_and_offset()?;
    Ok(Json(reader.query.deployments(&app, (limit.into(), offset.into())).await?))
}

/// Returns all that is installed on a machine.
#[utoipa::path(
    get,
    path = "/api/v2/organizations/{organization}/apps/{app}/deployments/{machine}/",
    operation_id = "get_deployment",
    tag = "releases",
    params(
        ("organization" = String, Path), ("app" = String, Path),
        ("machine" = String, Path, description = "The machine's host name.")
    ),
    responses((status = 200, body = Deployment)),
)]
pub(super) async fn deployment(
    reader: Reader,
    Path((organization, app, machine)): Path<(String, String, String)>,
) -> Result<Json<Deployment>, Problem> {
    let app = reader.app(&organization, &app).await?;
    let deployment = reader.query.deployment(&app, &machine).await?;
    deployment.map(Json).ok_or_else(|| Problem::not_found("machine"))
}
