//! The content of OpenTelemetry's spans.

use axum::http::StatusCode;
use opentelemetry::KeyValue;
use opentelemetry::trace::{Event, SpanKind, Status};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};

use crate::recorded::{Failure, Kept, Record, Recorded, Request, Tags, has_handlers};
use crate::spans::{Node, paths};

/// Creates a provider, and the exporter that gets each span at its end.
pub(super) fn provider() -> (SdkTracerProvider, Kept<SpanData>) {
    let kept = Kept::default();
    (SdkTracerProvider::builder().with_simple_exporter(kept.clone()).build(), kept)
}

impl SpanExporter for Kept<SpanData> {
    async fn export(&self, mut batch: Vec<SpanData>) -> OTelSdkResult {
        self.lock().append(&mut batch);
        Ok(())
    }
}

impl Record for Kept<SpanData> {
    fn clear(&self) {
        self.lock().clear();
    }

    fn recorded(&self) -> Recorded {
        let kept = self.lock();
        let (servers, others): (Vec<&SpanData>, Vec<_>) =
            kept.iter().partition(|span| span.span_kind == SpanKind::Server);
        let requests = servers.into_iter().map(|server| request(server, &others)).collect();
        let exceptions = kept.iter().flat_map(|span| span.events.iter()).filter_map(failure);
        Recorded { requests, failures: exceptions.collect() }
    }
}

fn request(server: &SpanData, others: &[&SpanData]) -> Request {
    let mut tags = tags(&server.attributes);
    let code = tags.remove("http.response.status_code").and_then(|code| code.parse().ok());
    Request {
        name: server.name.to_string(),
        code,
        mark: mark(&server.status, code),
        duration: server.end_time.duration_since(server.start_time).unwrap_or_default(),
        user: tags.remove("user.id"),
        tags,
        spans: spans(server, others),
    }
}

/// A description that only repeats the response status adds no information.
fn mark(status: &Status, code: Option<u16>) -> String {
    let Status::Error { description } = status else { return "unset".to_owned() };
    let reason = code.and_then(|code| StatusCode::from_u16(code).ok()).and_then(|status| status.canonical_reason());
    let repeats = code.is_some_and(|code| description.contains(&code.to_string()));
    if description.is_empty() || repeats || reason == Some(description) {
        "error".to_owned()
    } else {
        format!("error: {description}")
    }
}

fn spans(server: &SpanData, others: &[&SpanData]) -> Vec<String> {
    let own = others.iter().filter(|span| span.span_context.trace_id() == server.span_context.trace_id());
    let nodes =
        own.map(|span| Node { id: span.span_context.span_id(), parent: Some(span.parent_span_id), name: &span.name });
    paths(&nodes.collect::<Vec<_>>())
}

/// Exceptions are recognised by their attributes: with `tracing`, an event has the name of the code that logged it.
fn failure(event: &Event) -> Option<Failure> {
    let mut tags = tags(&event.attributes);
    let message = tags.remove("exception.message")?;
    let file = tags.iter().find(|(key, _)| key.starts_with("code.file")).map(|(_, file)| file.as_str());
    Some(Failure {
        message,
        is_located: file.is_some_and(has_handlers),
        type_name: tags.remove("exception.type").unwrap_or_default(),
        // With `tracing`, this is the chain of sources.
        causes: tags.remove("exception.stacktrace").into_iter().collect(),
        // Events are part of their span.
        is_tied: true,
        tags,
    })
}

fn tags(attributes: &[KeyValue]) -> Tags {
    attributes.iter().map(|tag| (tag.key.to_string(), tag.value.to_string())).collect()
}
