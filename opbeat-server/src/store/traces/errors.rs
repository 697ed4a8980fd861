//! Errors of traces: each refers to its transaction, and a failure that several spans report counts once.

use std::collections::BTreeMap;

use sqlx::{Row, SqliteConnection};

use super::trace::Trace;
use crate::changes::{ErrorSpan, NewError, SpanId, id_text};
use crate::interpret::JoinedTransaction;
use crate::store::error::StoreError;

/// Lets an error refer to its transaction, or to its span until the transaction arrives. Returns `None` if the failure
/// is known.
pub(super) async fn join(
    connection: &mut SqliteConnection,
    mut error: NewError,
    trace: &mut Trace,
    joined: &BTreeMap<SpanId, JoinedTransaction>,
) -> Result<Option<NewError>, StoreError> {
    let Some(span) = error.span.take() else { return Ok(Some(error)) };
    if is_known(connection, &error.app_id, &span, trace).await? {
        return Ok(None);
    }
    let owner = trace.owner(span.span_id);
    error.transaction_external_id = id_text(&owner.unwrap_or(span.span_id));
    if let Some(transaction) = owner.and_then(|owner| joined.get(&owner)) {
        error.transaction_name.clone_from(&transaction.key.name);
    }
    Ok(Some(error))
}

/// Lets stored errors of spans refer to the transactions that the spans are joined to.
pub(super) async fn refer_to_transactions(
    connection: &mut SqliteConnection,
    app_id: &str,
    owners: &BTreeMap<SpanId, SpanId>,
    joined: &BTreeMap<SpanId, JoinedTransaction>,
) -> Result<(), StoreError> {
    // Errors of a transaction's own span have its id, but not its name.
    let roots = joined.keys().map(|root| (*root, *root));
    let owners: BTreeMap<String, SpanId> = owners
        .iter()
        .map(|(span, owner)| (*span, *owner))
        .chain(roots)
        .map(|(span, owner)| (id_text(&span), owner))
        .collect();
    if owners.is_empty() {
        return Ok(());
    }
    let spans = serde_json::to_string(&owners.keys().collect::<Vec<_>>()).map_err(std::io::Error::from)?;
    let rows = sqlx::query(
        "SELECT error_occurrences.id, error_occurrences.transaction_external_id AS span FROM json_each(?)
         JOIN error_occurrences ON error_occurrences.transaction_external_id = json_each.value
         JOIN error_groups ON error_groups.id = error_occurrences.group_id
         WHERE error_groups.app_id = ? AND error_occurrences.transaction_external_id <> ''",
    )
    .bind(spans)
    .bind(app_id)
    .fetch_all(&mut *connection)
    .await?;
    for row in rows {
        let Some(owner) = owners.get(row.try_get::<&str, _>("span")?) else { continue };
        let name = joined.get(owner).map_or("", |transaction| transaction.key.name.as_str());
        sqlx::query("UPDATE error_occurrences SET transaction_external_id = ?, transaction_name = ? WHERE id = ?")
            .bind(id_text(owner))
            .bind(name)
            .bind(row.try_get::<i64, _>("id")?)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Returns whether another span or a log record has reported an exception, and remembers the exception.
///
/// An exception passes through nested spans, each of which can record it, and a logger can report it too. Equal
/// exceptions of spans beside each other are failures of their own, as are repeated log records.
async fn is_known(
    connection: &mut SqliteConnection,
    app_id: &str,
    span: &ErrorSpan,
    trace: &Trace,
) -> Result<bool, StoreError> {
    let Some(exception) = &span.exception else { return Ok(false) };
    let rows = sqlx::query(
        "SELECT id, span_id, is_log, is_paired FROM trace_exceptions
         WHERE app_id = ? AND trace_id = ? AND exception = ? ORDER BY id LIMIT 50",
    )
    .bind(app_id)
    .bind(&span.trace_id[..])
    .bind(&exception[..])
    .fetch_all(&mut *connection)
    .await?;
    for row in &rows {
        let (is_log, is_paired): (bool, bool) = (row.try_get("is_log")?, row.try_get("is_paired")?);
        let reported_in: &[u8] = row.try_get("span_id")?;
        let is_nested = SpanId::try_from(reported_in).is_ok_and(|other| trace.are_nested(other, span.span_id));
        if is_log != span.is_log && !is_paired {
            let id: i64 = row.try_get("id")?;
            sqlx::query("UPDATE trace_exceptions SET is_paired = 1 WHERE id = ?").bind(id).execute(connection).await?;
            return Ok(true);
        }
        // A log record that is paired stands for the exception in the spans around it too.
        if !span.is_log && is_nested && (!is_log || is_paired) {
            return Ok(true);
        }
    }
    sqlx::query(
        "INSERT INTO trace_exceptions (app_id, trace_id, exception, span_id, is_log, is_paired, received_at)
         VALUES (?, ?, ?, ?, ?, 0, ?)",
    )
    .bind(app_id)
    .bind(&span.trace_id[..])
    .bind(&exception[..])
    .bind(&span.span_id[..])
    .bind(span.is_log)
    .bind(span.received_at)
    .execute(connection)
    .await?;
    Ok(false)
}
