//! Jobs: background transactions and schedules.

use axum::extract::{Path, Query as Params};
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::IntoParams;

use super::access::Reader;
use super::problem::Problem;
use super::query_parameters::{PageParameters, RangeParameters};
use super::rounded::Rounded;
use crate::query::{JobList, JobOrder};

/// The order of jobs.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct JobParameters {
    /// `state` (the default: late ones first, then failed ones), `name`, `last`, `runs`, `average` or `failed`.
    order: Option<String>,
}

/// Lists jobs: transactions that are no requests, with the schedules of those that check in.
#[utoipa::path(
    get,
    operation_id = "list_jobs",
    path = "/api/v2/organizations/{organization}/apps/{app}/jobs/",
    tag = "jobs",
    params(("organization" = String, Path), ("app" = String, Path), RangeParameters, PageParameters, JobParameters),
    responses((status = 200, body = JobList)),
)]
pub(super) async fn list(
    reader: Reader,
    Path((organization, app)): Path<(String, String)>,
    Params(range): Params<RangeParameters>,
    Params(page): Params<PageParameters>,
    Params(JobParameters { order }): Params<JobParameters>,
) -> Result<Rounded<JobList>, Problem> {
    let app = reader.app(&organization, &app).await?;
    let (limit, offset) = page.limit_and_offset()?;
    let order = match order.as_deref() {
        None => JobOrder::default(),
        Some(name) => JobOrder::parse(name).ok_or_else(|| {
            let names = "`state`, `name`, `last`, `runs`, `average` or `failed`";
            Problem::invalid("order", format!("{name:?} is not {names}"))
        })?,
    };
    let page = (limit as usize, offset as usize);
    Ok(Rounded(reader.query.jobs(&app, &range.range()?, order, page, Timestamp::now()).await?))
}
