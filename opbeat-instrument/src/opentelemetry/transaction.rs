//! Transactions that spans of servers and consumers begin outside of other transactions.

use opbeat_core::record::{TraceParent, TransactionResult, Value};
use opbeat_core::{Agent, Level, Transaction};
use opentelemetry::Context;
use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::{SpanKind, Status, TraceContextExt};

use super::description::transaction_name;
use super::facts::{Facts, System};

/// Begins a transaction in the trace of the caller, if the span is that of a server or a consumer.
pub(super) fn begin(agent: &Agent, facts: &Facts, context: &Context) -> Option<Transaction> {
    let kind = match facts.kind {
        SpanKind::Server => "web.otel",
        SpanKind::Consumer => "task.otel",
        _ => return None,
    };
    let transaction = agent.begin_transaction(kind);
    if context.has_active_span() {
        let span = context.span();
        let remote = span.span_context();
        let parent = TraceParent {
            trace_id: u128::from_be_bytes(remote.trace_id().to_bytes()),
            parent_id: u64::from_be_bytes(remote.span_id().to_bytes()),
            sampled: remote.is_sampled(),
        };
        if remote.is_valid() {
            transaction.set_trace_parent(parent);
            transaction.set_trace_state(remote.trace_state().header());
        }
    }
    if !context.baggage().is_empty() {
        transaction.set_baggage(context.baggage().to_string());
    }
    transaction.set_name(transaction_name(facts));
    Some(transaction)
}

/// Reports an exception event. No adapter reports it, because the transaction has none.
pub(super) fn report_exception(transaction: &Transaction, message: Option<String>) {
    transaction.capture_message(Level::Error, message.unwrap_or_else(|| "exception".to_owned()));
}

/// Ends the transaction of a span that has ended.
pub(super) fn end(transaction: Transaction, facts: Facts) {
    let name = transaction_name(&facts);
    let result = result(&facts);
    for (key, value) in facts.others {
        transaction.set_extra(key, value);
    }
    transaction.end(name, result);
}

fn result(facts: &Facts) -> TransactionResult {
    match (&facts.system, &facts.status, &facts.outcome) {
        (System::Http, Some(Value::Integer(status)), _) => match u16::try_from(*status) {
            Ok(status) => status.into(),
            Err(_) => "error".into(),
        },
        (_, _, Status::Error { .. }) => "error".into(),
        _ => "ok".into(),
    }
}
