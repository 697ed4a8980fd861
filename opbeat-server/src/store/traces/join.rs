//! Joins the spans of changes.

use std::collections::BTreeMap;

use super::exceptions::Exceptions;
use super::rows::Written;
use super::trace::Trace;
use super::{errors, rows};
use crate::changes::{
    Changes, DropKey, NewError, NewSpan, SampleDocument, SelfTime, SpanId, TraceId, id_text, pack_json, unpack,
};
use crate::interpret::JoinedTransaction;
use crate::store::engine::{Connection, query};
use crate::store::error::StoreError;
use crate::store::spans::Observed;

/// The largest size of the extra values of a pending span, in bytes. Larger ones are left out.
const MAX_PENDING_EXTRA: usize = 64 << 10;

/// An app's trace.
type TraceKey = (String, TraceId);

/// The new spans and errors of a trace.
#[derive(Default)]
struct Arrived {
    spans: Vec<NewSpan>,
    errors: Vec<NewError>,
}

/// Joins the spans of changes to transactions, and their errors to both. Adds the samples and the breakdowns to the
/// changes, and the spans of known transactions to the observed ones. Spans whose transaction is not known become
/// pending.
pub(in crate::store) fn join(
    connection: &mut Connection,
    changes: &mut Changes,
    observed: &mut Observed,
) -> Result<(), StoreError> {
    let mut traces: BTreeMap<TraceKey, Arrived> = BTreeMap::new();
    for span in std::mem::take(&mut changes.spans) {
        traces.entry((span.app_id.clone(), span.trace_id)).or_default().spans.push(span);
    }
    let (of_traces, others): (Vec<NewError>, Vec<NewError>) =
        std::mem::take(&mut changes.errors).into_iter().partition(|error| error.span.is_some());
    changes.errors = others;
    for error in of_traces {
        let Some(trace_id) = error.span.as_ref().map(|span| span.trace_id) else { continue };
        traces.entry((error.app_id.clone(), trace_id)).or_default().errors.push(error);
    }
    let mut apps: BTreeMap<String, (Written, i64)> = BTreeMap::new();
    for ((app_id, trace_id), arrived) in traces {
        let (written, received_at) = apps.entry(app_id.clone()).or_default();
        let times = arrived.spans.iter().map(|span| span.received_at);
        let latest =
            times.chain(arrived.errors.iter().filter_map(|error| Some(error.span.as_ref()?.received_at))).max();
        *received_at = latest.unwrap_or_default().max(*received_at);
        let dropped = join_trace(connection, (app_id.clone(), trace_id), arrived, (changes, observed), written)?;
        add_drops(changes, app_id, *received_at, dropped);
    }
    for (app_id, (written, received_at)) in apps {
        if written.is_many() {
            let removed = rows::remove_surplus(connection, &app_id)?;
            add_drops(changes, app_id, received_at, removed);
        }
    }
    Ok(())
}

fn add_drops(changes: &mut Changes, app_id: String, received_at: i64, count: u64) {
    if count > 0 {
        let minute = received_at.div_euclid(60_000_000).saturating_mul(60);
        let total = changes.drops.entry(DropKey { app_id, minute, reason: "spans".to_owned() }).or_default();
        *total = total.saturating_add(count);
    }
}

