//! Queries and outgoing calls.

use axum::extract::{Path, Query as Params};
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::IntoParams;

use super::access::Reader;
use super::problem::Problem;
use super::query_parameters::{PageParameters, RangeParameters};
use super::rounded::Rounded;
use crate::query::{SpanDetail, SpanFamily, SpanList, SpanOrder};

/// The order and the filter of queries and calls.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct SpanParameters {
    /// `time` (the default), `calls`, `average`, `failed` or `name`.
    order: Option<String>,
    /// A part of the signature, in any case.
    search: Option<String>,
}

type AppPath = Path<(String, String)>;
type SpanPath = Path<(String, String, i64)>;

/// Lists queries with their number and time, by default those with the most time first.
#[utoipa::path(
    get,
    operation_id = "list_queries",
    path = "/api/v2/organizations/{organization}/apps/{app}/queries/",
    tag = "queries",
    params(("organization" = String, Path), ("app" = String, Path), RangeParameters, PageParameters, SpanParameters),
    responses((status = 200, body = SpanList)),
)]
pub(super) async fn queries(
    reader: Reader,
    path: AppPath,
    range: Params<RangeParameters>,
    page: Params<PageParameters>,
    parameters: Params<SpanParameters>,
) -> Result<Rounded<SpanList>, Problem> {
    list(reader, SpanFamily::Queries, path, range, page, parameters).await
}

/// Returns one query with its callers, its releases and samples.
#[utoipa::path(
    get,
    operation_id = "get_query",
    path = "/api/v2/organizations/{organization}/apps/{app}/queries/{query}/",
    tag = "queries",
    params(("organization" = String, Path), ("app" = String, Path), ("query" = i64, Path), RangeParameters),
    responses((status = 200, body = SpanDetail)),
)]
pub(super) async fn query(
    reader: Reader,
    path: SpanPath,
    range: Params<RangeParameters>,
) -> Result<Rounded<SpanDetail>, Problem> {
    one(reader, SpanFamily::Queries, path, range, "query").await
}

/// Lists calls of other services with their number and time, by default those with the most time first.
#[utoipa::path(
    get,
    operation_id = "list_calls",
    path = "/api/v2/organizations/{organization}/apps/{app}/calls/",
    tag = "calls",
    params(("organization" = String, Path), ("app" = String, Path), RangeParameters, PageParameters, SpanParameters),
    responses((status = 200, body = SpanList)),
)]
pub(super) async fn calls(
    reader: Reader,
    path: AppPath,
    range: Params<RangeParameters>,
    page: Params<PageParameters>,
    parameters: Params<SpanParameters>,
) -> Result<Rounded<SpanList>, Problem> {
    list(reader, SpanFamily::Calls, path, range, page, parameters).await
}

/// Returns one call of another service with its callers, its releases and samples.
#[utoipa::path(
    get,
    operation_id = "get_call",
    path = "/api/v2/organizations/{organization}/apps/{app}/calls/{call}/",
    tag = "calls",
    params(("organization" = String, Path), ("app" = String, Path), ("call" = i64, Path), RangeParameters),
    responses((status = 200, body = SpanDetail)),
)]
pub(super) async fn call(
    reader: Reader,
    path: SpanPath,
    range: Params<RangeParameters>,
) -> Result<Rounded<SpanDetail>, Problem> {
    one(reader, SpanFamily::Calls, path, range, "call").await
}

async fn list(
    reader: Reader,
    family: SpanFamily,
    Path((organization, app)): AppPath,
    Params(range): Params<RangeParameters>,
    Params(page): Params<PageParameters>,
    Params(SpanParameters { order, search }): Params<SpanParameters>,
) -> Result<Rounded<SpanList>, Problem> {
    let app = reader.app(&organization, &app).await?;
    let (limit, offset) = page.limit_and_offset()?;
    let order = match order.as_deref() {
        None => SpanOrder::default(),
        Some(name) => SpanOrder::parse(name).ok_or_else(|| {
            Problem::invalid("order", format!("{name:?} is not `time`, `calls`, `average`, `failed` or `name`"))
        })?,
    };
    let page = (limit as usize, offset as usize);
    Ok(Rounded(reader.query.spans(&app, family, &range.range()?, (order, search.as_deref()), page).await?))
}

async fn one(
    reader: Reader,
    family: SpanFamily,
    Path((organization, app, id)): SpanPath,
    Params(range): Params<RangeParameters>,
    noun: &'static str,
) -> Result<Rounded<SpanDetail>, Problem> {
    let app = reader.app(&organization, &app).await?;
    let span = reader.query.span(&app, family, id, &range.range()?, Timestamp::now()).await?;
    span.map(Rounded).ok_or_else(|| Problem::not_found(noun))
}
