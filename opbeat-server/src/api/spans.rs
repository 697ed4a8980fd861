//! Queries and outgoing calls.

use axum::extract::{Path, Query as Params};
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

/// A request for a list.
type ListRequest =
    (Reader, Path<(String, String)>, Params<RangeParameters>, Params<PageParameters>, Params<SpanParameters>);

/// A request for one query or call.
type SpanRequest = (Reader, Path<(String, String, i64)>, Params<RangeParameters>);

/// Lists queries with their number and time, by default those with the most time first.
#[utoipa::path(
    get,
    operation_id = "list_queries",
    path = "/api/v2/organizations/{organization}/apps/{app}/queries/",
    tag = "queries",
    params(("organization" = String, Path), ("app" = String, Path), RangeParameters, PageParameters, SpanParameters),
    responses((status = 200, body = SpanList)),
)]
pub(super) async fn queries(request: ListRequest) -> Result<Rounded<SpanList>, Problem> {
    list(SpanFamily::Queries, request).await
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
pub(super) async fn query(request: SpanRequest) -> Result<Rounded<SpanDetail>, Problem> {
    one(SpanFamily::Queries, request, "query").await
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
pub(super) async fn calls(request: ListRequest) -> Result<Rounded<SpanList>, Problem> {
    list(SpanFamily::Calls, request).await
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
pub(super) async fn call(request: SpanRequest) -> Result<Rounded<SpanDetail>, Problem> {
    one(SpanFamily::Calls, request, "call").await
}

async fn list(family: SpanFamily, request: ListRequest) -> Result<Rounded<SpanList>, Problem> {
    let (reader, Path((organization, app)), Params(range), Params(page), Params(parameters)) = request;
    let SpanParameters { order, search } = parameters;
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
    family: SpanFamily,
    (reader, Path((organization, app, id)), Params(range)): SpanRequest,
    noun: &'static str,
) -> Result<Rounded<SpanDetail>, Problem> {
    let app = reader.app(&organization, &app).await?;
    let span = reader.query.span(&app, family, id, &range.range()?).await?;
    span.map(Rounded).ok_or_else(|| Problem::not_found(noun))
}
