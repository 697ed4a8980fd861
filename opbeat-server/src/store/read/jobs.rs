//! The runs of jobs: their sums, and the latest ones.

use std::collections::HashMap;

use serde::Deserialize;

use super::rollups::{RollupSpan, TransactionRow, push_parts};
use crate::changes::unpack;
use crate::store::counts::count;
use crate::store::database::Store;
use crate::store::engine::{Connection, QueryBuilder, Row, Value, query};
use crate::store::error::StoreError;
use crate::store::transactions::TOTAL_KIND;

/// The number of latest samples of a job whose waiting times are read.
const SAMPLES: i64 = 3;

/// A transaction, and when it was seen last.
#[derive(Clone, Debug)]
pub(crate) struct SeenTransactionRow {
    /// The transaction.
    pub(crate) transaction: TransactionRow,
    /// The time in microseconds since 1970.
    pub(crate) last_seen: i64,
}

/// The runs of a transaction, without their distribution.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct RunSum {
    /// Their number.
    pub(crate) count: u64,
    /// The number of failed runs among them.
    pub(crate) failed: u64,
    /// The sum of their durations, in milliseconds.
    pub(crate) sum_ms: f64,
}

/// The latest runs of a transaction.
#[derive(Clone, Debug, Default)]
pub(crate) struct LatestRuns {
    /// The result of the last run. If several ended in the same minute, it is that of a failed one.
    pub(crate) result: Option<String>,
    /// The times that the latest sampled runs waited before they started, in milliseconds, as far as agents send them.
    pub(crate) waited_ms: Vec<f64>,
}

impl Store {
    /// Returns the transactions of an app that were seen since a time, in microseconds since 1970.
    pub(crate) async fn seen_transactions(
        &self,
        app_id: &str,
        since: i64,
    ) -> Result<Vec<SeenTransactionRow>, StoreError> {
        let rows = query(
            "SELECT id, name, kind, last_seen FROM transactions WHERE app_id = ? AND kind <> ? AND last_seen >= ?",
        );
        let rows = rows.bind(app_id).bind(TOTAL_KIND).bind(since);
        let row = |row: &Row<'_>| {
            let transaction =
                TransactionRow { id: row.try_get("id")?, name: row.try_get("name")?, kind: row.try_get("kind")? };
            Ok::<_, StoreError>(SeenTransactionRow { transaction, last_seen: row.try_get("last_seen")? })
        };
        let mut all = Vec::new();
        rows.read_each(&self.readers, row, |row| all.push(row)).await?;
        Ok(all)
    }

    /// Returns the sums of the runs of some transactions, by the transaction. No distribution is read.
    pub(crate) async fn run_sums(&self, span: RollupSpan<'_>) -> Result<HashMap<i64, RunSum>, StoreError> {
        let select = "SELECT rollups.transaction_id, sum(CAST(rollups.count AS DOUBLE PRECISION)) AS count,
                             sum(CAST(rollups.failed AS DOUBLE PRECISION)) AS failed, sum(rollups.sum_ms) AS sum_ms
                      FROM transactions JOIN rollups ON rollups.transaction_id = transactions.id WHERE ";
        let marks = self.marks(span.app_id).await?;
        let parts = marks.longest_parts(span.resolution, (span.from, span.to));
        let mut query = QueryBuilder::new("");
        let mut sums: HashMap<i64, RunSum> = HashMap::new();
        if !push_parts(&mut query, span, &marks, &parts, ("rollups", select, " GROUP BY rollups.transaction_id")) {
            return Ok(sums);
        }
        for row in query.build().read_all(&self.readers).await? {
            let sum = sums.entry(row.try_get("transaction_id")?).or_default();
            sum.count = sum.count.saturating_add(count(row.try_get("count")?));
            sum.failed = sum.failed.saturating_add(count(row.try_get("failed")?));
            sum.sum_ms += row.try_get::<f64, _>("sum_ms")?;
        }
        Ok(sums)
    }

    /// Returns the latest runs of some of an app's transactions in a range (microseconds since 1970), in the same order.
    pub(crate) async fn latest_runs(
        &self,
        app_id: &str,
        transactions: &[i64],
        (from, to): (i64, i64),
    ) -> Result<Vec<LatestRuns>, StoreError> {
        let of_app = |id: &i64| vec![Value::from(app_id.to_owned()), (*id).into()];
        let results: Vec<Vec<Value<'static>>> = transactions.iter().map(of_app).collect();
        let in_range = |id: &i64| of_app(id).into_iter().chain([from.into(), to.into(), SAMPLES.into()]).collect();
        let samples: Vec<Vec<Value<'static>>> = transactions.iter().map(in_range).collect();
        self.readers.run(move |connection| read_latest(connection, &results, &samples)).await
    }
}

fn read_latest(
    connection: &mut Connection,
    results: &[Vec<Value<'_>>],
    samples: &[Vec<Value<'_>>],
) -> Result<Vec<LatestRuns>, StoreError> {
    let results = connection.rows_many(
        "SELECT rollups.result FROM transactions JOIN rollups ON rollups.transaction_id = transactions.id
         WHERE transactions.app_id = ? AND rollups.transaction_id = ? AND rollups.resolution = 60
         ORDER BY rollups.start DESC, rollups.failed DESC, rollups.result LIMIT 1",
        results,
    )?;
    let samples = connection.rows_many(
        "SELECT samples.document FROM transactions JOIN samples ON samples.transaction_id = transactions.id
         WHERE transactions.app_id = ? AND samples.transaction_id = ? AND samples.happened_at >= ?
           AND samples.happened_at < ? ORDER BY samples.happened_at DESC, samples.id DESC LIMIT ?",
        samples,
    )?;
    let latest = |(results, samples): (Vec<Row<'_>>, Vec<Row<'_>>)| {
        let result = results.first().map(|row| row.try_get(0)).transpose()?;
        let mut waited_ms = Vec::new();
        for row in &samples {
            // A document that cannot be read hides only itself.
            let document: Option<Queued> = unpack(row.try_get("document")?).ok();
            waited_ms.extend(document.and_then(|document| document.context.queued_ms));
        }
        Ok(LatestRuns { result, waited_ms })
    };
    results.into_iter().zip(samples).map(latest).collect()
}

/// The part of a sample's document with the time before the start of the transaction.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Queued {
    context: QueuedContext,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct QueuedContext {
    queued_ms: Option<f64>,
}
