//! The content of Sentry's envelopes.

use std::time::SystemTime;

use sentry::Envelope;
use sentry::protocol::{Context, EnvelopeItem, Event, Exception, Stacktrace, TraceContext, Transaction};

use crate::recorded::{Failure, Recorded, Request, has_handlers};
use crate::spans::{Node, paths};

pub(super) fn recorded(envelopes: &[Envelope]) -> Recorded {
    let mut recorded = Recorded::default();
    for item in envelopes.iter().flat_map(Envelope::items) {
        match item {
            EnvelopeItem::Transaction(transaction) => recorded.requests.push(request(transaction)),
            EnvelopeItem::Event(event) => recorded.failures.push(failure(event)),
            _ => {}
        }
    }
    recorded
}

fn request(transaction: &Transaction<'_>) -> Request {
    let trace = trace(transaction);
    let code = trace.and_then(|trace| trace.data.get("http.response.status_code")?.as_u64());
    let status = trace.and_then(|trace| trace.status).map(|status| status.to_string());
    let length = |end: SystemTime| end.duration_since(transaction.start_timestamp).unwrap_or_default();
    Request {
        name: transaction.name.clone().unwrap_or_default(),
        code: code.and_then(|code| code.try_into().ok()),
        mark: status.unwrap_or_default(),
        duration: transaction.timestamp.map(length).unwrap_or_default(),
        user: transaction.user.as_ref().and_then(|user| user.id.clone()),
        tags: transaction.tags.clone().into_iter().collect(),
        spans: spans(transaction),
    }
}

fn trace<'a>(transaction: &'a Transaction<'_>) -> Option<&'a TraceContext> {
    match transaction.contexts.get("trace") {
        Some(Context::Trace(trace)) => Some(trace),
        _ => None,
    }
}

fn spans(transaction: &Transaction<'_>) -> Vec<String> {
    let nodes = transaction.spans.iter().map(|span| Node {
        id: span.span_id,
        parent: span.parent_span_id,
        name: span.description.as_deref().unwrap_or_default(),
    });
    paths(&nodes.collect::<Vec<_>>())
}

/// The outermost exception of an event is its last one.
fn failure(event: &Event<'_>) -> Failure {
    let said = |exception: &Exception| exception.value.clone().unwrap_or_default();
    let mut exceptions = event.exception.iter().rev();
    let outermost = exceptions.next();
    let stacks = event.exception.iter().map(|exception| &exception.stacktrace);
    let stacks = stacks.chain(event.threads.iter().map(|thread| &thread.stacktrace));
    Failure {
        type_name: outermost.map(|exception| exception.ty.clone()).unwrap_or_default(),
        message: outermost.map(said).or_else(|| event.message.clone()).unwrap_or_default(),
        causes: exceptions.map(said).collect(),
        is_located: stacks.flatten().any(is_located),
        is_tied: event.request.is_some(),
        tags: event.tags.clone().into_iter().collect(),
    }
}

fn is_located(stack: &Stacktrace) -> bool {
    stack.frames.iter().filter_map(|frame| frame.abs_path.as_deref()).any(has_handlers)
}
