//! Transactions: durations, breakdown and samples.

use axum::Json;
use axum::extract::{Path, Query as Params};
use serde::Deserialize;
use utoipa::IntoParams;

use super::access::Reader;
use super::problem::Problem;
use super::query_parameters::{PageParameters, RangeParameters};
use super::rounded::Rounded;
use crate::query::{BreakdownPart, Sample, SampleOrder, SampleSummary, Series, TransactionList, TransactionSummary};

/// The filters of transactions.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    /// The kind.
    kind: Option<String>,
    /// A part of the name, in any case.
    search: Option<String>,
}

/// The order of samples.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Order {
    /// `slowest` (the default) or `newest` first.
    order: Option<String>,
}

/// Lists transactions by impact, their share of the time of all transactions; the greatest first.
#[utoipa::path(
    get,
    path = "/api/v2/organizations/{organization}/apps/{app}/transactions/",
    operation_id = "list_transactions",
    tag = "transactions",
    params(("organization" = String, Path), ("app" = String, Path), RangeParameters, PageParameters, Filter),
    responses((status = 200, body = TransactionList)),
)]
pub(super) async fn list(
    reader: Reader,
    Path((organization, app)): Path<(String, String)>,
    Params(range): Params<RangeParameters>,
    Params(page): Params<PageParameters>,
    Params(filter): Params<Filter>,
) -> Result<Rounded<TransactionList>, Problem> {
    let app = reader.app(&organization, &app).await?;
    let (limit, offset) = page.limit_and_offset()?;
    let page = (limit as usize, offset as usize);
    let (kind, search) = (filter.kind.as_deref(), filter.search.as_deref());
    Ok(Rounded(reader.query.transactions(&app, &range.range()?, kind, search, page).await?))
}

/// Returns one transaction.
#[utoipa::path(
    get,
    path = "/api/v2/organizations/{organization}/apps/{app}/transactions/{transaction}/",
    operation_id = "get_transaction",
    tag = "transactions",
    params(("organization" = String, Path), ("app" = String, Path), ("transaction" = i64, Path), RangeParameters),
    responses((status = 200, body = TransactionSummary)),
)]
pub(super) async fn one(
    reader: Reader,
    Path((organization, app, transaction)): Path<(String, String, i64)>,
    Params(range): Params<RangeParameters>,
) -> Result<Rounded<TransactionSummary>, Problem> {
    let app = reader.app(&organization, &app).await?;
    let summary = reader.query.transaction(&app, transaction, &range.range()?).await?;
    summary.map(Rounded).ok_or_else(|| Problem::not_found("transaction"))
}

/// Returns a transaction's durations and requests over time.
#[utoipa::path(
    get,
    path = "/api/v2/organizations/{organization}/apps/{app}/transactions/{transaction}/series/",
    operation_id = "get_transaction_series",
    tag = "transactions",
    params(("organization" = String, Path), ("app" = String, Path), ("transaction" = i64, Path), RangeParameters),
    responses((status = 200, body = Series)),
)]
pub(super) async fn series(
    reader: Reader,
    Path((organization, app, transaction)): Path<(String, String, i64)>,
    Params(range): Params<RangeParameters>,
) -> Result<Rounded<Series>, Problem> {
    let app = reader.app(&organization, &app).await?;
    Ok(Rounded(reader.query.series(&app, Some(transaction), &range.range()?).await?))
}

/// Returns a transaction's time by kind of span.
#[utoipa::path(
    get,
    path = "/api/v2/organizations/{organization}/apps/{app}/transactions/{transaction}/breakdown/",
    operation_id = "get_transaction_breakdown",
    tag = "transactions",
    params(("organization" = String, Path), ("app" = String, Path), ("transaction" = i64, Path), RangeParameters),
    responses((status = 200, body = Vec<BreakdownPart>)),
)]
pub(super) async fn breakdown(
    reader: Reader,
    Path((organization, app, transaction)): Path<(String, String, i64)>,
    Params(range): Params<RangeParameters>,
) -> Result<Rounded<Vec<BreakdownPart>>, Problem> {
    let app = reader.app(&organization, &app).await?;
    Ok(Rounded(reader.query.breakdown(&app, Some(transaction), &range.range()?).await?))
}

/// Lists samples of a transaction.
#[utoipa::path(
    get,
    path = "/api/v2/organizations/{organization}/apps/{app}/transactions/{transaction}/samples/",
    operation_id = "list_samples",
    tag = "transactions",
    params(("organization" = String, Path), ("app" = String, Path), ("transaction" = i64, Path), RangeParameters, Order),
    responses((status = 200, body = Vec<SampleSummary>)),
)]
pub(super) async fn samples(
    reader: Reader,
    Path((organization, app, transaction)): Path<(String, String, i64)>,
    Params(range): Params<RangeParameters>,
    Params(Order { order }): Params<Order>,
) -> Result<Json<Vec<SampleSummary>>, Problem> {
    let app = reader.app(&organization, &app).await?;
    let order = match order.as_deref() {
        None | Some("slowest") => SampleOrder::Slowest,
        Some("newest") => SampleOrder::Newest,
        Some(other) => return Err(Problem::invalid("order", format!("{other:?} is neither `slowest` nor `newest`"))),
    };
    Ok(Json(reader.query.samples(&app, transaction, &range.range()?, order, 100).await?))
}

/// Returns one sample with its spans.
#[utoipa::path(
    get,
    path = "/api/v2/organizations/{organization}/apps/{app}/transactions/{transaction}/samples/{sample}/",
    operation_id = "get_sample",
    tag = "transactions",
    params(
        ("organization" = String, Path), ("app" = String, Path), ("transaction" = i64, Path), ("sample" = i64, Path)
    ),
    responses((status = 200, body = Sample)),
)]
pub(super) async fn sample(
    reader: Reader,
    Path((organization, app, transaction, sample)): Path<(String, String, i64, i64)>,
) -> Result<Json<Sample>, Problem> {
    let app = reader.app(&organization, &app).await?;
    let sample = reader.query.sample(&app, transaction, sample).await?;
    sample.map(Json).ok_or_else(|| Problem::not_found("sample"))
}

/// Returns the durations and requests of all of an app's transactions over time.
#[utoipa::path(
    get,
    path = "/api/v2/organizations/{organization}/apps/{app}/series/",
    operation_id = "get_series",
    tag = "apps",
    params(("organization" = String, Path), ("app" = String, Path), RangeParameters),
    responses((status = 200, body = Series)),
)]
pub(super) async fn app_series(
    reader: Reader,
    Path((organization, app)): Path<(String, String)>,
    Params(range): Params<RangeParameters>,
) -> Result<Rounded<Series>, Problem> {
    let app = reader.app(&organization, &app).await?;
    Ok(Rounded(reader.query.series(&app, None, &range.range()?).await?))
}

/// Returns the time of all of an app's transactions by kind of span.
#[utoipa::path(
    get,
    path = "/api/v2/organizations/{organization}/apps/{app}/breakdown/",
    operation_id = "get_breakdown",
    tag = "apps",
    params(("organization" = String, Path), ("app" = String, Path), RangeParameters),
    responses((status = 200, body = Vec<BreakdownPart>)),
)]
pub(super) async fn app_breakdown(
    reader: Reader,
    Path((organization, app)): Path<(String, String)>,
    Params(range): Params<RangeParameters>,
) -> Result<Rounded<Vec<BreakdownPart>>, Problem> {
    let app = reader.app(&organization, &app).await?;
    Ok(Rounded(reader.query.breakdown(&app, None, &range.range()?).await?))
}
