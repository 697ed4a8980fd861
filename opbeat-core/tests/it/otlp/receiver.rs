//! A scripted receiver of OTLP, and views of the messages that it received.

use std::collections::BTreeMap;
use std::fmt::Write;

use opbeat_core::export::OtlpExporter;
use opbeat_core::{Agent, Config};
use opbeat_testing::{ReceivedRequest, Reply, ScriptedServer};
use serde_json::Value as Json;

/// Starts an agent that delivers JSON to a scripted receiver. Further variables have priority.
pub(super) fn start(
    script: impl IntoIterator<Item = Reply>,
    variables: &[(&'static str, &'static str)],
) -> (Agent, ScriptedServer) {
    let server = ScriptedServer::start(script);
    let agent = Agent::with_exporter(&config(), exporter(&server.url(), variables));
    (agent, server)
}

pub(super) fn config() -> Config {
    Config::new("test-organization", "test-app", "test-token").hostname("test-host").release("1.2.3")
}

pub(super) fn exporter(url: &str, variables: &[(&'static str, &'static str)]) -> OtlpExporter {
    let mut all = BTreeMap::from([("OTEL_EXPORTER_OTLP_ENDPOINT", url), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")]);
    all.extend(variables.iter().copied());
    OtlpExporter::from_variables(&config(), |name| all.get(name).map(|value| (*value).to_owned())).unwrap()
}

/// Returns the requests to a path.
pub(super) fn requests(server: &ScriptedServer, path: &str) -> Vec<ReceivedRequest> {
    server.requests().into_iter().filter(|request| request.path == path).collect()
}

/// Returns all items of a signal: spans, log records or metrics.
pub(super) fn items(server: &ScriptedServer, path: &str) -> Vec<Json> {
    let [resources, scopes, items] = match path {
        "/v1/traces" => ["resourceSpans", "scopeSpans", "spans"],
        "/v1/logs" => ["resourceLogs", "scopeLogs", "logRecords"],
        _ => ["resourceMetrics", "scopeMetrics", "metrics"],
    };
    let all = requests(server, path).into_iter().map(|request| request.body[resources][0][scopes][0][items].clone());
    all.flat_map(|items| items.as_array().cloned().unwrap_or_default()).collect()
}

/// Returns the attributes of an item by name, as text.
pub(super) fn attributes(item: &Json) -> BTreeMap<String, String> {
    let all = item["attributes"].as_array().cloned().unwrap_or_default();
    all.iter().map(|attribute| (attribute["key"].as_str().unwrap().to_owned(), shown(&attribute["value"]))).collect()
}

fn shown(value: &Json) -> String {
    let (kind, value) = value.as_object().unwrap().iter().next().unwrap();
    match kind.as_str() {
        "stringValue" | "intValue" => value.as_str().unwrap().to_owned(),
        "arrayValue" => value["values"].as_array().unwrap().iter().map(shown).collect::<Vec<_>>().join(", "),
        _ => value.to_string(),
    }
}

/// Shows spans with their parents and attributes. Ids are numbered, and values that differ in each run are left out.
pub(super) fn tree(spans: &[Json]) -> String {
    const KINDS: [&str; 6] = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"];
    let ids: Vec<&str> = spans.iter().map(|span| span["spanId"].as_str().unwrap()).collect();
    let number = |id: &Json| {
        ids.iter().position(|known| *known == id).map_or_else(|| "elsewhere".to_owned(), |i| format!("#{i}"))
    };
    let mut text = String::new();
    for (index, span) in spans.iter().enumerate() {
        let kind = KINDS[usize::try_from(span["kind"].as_u64().unwrap()).unwrap()];
        write!(text, "#{index} {kind} {}", span["name"].as_str().unwrap()).unwrap();
        if !span["parentSpanId"].is_null() {
            write!(text, " in {}", number(&span["parentSpanId"])).unwrap();
        }
        if !span["status"].is_null() {
            write!(text, " status {}", span["status"]).unwrap();
        }
        text.push('\n');
        push_attributes(&mut text, "  ", span);
        for event in span["events"].as_array().into_iter().flatten() {
            writeln!(text, "  event {}", event["name"].as_str().unwrap()).unwrap();
            push_attributes(&mut text, "    ", event);
        }
    }
    text
}

pub(super) fn push_attributes(text: &mut String, indentation: &str, item: &Json) {
    const VARYING: [&str; 6] = [
        "code.column.number",
        "code.line.number",
        "exception.stacktrace",
        "opbeat.busy_ms",
        "opbeat.error_id",
        "opbeat.head_ms",
    ];
    // Only some spans have a stack, such as the first one of a signature.
    for (key, value) in attributes(item).into_iter().filter(|(key, _)| key != "code.stacktrace") {
        let value = if VARYING.contains(&key.as_str()) { "…" } else { &value };
        writeln!(text, "{indentation}{key}: {value}").unwrap();
    }
}
