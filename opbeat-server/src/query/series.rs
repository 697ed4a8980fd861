//! Durations and requests over time.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::head::HeadPercentiles;
use super::time::from_seconds;
use super::transactions::rollup_span;
use super::{AppIdentity, Query, QueryError, Range, ReleaseMark};
use crate::changes::Rollup;

/// A range in equal steps. Steps without requests have no average and no percentiles.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Series {
    /// The length of a step in seconds.
    pub(crate) step_seconds: i64,
    /// Transactions per minute, over the requested time since the app's first data.
    pub(crate) per_minute: f64,
    /// The points, the earliest first.
    pub(crate) points: Vec<SeriesPoint>,
    /// The newest 30 releases that were completed in the range, the newest first.
    pub(crate) releases: Vec<ReleaseMark>,
}

/// One step.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct SeriesPoint {
    /// The step's start, RFC 3339 in UTC.
    #[schema(value_type = String)]
    pub(crate) start: Timestamp,
    /// Whether the step is over. The counts of a running step still grow.
    pub(crate) is_complete: bool,
    /// The number of transactions.
    pub(crate) count: u64,
    /// The number of failed transactions.
    pub(crate) failed: u64,
    /// Their mean duration in milliseconds; `null` without any.
    pub(crate) average_ms: Option<f64>,
    /// The duration in milliseconds that half of them did not exceed.
    pub(crate) p50_ms: Option<f64>,
    /// The duration in milliseconds that 95 % of them did not exceed.
    pub(crate) p95_ms: Option<f64>,
    /// The duration in milliseconds that 99 % of them did not exceed.
    pub(crate) p99_ms: Option<f64>,
    /// The time to the response head; `null` without any transactions.
    pub(crate) head: Option<HeadPercentiles>,
    /// The number of transactions by result.
    pub(crate) results: BTreeMap<String, u64>,
}

impl Series {
    /// Returns whether a percentile of the time to the response head is noticeably shorter than that of the duration, in
    /// any step.
    pub(crate) fn has_shorter_heads(&self) -> bool {
        let durations = |point: &SeriesPoint| Some([point.p50_ms?, point.p95_ms?, point.p99_ms?]);
        let is_shorter = |point: &SeriesPoint| Some(point.head?.is_shorter_than(durations(point)?));
        self.points.iter().any(|point| is_shorter(point).unwrap_or(false))
    }
}

impl Query {
    /// Returns the series of one transaction, or of all of an app's transactions.
    pub(crate) async fn series(
        &self,
        app: &AppIdentity,
        transaction: Option<i64>,
        range: &Range,
    ) -> Result<Series, QueryError> {
        let ids = transaction.map(|id| [id]);
        let mut count = 0_u64;
        let mut steps: BTreeMap<i64, (Rollup, BTreeMap<String, u64>)> = BTreeMap::new();
        self.store
            .each_rollup(rollup_span(app, range, ids.as_ref().map(|ids| &ids[..])), |row| {
                count = count.saturating_add(row.rollup.count);
                // A row of a longer time than those of the range can begin before it.
                let step = (row.start - range.from).max(0) / range.step;
                let (all, results) = steps.entry(step).or_default();
                all.merge(&row.rollup);
                let number: &mut u64 = results.entry(row.result).or_default();
                *number = number.saturating_add(row.rollup.count);
            })
            .await?;
        let point = |(index, start)| {
            let (all, results) = steps.remove(&index).unwrap_or_default();
            point(from_seconds(start), range.is_complete(start), &all, results)
        };
        let per_minute = count as f64 / range.minutes_since(self.first_data(app).await?);
        let points = (0..).zip(range.points()).map(point).collect();
        let releases = self.release_marks(app, range).await?;
        Ok(Series { step_seconds: range.step, per_minute, points, releases })
    }
}

fn point(start: Timestamp, is_complete: bool, all: &Rollup, results: BTreeMap<String, u64>) -> SeriesPoint {
    SeriesPoint {
        start,
        is_complete,
        count: all.count,
        failed: all.failed,
        average_ms: (all.count > 0).then(|| all.sum_ms / all.count as f64),
        p50_ms: all.quantile(0.5),
        p95_ms: all.quantile(0.95),
        p99_ms: all.quantile(0.99),
        head: HeadPercentiles::of(all),
        results,
    }
}
