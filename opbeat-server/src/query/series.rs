//! Durations and requests over time.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::transactions::span;
use super::{AppIdentity, Query, QueryError, Range, rfc3339_seconds};
use crate::store::Rollup;

/// A time in equal steps. Steps without requests are left out of averages and percentiles.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Series {
    /// Seconds that one point stands for.
    pub step_seconds: i64,
    /// The points, the earliest first.
    pub points: Vec<SeriesPoint>,
}

/// One step.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SeriesPoint {
    /// The step's start, RFC 3339 in UTC.
    pub start: String,
    /// The step's start in seconds since 1970.
    #[serde(skip)]
    pub start_seconds: i64,
    /// How many transactions.
    pub count: u64,
    /// How many failed.
    pub failed: u64,
    /// Their mean duration in milliseconds; `null` without any.
    pub average_ms: Option<f64>,
    /// The duration that half of them did not exceed.
    pub p50_ms: Option<f64>,
    /// The duration that 95 % of them did not exceed.
    pub p95_ms: Option<f64>,
    /// The duration that 99 % of them did not exceed.
    pub p99_ms: Option<f64>,
    /// How many by result.
    pub results: BTreeMap<String, u64>,
}

impl Query {
    /// Returns a transaction's series, or that of all of an app.
    ///
    /// # Errors
    ///
    /// Returns [`QueryError`] if the database fails.
    pub async fn series(
        &self,
        app: &AppIdentity,
        transaction: Option<i64>,
        range: &Range,
    ) -> Result<Series, QueryError> {
        let mut steps: BTreeMap<i64, (Rollup, BTreeMap<String, u64>)> = BTreeMap::new();
        self.store
            .each_rollup(span(app, range, transaction), |row| {
                let (all, results) = steps.entry((row.start - range.from) / range.step).or_default();
                all.merge(&row.rollup);
                *results.entry(row.result).or_default() += row.rollup.count;
            })
            .await?;
        let point = |(index, start)| {
            let (all, results) = steps.remove(&index).unwrap_or_default();
            point(start, &all, results)
        };
        Ok(Series { step_seconds: range.step, points: (0..).zip(range.points()).map(point).collect() })
    }
}

fn point(start: i64, all: &Rollup, results: BTreeMap<String, u64>) -> SeriesPoint {
    SeriesPoint {
        start: rfc3339_seconds(start),
        start_seconds: start,
        count: all.count,
        failed: all.failed,
        average_ms: (all.count > 0).then(|| all.sum_ms / all.count as f64),
        p50_ms: all.sketch.quantile(0.5),
        p95_ms: all.sketch.quantile(0.95),
        p99_ms: all.sketch.quantile(0.99),
        results,
    }
}
