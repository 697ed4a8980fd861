//! The queries and calls that were observed in a transaction, and the transaction's shares in them.

use std::collections::HashMap;

use super::spans::{SpanRow, ratio, span};
use crate::store::database::Store;
use crate::store::engine::{QueryBuilder, Row, query};
use crate::store::error::StoreError;

/// The queries or calls of a kind and signature that were observed in a transaction.
#[derive(Clone, Debug)]
pub(crate) struct SpanUseRow {
    /// The kind and signature.
    pub(crate) span: SpanRow,
    /// Their number.
    pub(crate) count: f64,
    /// Their time, in milliseconds.
    pub(crate) sum_ms: f64,
}

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
    /// with the most observed time first.
    pub(crate) async fn span_uses(
        &self,
        app_id: &str,
        transaction: i64,
        (from, to): (i64, i64),
    ) -> Result<Vec<SpanUseRow>, StoreError> {
        let rows = query(
            "SELECT spans.id, spans.kind, spans.signature, sum(CAST(span_callers.count AS DOUBLE PRECISION)) AS count,
                    sum(span_callers.sum_ms) AS sum_ms
             FROM span_callers JOIN spans ON spans.id = span_callers.span_id
             WHERE span_callers.transaction_id = ? AND span_callers.day >= ? AND span_callers.day <= ?
               AND spans.app_id = ?
             GROUP BY spans.id, spans.kind, spans.signature ORDER BY sum(span_callers.sum_ms) DESC, spans.id",
        )
        .bind(transaction)
        .bind(from)
        .bind(to)
        .bind(app_id)
        .read_all(&self.readers)
        .await?;
        let row = |row: &Row<'_>| {
            Ok(SpanUseRow { span: span(row)?, count: row.try_get("count")?, sum_ms: row.try_get("sum_ms")? })
        };
        rows.iter().map(row).collect()
    }

    /// Returns the first of the queries and calls of [`Self::span_uses`], at most a number of them, with the transaction's share in each.
    pub(crate) async fn span_shares(
        &self,
        app_id: &str,
        transaction: i64,
        (from, to): (i64, i64),
        limit: usize,
    ) -> Result<Vec<SpanShareRow>, StoreError> {
        let mut uses = self.span_uses(app_id, transaction, (from, to)).await?;
        uses.truncate(limit);
        let ids: Vec<i64> = uses.iter().map(|used| used.span.id).collect();
        let mut all = QueryBuilder::new("SELECT span_id, sum(sum_ms) AS sum_ms FROM span_callers WHERE span_id IN ");
        all.push_integers(&ids).push(" AND day >= ").push_bind(from).push(" AND day <= ").push_bind(to);
        all.push(" GROUP BY span_id");
        let mut times: HashMap<i64, f64> = HashMap::new();
        for row in all.build().read_all(&self.readers).await? {
            times.insert(row.try_get("span_id")?, row.try_get("sum_ms")?);
        }
        let share = |SpanUseRow { span, sum_ms, .. }| {
            let all_ms = times.get(&span.id).copied().unwrap_or_default();
            SpanShareRow { share: ratio(sum_ms, all_ms).unwrap_or(1.0), span }
        };
        Ok(uses.into_iter().map(share).collect())
    }
}
