//! An app's transactions, ranked by their share of the time of all.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;
use utoipa::ToSchema;

use super::head::{HeadPercentiles, is_shorter};
use super::{AppIdentity, DroppedData, Query, QueryError, Range};
use crate::changes::Rollup;
use crate::store::OTHER_NAMES;
use crate::store::read::{RollupSpan, TransactionRow, TransactionSum};

/// A transaction's names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct TransactionIdentity {
    /// Its id.
    pub(crate) id: i64,
    /// Its name; empty for unmatched URLs of the Python agent.
    pub(crate) name: String,
    /// Its kind, or an empty string.
    pub(crate) kind: String,
}

/// A transaction, summed up over a range.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct TransactionSummary {
    /// The transaction.
    #[serde(flatten)]
    pub(crate) transaction: TransactionIdentity,
    /// The number of executions.
    pub(crate) count: u64,
    /// The number of failed executions.
    pub(crate) failed: u64,
    /// Executions per minute, over the requested time since the app's first data.
    pub(crate) per_minute: f64,
    /// The mean duration in milliseconds.
    pub(crate) average_ms: f64,
    /// The duration in milliseconds that half of them did not exceed, within 1 %.
    pub(crate) p50_ms: f64,
    /// The duration in milliseconds that 95 % of them did not exceed, within 1 %.
    pub(crate) p95_ms: f64,
    /// The duration in milliseconds that 99 % of them did not exceed, within 1 %.
    pub(crate) p99_ms: f64,
    /// The time to the response head; equal to the duration unless response bodies took noticeable time.
    pub(crate) head: HeadPercentiles,
    /// The longest duration in milliseconds.
    pub(crate) max_ms: f64,
    /// The sum of all durations in milliseconds.
    pub(crate) total_ms: f64,
    /// The share of the time of all the app's transactions, from 0 to 1.
    pub(crate) impact: f64,
    /// The number of executions by result.
    pub(crate) results: BTreeMap<String, u64>,
}

/// Transactions by impact, the greatest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct TransactionList {
    /// The number of transactions that match the filters.
    pub(crate) total: usize,
    /// The requested part of the list.
    pub(crate) transactions: Vec<TransactionSummary>,
    /// The kinds of all transactions in the range, for filters.
    pub(crate) kinds: Vec<String>,
    /// The data that the agents dropped in the range.
    pub(crate) drops: Vec<DroppedData>,
    /// Whether the app has more names than the limit, and the others are counted under `(other names)`.
    pub(crate) has_other_names: bool,
}

/// The time spent in spans of a kind.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct BreakdownPart {
    /// The kind of the spans; `app` for the time that no span covers.
    pub(crate) kind: String,
    /// The number of spans.
    pub(crate) count: u64,
    /// The self time in milliseconds: the time of the spans without that of their children.
    pub(crate) self_ms: f64,
    /// The share of all time, from 0 to 1.
    pub(crate) share: f64,
    /// The number of sampled transactions that the time is estimated from; `null` if it is exact.
    pub(crate) estimated_from_samples: Option<u64>,
}

impl TransactionSummary {
    /// Returns whether a percentile of the time to the response head is noticeably shorter than that of the duration.
    pub(crate) fn has_shorter_heads(&self) -> bool {
        self.head.is_shorter_than([self.p50_ms, self.p95_ms, self.p99_ms])
    }

    /// Returns the 95th percentile of the time to the response head, in milliseconds, if it is noticeably shorter than
    /// that of the duration.
    pub(crate) fn shorter_head_p95(&self) -> Option<f64> {
        Some(self.head.p95_ms).filter(|head| is_shorter(*head, self.p95_ms))
    }
}

impl Query {
    /// Returns transactions of an app by impact, the greatest first. `search` is a part of the name.
    pub(crate) async fn transactions(
        &self,
        app: &AppIdentity,
        range: &Range,
        kind: Option<&str>,
        search: Option<&str>,
        (limit, offset): (usize, usize),
    ) -> Result<TransactionList, QueryError> {
        let mut sums = self.store.transaction_sums(rollup_span(app, range, None)).await?;
        let total_ms: f64 = sums.iter().map(|sum| sum.sum_ms).sum();
        let has_other_names = sums.iter().any(|sum| sum.transaction.name == OTHER_NAMES);
        let kinds: BTreeSet<&str> = sums.iter().map(|sum| sum.transaction.kind.as_str()).collect();
        let kinds = kinds.into_iter().map(str::to_owned).collect();
        let search = search.map(str::to_lowercase);
        sums.retain(|TransactionSum { transaction, .. }| {
            kind.is_none_or(|kind| kind == transaction.kind)
                && search.as_ref().is_none_or(|search| transaction.name.to_lowercase().contains(search))
        });
        sums.sort_by(|a, b| b.sum_ms.total_cmp(&a.sum_ms).then_with(|| a.transaction.name.cmp(&b.transaction.name)));
        let total = sums.len();
        let shown = sums.into_iter().map(|sum| sum.transaction).skip(offset).take(limit).collect();
        let transactions = self.summaries(app, shown, range, Some(total_ms)).await?;
        let drops = self.drops(app, range).await?;
        Ok(TransactionList { total, transactions, kinds, drops, has_other_names })
    }

