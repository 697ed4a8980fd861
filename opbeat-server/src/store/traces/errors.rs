//! Errors of traces: each refers to its transaction.

use std::collections::BTreeMap;

use super::exceptions::Exceptions;
use super::trace::Trace;
use crate::changes::{NewError, SpanId, id_text};
use crate::interpret::JoinedTransaction;
use crate::store::engine::{Connection, Value, query};
use crate::store::error::StoreError;
use crate::store::error_values::NewValues;

/// Finds the occurrences of spans. `CROSS JOIN` keeps the order of the tables in SQLite, which would otherwise read all
/// occurrences of the app for each trace.
const OCCURRENCES: &str = "SELECT error_occurrences.id, error_occurrences.transaction_external_id AS span,
            error_occurrences.group_id, error_occurrences.happened_at, error_occurrences.transaction_name
     FROM json_each(?) AS spans CROSS JOIN error_occurrences CROSS JOIN error_groups
     WHERE error_occurrences.transaction_external_id = spans.value AND error_occurrences.transaction_external_id <> ''
       AND error_groups.id = error_occurrences.group_id AND error_groups.app_id = ?";

/// Lets an error refer to its transaction, or to its span until the transaction arrives. Returns `None` if the failure
/// is known.
pub(super) fn join(
    mut error: NewError,
    trace: &mut Trace,
    joined: &BTreeMap<SpanId, JoinedTransaction>,
    known: &mut Exceptions,
) -> Option<NewError> {
    let Some(span) = error.span.take() else { return Some(error) };
    if known.is_known(&span, trace) {
        return None;
    }
    let owner = trace.owner(span.span_id);
    error.transaction_external_id = id_text(&owner.unwrap_or(span.span_id));
    if let Some(transaction) = owner.and_then(|owner| joined.get(&owner)) {
        error.transaction_name.clone_from(&transaction.key.name);
    }
    Some(error)
}

/// Lets stored errors of spans refer to the transactions that the spans are joined to.
pub(super) fn refer_to_transactions(
    connection: &mut Connection,
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
    let rows = query(OCCURRENCES).bind(spans).bind(app_id).fetch_all(&mut *connection)?;
    let mut values = NewValues::default();
    let mut updates = Vec::with_capacity(rows.len());
    for row in rows {
        let Some(owner) = owners.get(row.try_get::<&str, _>("span")?) else { continue };
        let name = joined.get(owner).map_or("", |transaction| transaction.key.name.as_str());
        if row.try_get::<&str, _>("transaction_name")?.is_empty() {
            values.add_transaction(row.try_get("group_id")?, name, row.try_get("happened_at")?);
        }
        updates.push(vec![Value::from(id_text(owner)), name.into(), row.try_get::<i64, _>("id")?.into()]);
    }
    connection.execute_many(
        "UPDATE error_occurrences SET transaction_external_id = ?, transaction_name = ? WHERE id = ?",
        &updates,
    )?;
    values.write(connection)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    #[tokio::test]
    async fn occurrences_are_found_by_their_spans() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_file(&folder.path().join("opbeat.sqlite")).await;
        let plan = query(format!("EXPLAIN QUERY PLAN {OCCURRENCES}")).bind("[]").bind("app");
        let rows = plan.read_all(&store.readers).await.unwrap();
        let steps: Vec<&str> = rows.iter().map(|row| row.try_get("detail").unwrap()).collect();
        assert!(steps[1].contains("error_occurrences_by_transaction"), "{steps:?}");
    }
}
