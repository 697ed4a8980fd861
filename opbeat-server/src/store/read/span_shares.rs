//! The shares of a transaction in the queries and calls that were observed in it.

use super::spans::{SpanRow, ratio, span};
use crate::store::database::Store;
use crate::store::engine::{Row, query};
use crate::store::error::StoreError;

/// The queries or calls of a kind and signature in a transaction.
#[derive(Clone, Debug)]
pub(crate) struct SpanShareRow {
    /// The kind and signature.
    pub(crate) span: SpanRow,
    /// The share of the transaction in the observed time of the kind and signature, from 0 to 1.
    pub(crate) share: f64,
}

impl Store {
    /// Returns the queries and calls that were observed in an app's transaction on days of a range (both ends included), those
    /// with the most observed time first, and the transaction's share in each.
    pub(crate) async fn span_shares(
        &self,
        app_id: &str,
        transaction: i64,
        (from, to): (i64, i64),
        limit: i64,
    ) -> Result<Vec<SpanShareRow>, StoreError> {
        let rows = query(
            "SELECT spans.id, spans.kind, spans.signature, own.sum_ms, (
                 SELECT sum(span_callers.sum_ms) FROM span_callers
                 WHERE span_callers.span_id = own.span_id AND span_callers.day >= ?2 AND span_callers.day <= ?3
             ) AS all_ms
             FROM (
                 SELECT span_id, sum(sum_ms) AS sum_ms FROM span_callers
                 WHERE transaction_id = ?1 AND day >= ?2 AND day <= ?3 GROUP BY span_id
             ) AS own JOIN spans ON spans.id = own.span_id AND spans.app_id = ?4
             ORDER BY own.sum_ms DESC, spans.id LIMIT ?5",
        )
        .bind(transaction)
        .bind(from)
        .bind(to)
        .bind(app_id)
        .bind(limit)
        .read_all(&self.readers)
        .await?;
        let row = |row: &Row<'_>| {
            let share = ratio(row.try_get("sum_ms")?, row.try_get("all_ms")?).unwrap_or(1.0);
            Ok(SpanShareRow { span: span(row)?, share })
        };
        rows.iter().map(row).collect()
    }
}
