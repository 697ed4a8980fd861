//! An app's transactions, ranked by what they cost.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use utoipa::ToSchema;

use super::{AppIdentity, Loss, Query, QueryError, Range};
use crate::store::Rollup;
use crate::store::read::{RollupSpan, TransactionRow};

/// A transaction's names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct TransactionIdentity {
    /// Its id.
    pub id: i64,
    /// Its name; empty for unmatched URLs of the Python agent.
    pub name: String,
    /// Its kind, or an empty string.
    pub kind: String,
}

/// A transaction over a time.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TransactionSummary {
    /// The transaction.
    #[serde(flatten)]
    pub transaction: TransactionIdentity,
    /// How many there were.
    pub count: u64,
    /// How many failed.
    pub failed: u64,
    /// How many a minute.
    pub per_minute: f64,
    /// Their mean duration in milliseconds.
    pub average_ms: f64,
    /// The duration that half of them did not exceed, within 1 %.
    pub p50_ms: f64,
    /// The duration that 95 % of them did not exceed, within 1 %.
    pub p95_ms: f64,
    /// The duration that 99 % of them did not exceed, within 1 %.
    pub p99_ms: f64,
    /// The longest.
    pub max_ms: f64,
    /// All their time in milliseconds.
    pub total_ms: f64,
    /// Their share of the time of all transactions, from 0 to 1.
    pub impact: f64,
    /// How many by result.
    pub results: BTreeMap<String, u64>,
}

/// Transactions by impact, the greatest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TransactionList {
    /// How many there are in all.
    pub total: usize,
    /// Those that were asked for.
    pub transactions: Vec<TransactionSummary>,
    /// The kinds of all, for filters.
    pub kinds: Vec<String>,
    /// What the agents had to leave out in that time.
    pub losses: Vec<Loss>,
}

/// The time in spans of one kind.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BreakdownPart {
    /// The spans' kind; `app` for what no span covers.
    pub kind: String,
    /// How many spans.
    pub count: u64,
    /// Their time in milliseconds, less what their own children took.
    pub self_ms: f64,
    /// Their share of all time, from 0 to 1.
    pub share: f64,
}

impl Query {
    /// Returns transactions of an app by impact. `search` is a part of the name.
    ///
    /// # Errors
    ///
    /// Returns [`QueryError`] if the database fails.
    pub async fn transactions(
        &self,
        app: &AppIdentity,
        range: &Range,
        kind: Option<&str>,
        search: Option<&str>,
        (limit, offset): (usize, usize),
    ) -> Result<TransactionList, QueryError> {
        let names = self.store.transactions(&app.id).await?;
        let mut sums: HashMap<i64, Sum> = HashMap::new();
        self.store
            .each_rollup(span(app, range, None), |row| {
                sums.entry(row.transaction).or_default().add(&row.result, &row.rollup)
            })
            .await?;
        let total_ms: f64 = sums.values().map(|sum| sum.all.sum_ms).sum();
        let search = search.map(str::to_lowercase);
        let mut kinds: Vec<String> = Vec::new();
        let mut transactions: Vec<TransactionSummary> = Vec::new();
        for row in names {
            let Some(sum) = sums.remove(&row.id) else { continue };
            kinds.push(row.kind.clone());
            let is_asked_for = kind.is_none_or(|kind| kind == row.kind)
                && search.as_ref().is_none_or(|search| row.name.to_lowercase().contains(search));
            if is_asked_for {
                transactions.push(sum.summary(row.into(), range, total_ms));
            }
        }
        kinds.sort_unstable();
        kinds.dedup();
        transactions.sort_by(|a, b| {
            b.total_ms.total_cmp(&a.total_ms).then_with(|| a.transaction.name.cmp(&b.transaction.name))
        });
        let total = transactions.len();
        let transactions = transactions.into_iter().skip(offset).take(limit).collect();
        let losses = self.losses(app, range).await?;
        Ok(TransactionList { total, transactions, kinds, losses })
    }

    /// Returns one transaction of an app; one without requests in the range counts none.
    ///
    /// # Errors
    ///
    /// Returns [`QueryError`] if the database fails.
    pub async fn transaction(
        &self,
        app: &AppIdentity,
        id: i64,
        range: &Range,
    ) -> Result<Option<TransactionSummary>, QueryError> {
        let Some(row) = self.store.transaction(&app.id, id).await? else { return Ok(None) };
        let mut sum = Sum::default();
        self.store.each_rollup(span(app, range, Some(id)), |row| sum.add(&row.result, &row.rollup)).await?;
        let total_ms = sum.all.sum_ms;
        Ok(Some(sum.summary(row.into(), range, total_ms)))
    }

    /// Returns where a transaction's time goes, or that of all, the greatest part first.
    ///
    /// # Errors
    ///
    /// Returns [`QueryError`] if the database fails.
    pub async fn breakdown(
        &self,
        app: &AppIdentity,
        transaction: Option<i64>,
        range: &Range,
    ) -> Result<Vec<BreakdownPart>, QueryError> {
        let parts = self.store.breakdown(span(app, range, transaction)).await?;
        let all: f64 = parts.iter().map(|(_, part)| part.self_ms).sum();
        let part = |(kind, part): (String, crate::store::SelfTime)| BreakdownPart {
            kind,
            count: part.count,
            self_ms: part.self_ms,
            share: if all > 0.0 { part.self_ms / all } else { 0.0 },
        };
        Ok(parts.into_iter().map(part).collect())
    }
}

pub(super) fn span<'a>(app: &'a AppIdentity, range: &Range, transaction: Option<i64>) -> RollupSpan<'a> {
    RollupSpan { app_id: &app.id, transaction, resolution: range.resolution, from: range.from, to: range.to }
}

/// Rows of one transaction, added up.
#[derive(Default)]
struct Sum {
    all: Rollup,
    results: BTreeMap<String, u64>,
}

impl Sum {
    fn add(&mut self, result: &str, rollup: &Rollup) {
        self.all.merge(rollup);
        *self.results.entry(result.to_owned()).or_default() += rollup.count;
    }

    fn summary(self, transaction: TransactionIdentity, range: &Range, total_ms: f64) -> TransactionSummary {
        let Self { all, results } = self;
        let quantile = |share| all.sketch.quantile(share).unwrap_or(0.0);
        TransactionSummary {
            transaction,
            count: all.count,
            failed: all.failed,
            per_minute: all.count as f64 / range.minutes(),
            average_ms: if all.count > 0 { all.sum_ms / all.count as f64 } else { 0.0 },
            p50_ms: quantile(0.5),
            p95_ms: quantile(0.95),
            p99_ms: quantile(0.99),
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
