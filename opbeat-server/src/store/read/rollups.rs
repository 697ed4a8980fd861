//! Transactions, their durations and the breakdown of their time, and the drops that agents reported.

use std::collections::BTreeMap;

use crate::changes::{Rollup, SelfTime};
use crate::store::caps::OTHER_KINDS;
use crate::store::counts::{count, unsigned};
use crate::store::database::Store;
use crate::store::engine::{QueryBuilder, Row, query};
use crate::store::error::StoreError;
use crate::store::marks::{Marks, Part};
use crate::store::rollups::{read, report_damage};
use crate::store::transactions::TOTAL_KIND;

/// The largest number of kinds that a breakdown lists by themselves.
const MAX_KINDS: usize = 100;

/// The rows that a query reads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RollupSpan<'a> {
    /// The app's id.
    pub(crate) app_id: &'a str,
    /// The ids of the transactions, or `None` for all.
    pub(crate) transactions: Option<&'a [i64]>,
    /// The longest time that one row stands for, in seconds: one of [`RESOLUTIONS`](crate::changes::RESOLUTIONS).
    /// The newest rows, which are not added up yet, stand for shorter times.
    pub(crate) resolution: i64,
    /// The start of the first row, in seconds since 1970.
    pub(crate) from: i64,
    /// The end, in seconds since 1970; rows that start there are not read.
    pub(crate) to: i64,
}

/// A transaction's name and kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TransactionRow {
    /// Its id in the store.
    pub(crate) id: i64,
    /// Its name.
    pub(crate) name: String,
    /// Its kind, or an empty string.
    pub(crate) kind: String,
}

/// A transaction with the sum of its durations.
#[derive(Clone, Debug)]
pub(crate) struct TransactionSum {
    /// The transaction.
    pub(crate) transaction: TransactionRow,
    /// The sum of its durations, in milliseconds.
    pub(crate) sum_ms: f64,
}

/// The durations of one transaction name with one result, within the time of a row.
#[derive(Clone, Debug)]
pub(crate) struct RollupRow {
    /// The transaction's id.
    pub(crate) transaction: i64,
    /// The start of that time, in seconds since 1970.
    pub(crate) start: i64,
    /// The result.
    pub(crate) result: String,
    /// The durations.
    pub(crate) rollup: Rollup,
}

/// The self time of a transaction name in the spans of a kind, within the time of a row.
#[derive(Clone, Debug)]
pub(crate) struct SelfTimeRow {
    /// The transaction's id.
    pub(crate) transaction: i64,
    /// The start of that time, in seconds since 1970.
    pub(crate) start: i64,
    /// The kind of the spans.
    pub(crate) kind: String,
    /// The self time.
    pub(crate) self_time: SelfTime,
}

impl Store {
    /// Returns an app's transaction.
    pub(crate) async fn transaction(&self, app_id: &str, id: i64) -> Result<Option<TransactionRow>, StoreError> {
        let row = query("SELECT id, name, kind FROM transactions WHERE app_id = ? AND id = ? AND kind <> ?")
            .bind(app_id)
            .bind(id)
            .bind(TOTAL_KIND)
            .read_optional(&self.readers)
            .await?;
        row.as_ref().map(transaction).transpose()
    }