    /// Sums up transactions. Only their distributions are read. Without `total_ms`, the impact is the share of their
    /// own time.
    async fn summaries(
        &self,
        app: &AppIdentity,
        rows: Vec<TransactionRow>,
        range: &Range,
        total_ms: Option<f64>,
    ) -> Result<Vec<TransactionSummary>, QueryError> {
        let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
        let mut sums: HashMap<i64, Sum> = HashMap::new();
        self.store
            .each_longest_rollup(rollup_span(app, range, Some(&ids)), |row| {
                sums.entry(row.transaction).or_default().add(&row.result, &row.rollup)
            })
            .await?;
        let minutes = range.minutes_since(self.first_data(app).await?);
        let total_ms = total_ms.unwrap_or_else(|| sums.values().map(|sum| sum.all.sum_ms).sum());
        let summary =
            |row: TransactionRow| sums.remove(&row.id).unwrap_or_default().summary(row.into(), minutes, total_ms);
        Ok(rows.into_iter().map(summary).collect())
    }

    /// Returns one transaction of an app; its counts are zero if it did not run in the range.
    pub(crate) async fn transaction(
        &self,
        app: &AppIdentity,
        id: i64,
        range: &Range,
    ) -> Result<Option<TransactionSummary>, QueryError> {
        let Some(row) = self.store.transaction(&app.id, id).await? else { return Ok(None) };
        Ok(self.summaries(app, vec![row], range, None).await?.pop())
    }

    /// Returns the time by kind of span, the greatest first, of one transaction or of all of an app's.
    pub(crate) async fn breakdown(
        &self,
        app: &AppIdentity,
        transaction: Option<i64>,
        range: &Range,
    ) -> Result<Vec<BreakdownPart>, QueryError> {
        let ids = transaction.map(|id| [id]);
        let parts = self.store.breakdown(rollup_span(app, range, ids.as_ref().map(|ids| &ids[..]))).await?;
        let all: f64 = parts.iter().map(|(_, part)| part.self_ms).sum();
        let part = |(kind, part): (String, crate::changes::SelfTime)| BreakdownPart {
            kind,
            count: part.count,
            self_ms: part.self_ms,
            share: if all > 0.0 { part.self_ms / all } else { 0.0 },
            estimated_from_samples: Some(part.samples).filter(|samples| *samples > 0),
        };
        Ok(parts.into_iter().map(part).collect())
    }
}

pub(super) fn rollup_span<'a>(app: &'a AppIdentity, range: &Range, transactions: Option<&'a [i64]>) -> RollupSpan<'a> {
    RollupSpan { app_id: &app.id, transactions, resolution: range.resolution, from: range.from, to: range.to }
}

/// The sum of the rollups of one transaction.
#[derive(Default)]
struct Sum {
    all: Rollup,
    results: BTreeMap<String, u64>,
}

impl Sum {
    fn add(&mut self, result: &str, rollup: &Rollup) {
        self.all.merge(rollup);
        let number = self.results.entry(result.to_owned()).or_default();
        *number = number.saturating_add(rollup.count);
    }

    fn summary(self, transaction: TransactionIdentity, minutes: f64, total_ms: f64) -> TransactionSummary {
        let Self { all, results } = self;
        let quantile = |share| all.quantile(share).unwrap_or(0.0);
        TransactionSummary {
            transaction,
            count: all.count,
            failed: all.failed,
            per_minute: all.count as f64 / minutes,
            average_ms: if all.count > 0 { all.sum_ms / all.count as f64 } else { 0.0 },
            p50_ms: quantile(0.5),
            p95_ms: quantile(0.95),
            p99_ms: quantile(0.99),
            head: HeadPercentiles::of(&all).unwrap_or_default(),
            max_ms: all.max_ms,
            total_ms: all.sum_ms,
            impact: if total_ms > 0.0 { all.sum_ms / total_ms } else { 0.0 },
            results,
        }
    }
}

impl From<TransactionRow> for TransactionIdentity {
    fn from(row: TransactionRow) -> Self {
        Self { id: row.id, name: row.name, kind: row.kind }
    }
}
