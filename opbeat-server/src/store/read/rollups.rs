//! Transactions, their durations and the breakdown of their time, and the drops that agents reported.

use std::collections::BTreeMap;

use futures_util::TryStreamExt;
use sqlx::{QueryBuilder, Row, Sqlite};

use crate::changes::{Rollup, SelfTime};
use crate::store::database::Store;
use crate::store::error::StoreError;
use crate::store::rollups::{read, unsigned};

/// The rows that a query reads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RollupSpan<'a> {
    /// The app's id.
    pub(crate) app_id: &'a str,
    /// The id of one transaction, or `None` for all.
    pub(crate) transaction: Option<i64>,
    /// The length of time that one row stands for, in seconds: 60 or 3600.
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

/// The durations of one transaction name with one result, within one minute or one hour.
#[derive(Clone, Debug)]
pub(crate) struct RollupRow {
    /// The transaction's id.
    pub(crate) transaction: i64,
    /// The start of the minute or hour, in seconds since 1970.
    pub(crate) start: i64,
    /// The result.
    pub(crate) result: String,
    /// The durations.
    pub(crate) rollup: Rollup,
}

impl Store {
    /// Returns an app's transaction.
    pub(crate) async fn transaction(&self, app_id: &str, id: i64) -> Result<Option<TransactionRow>, StoreError> {
        let row = sqlx::query("SELECT id, name, kind FROM transactions WHERE app_id = ? AND id = ?")
            .bind(app_id)
            .bind(id)
            .fetch_optional(&self.readers)
            .await?;
        row.as_ref().map(transaction).transpose()
    }

    /// Returns an app's transactions.
    pub(crate) async fn transactions(&self, app_id: &str) -> Result<Vec<TransactionRow>, StoreError> {
        let rows = sqlx::query("SELECT id, name, kind FROM transactions WHERE app_id = ?")
            .bind(app_id)
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(transaction).collect()
    }

    /// Calls `each` with one row of durations after the other, so that they are never all in memory.
    pub(crate) async fn each_rollup(
        &self,
        span: RollupSpan<'_>,
        mut each: impl FnMut(RollupRow),
    ) -> Result<(), StoreError> {
        let mut query = QueryBuilder::<Sqlite>::new(
            "SELECT rollups.transaction_id, rollups.start, rollups.result, rollups.count, rollups.failed,
                    rollups.sum_ms, rollups.min_ms, rollups.max_ms, rollups.sketch,
                    rollups.head_sketch
             FROM transactions JOIN rollups ON rollups.transaction_id = transactions.id WHERE ",
        );
        push_span(&mut query, span, "rollups");
        let mut rows = query.build().fetch(&self.readers);
        while let Some(row) = rows.try_next().await? {
            each(RollupRow {
                transaction: row.try_get("transaction_id")?,
                start: row.try_get("start")?,
                result: row.try_get("result")?,
                rollup: read(&row)?,
            });
        }
        Ok(())
    }

    /// Returns the self time by kind of span, the largest first: at most 100 kinds.
    pub(crate) async fn breakdown(&self, span: RollupSpan<'_>) -> Result<Vec<(String, SelfTime)>, StoreError> {
        let mut query = QueryBuilder::<Sqlite>::new(
            "SELECT breakdowns.kind, sum(breakdowns.count) AS count, sum(breakdowns.self_ms) AS self_ms
             FROM transactions JOIN breakdowns ON breakdowns.transaction_id = transactions.id WHERE ",
        );
        push_span(&mut query, span, "breakdowns");
        query.push(" GROUP BY breakdowns.kind ORDER BY self_ms DESC LIMIT 100");
        let rows = query.build().fetch_all(&self.readers).await?;
        let part = |row: &sqlx::sqlite::SqliteRow| {
            let self_time = SelfTime { count: unsigned(row.try_get("count")?), self_ms: row.try_get("self_ms")? };
            Ok((row.try_get("kind")?, self_time))
        };
        rows.iter().map(part).collect()
    }

    /// Returns an app's drops by reason, as agents reported them in a range of time (seconds since 1970).
    pub(crate) async fn drops(
        &self,
        app_id: &str,
        (from, to): (i64, i64),
    ) -> Result<BTreeMap<String, u64>, StoreError> {
        let rows = sqlx::query(
            "SELECT reason, sum(count) AS count FROM drops
             WHERE app_id = ? AND start >= ? AND start < ? GROUP BY reason",
        )
        .bind(app_id)
        .bind(from)
        .bind(to)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(|row| Ok((row.try_get("reason")?, unsigned(row.try_get("count")?)))).collect()
    }
}

fn push_span(query: &mut QueryBuilder<Sqlite>, span: RollupSpan<'_>, table: &'static str) {
    query.push("transactions.app_id = ").push_bind(span.app_id.to_owned());
    query.push(format!(" AND {table}.resolution = ")).push_bind(span.resolution);
    query.push(format!(" AND {table}.start >= ")).push_bind(span.from);
    query.push(format!(" AND {table}.start < ")).push_bind(span.to);
    if let Some(transaction) = span.transaction {
        query.push(" AND transactions.id = ").push_bind(transaction);
    }
}

fn transaction(row: &sqlx::sqlite::SqliteRow) -> Result<TransactionRow, StoreError> {
    Ok(TransactionRow { id: row.try_get("id")?, name: row.try_get("name")?, kind: row.try_get("kind")? })
}