    /// Returns the transactions that ran in a range, with the sum of their durations. No distribution is read.
    pub(crate) async fn transaction_sums(&self, span: RollupSpan<'_>) -> Result<Vec<TransactionSum>, StoreError> {
        let mut parts = self.marks(span.app_id).await?.longest_parts(span.resolution, (span.from, span.to));
        // An expression needs at least one term.
        if parts.is_empty() {
            parts.push(Part { resolution: span.resolution, from: span.from, to: span.to });
        }
        // Without a group of rows for each name, the database sorts nothing.
        let mut query = QueryBuilder::new("SELECT id, name, kind");
        for (index, part) in parts.iter().enumerate() {
            // Of thousands of names, few ran since the newest parts begin.
            query.push(", CASE WHEN last_seen >= ").push_bind(part.from.saturating_mul(1_000_000));
            query.push(
                " THEN (SELECT sum(rollups.sum_ms) FROM rollups
                   WHERE rollups.transaction_id = transactions.id AND rollups.resolution = ",
            );
            query.push_bind(part.resolution).push(" AND rollups.start >= ").push_bind(part.from);
            query.push(" AND rollups.start < ").push_bind(part.to).push(format!(") END AS sum_{index}"));
        }
        query.push(" FROM transactions WHERE app_id = ").push_bind(span.app_id.to_owned());
        query.push(" AND kind <> ").push_bind(TOTAL_KIND).push(" AND last_seen >= ");
        query.push_bind(span.from.saturating_mul(1_000_000));
        if let Some(transactions) = span.transactions {
            query.push(" AND id IN ").push_integers(transactions);
        }
        let count = parts.len();
        let sum = move |row: &Row<'_>| -> Result<Option<TransactionSum>, StoreError> {
            let sums = (3..count + 3).map(|column| row.try_get::<Option<f64>, _>(column));
            let sums: Vec<f64> = sums.filter_map(Result::transpose).collect::<Result<_, _>>()?;
            let sum_ms: f64 = sums.iter().sum();
            Ok(if sums.is_empty() { None } else { Some(TransactionSum { transaction: transaction(row)?, sum_ms }) })
        };
        let mut all = Vec::new();
        query.build().read_each(&self.readers, sum, |sum| all.extend(sum)).await?;
        Ok(all)
    }

    /// Calls `each` with one row of durations after the other, so that they are never all in memory. The rows of all
    /// transactions can be those of their sums, which have no name.
    pub(crate) async fn each_rollup(
        &self,
        span: RollupSpan<'_>,
        each: impl FnMut(RollupRow),
    ) -> Result<(), StoreError> {
        let marks = self.marks(span.app_id).await?;
        let parts = marks.parts(span.resolution, (span.from, span.to));
        self.each_row(span, &marks, &parts, each).await
    }

    /// Does the same as [`Self::each_rollup`] with the longest rows that stand for the span together, which are fewer.
    pub(crate) async fn each_longest_rollup(
        &self,
        span: RollupSpan<'_>,
        each: impl FnMut(RollupRow),
    ) -> Result<(), StoreError> {
        let marks = self.marks(span.app_id).await?;
        let parts = marks.longest_parts(span.resolution, (span.from, span.to));
        self.each_row(span, &marks, &parts, each).await
    }

    async fn each_row(
        &self,
        span: RollupSpan<'_>,
        marks: &Marks,
        parts: &[Part],
        each: impl FnMut(RollupRow),
    ) -> Result<(), StoreError> {
        let select = "SELECT rollups.transaction_id, rollups.start, rollups.result, rollups.count, rollups.failed,
                             rollups.sum_ms, rollups.min_ms, rollups.max_ms, rollups.sketch, rollups.head_sketch
                      FROM transactions JOIN rollups ON rollups.transaction_id = transactions.id WHERE ";
        let mut query = QueryBuilder::new("");
        if !push_parts(&mut query, span, marks, parts, ("rollups", select, "")) {
            return Ok(());
        }
        let app_id = span.app_id.to_owned();
        let rollup = move |row: &Row<'_>| {
            let stored = read(row)?;
            if stored.is_damaged {
                report_damage(&app_id);
            }
            Ok(RollupRow {
                transaction: row.try_get("transaction_id")?,
                start: row.try_get("start")?,
                result: row.try_get("result")?,
                rollup: stored.rollup,
            })
        };
        query.build().read_each(&self.readers, rollup, each).await
    }

    /// Returns the self times of some transactions by kind of span, one row after the other in time.
    pub(crate) async fn self_times(&self, span: RollupSpan<'_>) -> Result<Vec<SelfTimeRow>, StoreError> {
        let select = "SELECT breakdowns.transaction_id, breakdowns.start, breakdowns.kind, breakdowns.count,
                             breakdowns.self_ms, breakdowns.samples
                      FROM transactions JOIN breakdowns ON breakdowns.transaction_id = transactions.id WHERE ";
        let marks = self.marks(span.app_id).await?;
        let parts = marks.parts(span.resolution, (span.from, span.to));
        let mut query = QueryBuilder::new("");
        if !push_parts(&mut query, span, &marks, &parts, ("breakdowns", select, "")) {
            return Ok(Vec::new());
        }
        let row = |row: &Row<'_>| {
            let self_time = SelfTime {
                count: unsigned(row.try_get("count")?),
                self_ms: row.try_get("self_ms")?,
                samples: unsigned(row.try_get("samples")?),
            };
            Ok(SelfTimeRow {
                transaction: row.try_get("transaction_id")?,
                start: row.try_get("start")?,
                kind: row.try_get("kind")?,
                self_time,
            })
        };
        query.build().read_all(&self.readers).await?.iter().map(row).collect()
    }

    /// Returns the self time by kind of span, the largest first: 100 kinds, and the sum of all others.
    pub(crate) async fn breakdown(&self, span: RollupSpan<'_>) -> Result<Vec<(String, SelfTime)>, StoreError> {
        let mut query = QueryBuilder::new(
            "SELECT kind, sum(count) AS count, sum(self_ms) AS self_ms, sum(samples) AS samples FROM (",
        );
        let select = "SELECT breakdowns.kind, sum(CAST(breakdowns.count AS DOUBLE PRECISION)) AS count,
                             sum(breakdowns.self_ms) AS self_ms,
                             sum(CAST(breakdowns.samples AS DOUBLE PRECISION)) AS samples
                      FROM transactions JOIN breakdowns ON breakdowns.transaction_id = transactions.id WHERE ";
        let marks = self.marks(span.app_id).await?;
        let parts = marks.longest_parts(span.resolution, (span.from, span.to));
        if !push_parts(&mut query, span, &marks, &parts, ("breakdowns", select, " GROUP BY breakdowns.kind")) {
            return Ok(Vec::new());
        }
        query.push(") AS parts GROUP BY kind ORDER BY sum(self_ms) DESC, kind");
        let part = |row: &Row<'_>| {
            let (count, samples) = (count(row.try_get("count")?), count(row.try_get("samples")?));
            Ok::<_, StoreError>((row.try_get("kind")?, SelfTime { count, self_ms: row.try_get("self_ms")?, samples }))
        };
        let (mut kinds, mut others) = (Vec::new(), SelfTime::default());
        let each = |(kind, self_time): (String, SelfTime)| {
            if kind == OTHER_KINDS || kinds.len() >= MAX_KINDS {
                others.merge(self_time);
            } else {
                kinds.push((kind, self_time));
            }
        };
        query.build().read_each(&self.readers, part, each).await?;
        if others != SelfTime::default() {
            kinds.push((OTHER_KINDS.to_owned(), others));
        }
        Ok(kinds)
    }

    /// Returns an app's drops by reason, as agents reported them in a range of time (seconds since 1970).
    pub(crate) async fn drops(
        &self,
        app_id: &str,
        (from, to): (i64, i64),
    ) -> Result<BTreeMap<String, u64>, StoreError> {
        let rows = query(
            "SELECT reason, sum(CAST(count AS DOUBLE PRECISION)) AS count FROM drops
             WHERE app_id = ? AND start >= ? AND start < ? GROUP BY reason",
        )
        .bind(app_id)
        .bind(from)
        .bind(to)
        .read_all(&self.readers)
        .await?;
        rows.iter().map(|row| Ok((row.try_get("reason")?, count(row.try_get("count")?)))).collect()
    }
}

