//! The rows of pending spans and of joined transactions.

use serde::de::DeserializeOwned;
use sqlx::{Row, SqliteConnection};

use crate::changes::{NewSpan, SpanId, TraceId};
use crate::interpret::JoinedTransaction;
use crate::store::error::StoreError;

/// The largest number of pending spans, and of joined transactions, that are kept of an app: the newest ones.
const MAX_ROWS: i64 = 50_000;

/// The largest number of rows that are read of one trace.
const MAX_OF_TRACE: i64 = 20_000;

/// Returns the pending spans of a trace.
pub(super) async fn pending(
    connection: &mut SqliteConnection,
    app_id: &str,
    trace_id: TraceId,
) -> Result<Vec<NewSpan>, StoreError> {
    let rows = sqlx::query("SELECT document FROM pending_spans WHERE app_id = ? AND trace_id = ? LIMIT ?")
        .bind(app_id)
        .bind(&trace_id[..])
        .bind(MAX_OF_TRACE)
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| decode(row.try_get("document")?)).collect()
}

/// Returns the joined transactions of a trace, by their span.
pub(super) async fn joined(
    connection: &mut SqliteConnection,
    app_id: &str,
    trace_id: TraceId,
) -> Result<Vec<(SpanId, JoinedTransaction)>, StoreError> {
    let rows =
        sqlx::query("SELECT span_id, document FROM joined_transactions WHERE app_id = ? AND trace_id = ? LIMIT ?")
            .bind(app_id)
            .bind(&trace_id[..])
            .bind(MAX_OF_TRACE)
            .fetch_all(connection)
            .await?;
    let transaction = |row: &sqlx::sqlite::SqliteRow| {
        let span_id: &[u8] = row.try_get("span_id")?;
        let span_id = span_id.try_into().map_err(|_| damaged("the id of a span does not have 8 bytes"))?;
        Ok((span_id, decode(row.try_get("document")?)?))
    };
    rows.iter().map(transaction).collect()
}

/// Stores a pending span. A span with the same id is kept as it is.
pub(super) async fn insert_pending(connection: &mut SqliteConnection, span: &NewSpan) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT OR IGNORE INTO pending_spans (app_id, trace_id, span_id, received_at, document) VALUES (?, ?, ?, ?, ?)",
    )
    .bind(&span.app_id)
    .bind(&span.trace_id[..])
    .bind(&span.span_id[..])
    .bind(span.received_at)
    .bind(encode(span)?)
    .execute(connection)
    .await?;
    Ok(())
}

/// Removes the pending spans of a trace, some of which are no longer pending.
pub(super) async fn remove_pending(
    connection: &mut SqliteConnection,
    app_id: &str,
    trace_id: TraceId,
    spans: impl Iterator<Item = SpanId>,
) -> Result<(), StoreError> {
    for span_id in spans {
        sqlx::query("DELETE FROM pending_spans WHERE app_id = ? AND trace_id = ? AND span_id = ?")
            .bind(app_id)
            .bind(&trace_id[..])
            .bind(&span_id[..])
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Stores a transaction with the spans that are joined to it.
pub(super) async fn write_joined(
    connection: &mut SqliteConnection,
    app_id: &str,
    trace_id: TraceId,
    span_id: SpanId,
    received_at: i64,
    transaction: &JoinedTransaction,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO joined_transactions (app_id, trace_id, span_id, received_at, document) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (app_id, trace_id, span_id) DO UPDATE SET document = excluded.document",
    )
    .bind(app_id)
    .bind(&trace_id[..])
    .bind(&span_id[..])
    .bind(received_at)
    .bind(encode(transaction)?)
    .execute(connection)
    .await?;
    Ok(())
}

/// Removes the oldest rows of an app that are too many. Returns the number of removed pending spans.
pub(super) async fn remove_surplus(connection: &mut SqliteConnection, app_id: &str) -> Result<u64, StoreError> {
    let statements = [
        "DELETE FROM joined_transactions WHERE app_id = ?1 AND id <= (
             SELECT id FROM joined_transactions WHERE app_id = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
        "DELETE FROM pending_spans WHERE app_id = ?1 AND id <= (
             SELECT id FROM pending_spans WHERE app_id = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
    ];
    let mut removed = 0;
    for statement in statements {
        let done = sqlx::query(statement).bind(app_id).bind(MAX_ROWS).execute(&mut *connection).await?;
        removed = done.rows_affected();
    }
    Ok(removed)
}

fn encode<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    Ok(postcard::to_stdvec(value).map_err(std::io::Error::other)?)
}

fn decode<T: DeserializeOwned>(document: &[u8]) -> Result<T, StoreError> {
    Ok(postcard::from_bytes(document).map_err(std::io::Error::other)?)
}

fn damaged(reason: &str) -> StoreError {
    std::io::Error::other(reason).into()
}
