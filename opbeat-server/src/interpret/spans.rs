//! Interprets spans that arrive one by one: a transaction's span counts at once, and all spans are joined in the store.

use opbeat_protocol::{
    RawSpan, RawTransaction, SampleContext, Timestamp, TraceGroup, Traces, TransactionGroup, TransactionsBody,
};
use serde_json::{Map, Value};

use super::context::cut_name;
use super::{extra, scrub, transactions};
use crate::changes::{Changes, NewSpan, SpanId, TraceId, to_json};
use crate::interpret::Origin;

/// The longest duration in milliseconds: ten years.
const MAX_DURATION: f64 = 10.0 * 365.0 * 86_400_000.0;

/// The signature and the kind of the span that stands for the whole transaction.
const ROOT: &str = "transaction";

/// A span as an agent sent it.
#[derive(Clone, Debug, Default)]
pub(crate) struct TracedSpan {
    /// The trace.
    pub(crate) trace_id: TraceId,
    /// The span.
    pub(crate) span_id: SpanId,
    /// Its parent, or zeros.
    pub(crate) parent_id: SpanId,
    /// When it began.
    pub(crate) started_at: Timestamp,
    /// Its duration, in milliseconds.
    pub(crate) duration_ms: f64,
    /// Its short name.
    pub(crate) signature: String,
    /// Its kind.
    pub(crate) kind: String,
    /// Extra values such as `sql` and `url`.
    pub(crate) extra: Map<String, Value>,
    /// The transaction that it stands for.
    pub(crate) transaction: Option<TracedTransaction>,
}

/// The transaction that a span stands for.
#[derive(Clone, Debug, Default)]
pub(crate) struct TracedTransaction {
    /// The name.
    pub(crate) name: String,
    /// The kind.
    pub(crate) kind: String,
    /// Its id, result, outcome and further values.
    pub(crate) context: SampleContext,
}

/// Returns the changes of a span: the duration of its transaction, if it stands for one, and the span itself.
pub(crate) fn interpret_span(origin: &Origin, span: TracedSpan) -> Changes {
    let duration_ms = if span.duration_ms.is_finite() { span.duration_ms.clamp(0.0, MAX_DURATION) } else { 0.0 };
    let is_transaction = span.transaction.is_some();
    let mut changes = match span.transaction {
        Some(transaction) => transactions::changes(origin, body(transaction, span.started_at, duration_ms)),
        None => Changes::default(),
    };
    // The breakdown is known when the spans are joined.
    changes.breakdowns.clear();
    let transaction = std::mem::take(&mut changes.samples).pop().map(Box::new);
    if is_transaction && transaction.is_none() {
        return changes;
    }
    let (mut signature, mut kind, mut values) = (span.signature, span.kind, span.extra);
    [&mut signature, &mut kind].into_iter().for_each(scrub::scrub_text);
    scrub::map(&mut values);
    changes.spans.push(NewSpan {
        app_id: origin.app_id.clone(),
        trace_id: span.trace_id,
        span_id: span.span_id,
        parent_id: span.parent_id,
        received_at: origin.received.micros(),
        // By the clock of its sender: spans keep their position in a transaction that is counted at its receipt.
        started_at: span.started_at.micros(),
        duration_ms,
        signature: cut_name(&signature),
        kind: cut_name(&kind),
        extra: to_json(&extra::limit(values)),
        transaction,
    });
    changes
}

/// Returns the body that an agent of Opbeat would send for one transaction without spans.
fn body(transaction: TracedTransaction, started_at: Timestamp, duration_ms: f64) -> TransactionsBody {
    let TracedTransaction { name, kind, mut context } = transaction;
    context.timestamp = Some(started_at);
    let root = TraceGroup {
        transaction: name.clone(),
        transaction_kind: Some(kind.clone()),
        signature: ROOT.to_owned(),
        kind: ROOT.to_owned(),
        timestamp: Some(started_at),
        ..TraceGroup::default()
    };
    let group = TransactionGroup {
        transaction: name,
        kind: Some(kind),
        result: context.result.clone(),
        timestamp: Some(started_at),
        durations: vec![duration_ms],
        ..TransactionGroup::default()
    };
    let raw = RawTransaction {
        duration: duration_ms,
        spans: vec![RawSpan { group: 0, start: 0.0, duration: duration_ms, details: None }],
        context: Some(context),
    };
    let traces = Traces::Sampled { groups: vec![root], raw: vec![raw] };
    TransactionsBody { transactions: vec![group], traces, ..TransactionsBody::default() }
}