/// Appends a query for each part of a span: the start of the statement, the conditions, and its end. The queries are joined
/// with UNION ALL. Returns whether there is one.
///
/// Without a list of transactions, the sums of the app are read as far as they are stored.
pub(super) fn push_parts(
    query: &mut QueryBuilder<'_>,
    span: RollupSpan<'_>,
    marks: &Marks,
    parts: &[Part],
    (table, select, end): (&'static str, &'static str, &'static str),
) -> bool {
    let totals = marks.totals.filter(|_| span.transactions.is_none()).unwrap_or(i64::MAX);
    let of_names = parts.iter().map(|part| (Part { to: part.to.min(totals), ..*part }, " AND transactions.kind <> "));
    let of_app = parts.iter().map(|part| (Part { from: part.from.max(totals), ..*part }, " AND transactions.kind = "));
    let mut separator = "";
    for (part, kind) in of_names.chain(of_app).filter(|(part, _)| part.from < part.to) {
        query.push(separator).push(select).push("transactions.app_id = ").push_bind(span.app_id.to_owned());
        query.push(kind).push_bind(TOTAL_KIND);
        // Few of an app's transactions ran since then.
        query.push(" AND transactions.last_seen >= ").push_bind(part.from.saturating_mul(1_000_000));
        query.push(format!(" AND {table}.resolution = ")).push_bind(part.resolution);
        query.push(format!(" AND {table}.start >= ")).push_bind(part.from);
        query.push(format!(" AND {table}.start < ")).push_bind(part.to);
        if let Some(transactions) = span.transactions {
            query.push(" AND transactions.id IN ").push_integers(transactions);
        }
        query.push(end);
        separator = " UNION ALL ";
    }
    !separator.is_empty()
}

fn transaction(row: &Row<'_>) -> Result<TransactionRow, StoreError> {
    Ok(TransactionRow { id: row.try_get("id")?, name: row.try_get("name")?, kind: row.try_get("kind")? })
}