/// Joins the new spans and errors of a trace. Returns the number of spans that are dropped.
fn join_trace(
    connection: &mut Connection,
    (app_id, trace_id): TraceKey,
    arrived: Arrived,
    (changes, observed): (&mut Changes, &mut Observed),
    written: &mut Written,
) -> Result<u64, StoreError> {
    let mut trace = Trace::default();
    let mut dropped = 0_u64;
    let mut joined: BTreeMap<SpanId, JoinedTransaction> = BTreeMap::new();
    for (root, transaction) in rows::joined(connection, &app_id, trace_id)? {
        trace.add_joined(root, &transaction);
        joined.insert(root, transaction);
    }
    let (pending, mut room) = rows::pending(connection, &app_id, trace_id)?;
    let pending: Vec<NewSpan> = pending.into_iter().filter(|span| trace.add(span)).collect();
    let spans: Vec<NewSpan> = arrived.spans.into_iter().filter(|span| trace.add(span)).collect();

    let mut transactions: Vec<NewSpan> = Vec::new();
    let mut by_owner: BTreeMap<SpanId, Vec<NewSpan>> = BTreeMap::new();
    let mut found_pending: Vec<SpanId> = Vec::new();
    let mut waiting: Vec<NewSpan> = Vec::new();
    for (span, is_pending) in
        pending.into_iter().map(|span| (span, true)).chain(spans.into_iter().map(|span| (span, false)))
    {
        match trace.owner(span.span_id) {
            _ if span.transaction.is_some() => transactions.push(span),
            Some(owner) => {
                found_pending.extend(is_pending.then_some(span.span_id));
                by_owner.entry(owner).or_default().push(span);
            }
            None if !is_pending => waiting.push(span),
            None => {}
        }
    }
    for span in waiting.iter_mut().filter(|span| span.extra.len() > MAX_PENDING_EXTRA) {
        span.extra.clear();
    }
    dropped = dropped.saturating_add(rows::insert_pending(connection, &waiting, &mut room, written)?);
    rows::remove_pending(connection, &app_id, trace_id, found_pending.into_iter())?;

    let mut renamed: BTreeMap<SpanId, SpanId> = BTreeMap::new();
    for span in transactions {
        let Some(sample) = span.transaction else { continue };
        let children = by_owner.remove(&span.span_id).unwrap_or_default();
        renamed.extend(children.iter().map(|child| (child.span_id, span.span_id)));
        let mut transaction = JoinedTransaction::new(&sample, span.started_at);
        observed.add(&transaction.key, transaction.counted_at, &children);
        let (sample, change) = transaction.begin(span.span_id, children, *sample);
        changes.samples.push(sample);
        dropped = dropped.saturating_add(change.dropped);
        add_breakdown(&transaction, change.breakdown, changes);
        let key = (app_id.as_str(), trace_id, span.span_id);
        rows::write_joined(connection, key, span.received_at, &transaction, written)?;
        joined.insert(span.span_id, transaction);
    }
    for (root, late) in by_owner {
        let Some(transaction) = joined.get_mut(&root) else { continue };
        renamed.extend(late.iter().map(|span| (span.span_id, root)));
        observed.add(&transaction.key, transaction.counted_at, &late);
        let received_at = late.first().map_or(0, |span| span.received_at);
        let stored = sample(connection, &app_id, &id_text(&root), transaction)?;
        let change = match stored {
            Some((id, mut document)) => {
                let change = transaction.join(root, late, false, Some(&mut document));
                update_sample(connection, id, &document)?;
                change
            }
            None => transaction.join(root, late, false, None),
        };
        dropped = dropped.saturating_add(change.dropped);
        add_breakdown(transaction, change.breakdown, changes);
        rows::write_joined(connection, (&app_id, trace_id, root), received_at, transaction, written)?;
    }
    errors::refer_to_transactions(connection, &app_id, &renamed, &joined)?;
    if !arrived.errors.is_empty() {
        let mut known = Exceptions::load(connection, &app_id, trace_id, &trace)?;
        for error in arrived.errors {
            changes.errors.extend(errors::join(error, &mut trace, &joined, &mut known));
        }
        known.write(connection, &app_id, trace_id, written)?;
    }
    Ok(dropped)
}

fn add_breakdown(transaction: &JoinedTransaction, breakdown: Vec<(String, SelfTime)>, changes: &mut Changes) {
    let minute = transaction.counted_at.div_euclid(60_000_000).saturating_mul(60);
    for (kind, self_time) in breakdown {
        changes.breakdowns.entry((transaction.key.clone(), minute, kind)).or_default().merge(self_time);
    }
}

/// Returns the stored sample of a transaction, if it is kept and can be read: its spans count without it too.
fn sample(
    connection: &mut Connection,
    app_id: &str,
    external_id: &str,
    transaction: &JoinedTransaction,
) -> Result<Option<(i64, SampleDocument)>, StoreError> {
    let row = query(
        "SELECT samples.id, samples.document FROM samples JOIN transactions ON transactions.id = samples.transaction_id
         WHERE samples.external_id = ? AND samples.external_id <> '' AND transactions.app_id = ?
           AND transactions.kind = ? AND transactions.name = ? ORDER BY samples.id LIMIT 1",
    )
    .bind(external_id)
    .bind(app_id)
    .bind(&transaction.key.kind)
    .bind(&transaction.key.name)
    .fetch_optional(connection)?;
    let Some(row) = row else { return Ok(None) };
    let id = row.try_get("id")?;
    Ok(unpack(row.try_get("document")?).ok().map(|document| (id, document)))
}

fn update_sample(connection: &mut Connection, id: i64, document: &SampleDocument) -> Result<(), StoreError> {
    query("UPDATE samples SET document = ? WHERE id = ?").bind(pack_json(document)?.0).bind(id).execute(connection)?;
    Ok(())
}
