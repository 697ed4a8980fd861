//! Bodies with a secret in every field.

use serde_json::{Value, json};

use super::planted::Planter;

fn frame(planter: &mut Planter, field: &'static str) -> Value {
    json!({
        "filename": planter.text(field), "abs_path": planter.text(field), "lineno": 7,
        "function": planter.text(field), "module": planter.text(field), "in_app": true,
        "pre_context": [planter.source(field)], "context_line": planter.source(field),
        "post_context": [planter.source(field)], "vars": planter.value(field),
    })
}

fn exception(planter: &mut Planter, causes: &Value) -> Value {
    let text = |planter: &mut Planter| planter.text("exception");
    json!({"type": text(planter), "value": text(planter), "module": text(planter), "causes": causes})
}

fn http(planter: &mut Planter) -> Value {
    json!({
        "url": planter.text("http.url"), "method": planter.text("http.method"),
        "query_string": planter.text("http.query_string"), "data": planter.value("http.data"),
        "headers": {
            "Authorization": planter.secret(), "authorization": planter.secret(), "Cookie": planter.secret(),
            "X-Api-Key": planter.secret(), "X-Custom": planter.text("http.headers"),
        },
        "cookies": {"id": planter.secret(), (planter.text("http.cookies")): planter.secret()},
        "env": {"HTTP_AUTHORIZATION": planter.secret(), "HTTP_COOKIE": planter.secret(), "A": planter.text("http.env")},
    })
}

/// Returns an error with all fields.
pub(super) fn error(planter: &mut Planter) -> Value {
    let text = |planter: &mut Planter, field| planter.text(field);
    let innermost = exception(planter, &json!([]));
    let causes = json!([exception(planter, &json!([innermost])), exception(planter, &json!([]))]);
    json!({
        "message": text(planter, "message"), "level": text(planter, "level"), "logger": text(planter, "logger"),
        "culprit": text(planter, "culprit"), "machine": {"hostname": text(planter, "machine")},
        "client_supplied_id": text(planter, "client_supplied_id"), "exception": exception(planter, &causes),
        "param_message": {"message": text(planter, "param_message"), "params": [planter.value("param_message")]},
        "stacktrace": {"frames": [frame(planter, "stacktrace"), frame(planter, "stacktrace")]},
        "template": {
            "filename": text(planter, "template"), "abs_path": text(planter, "template"), "lineno": 7,
            "pre_context": [planter.source("template")], "context_line": planter.source("template"),
            "post_context": [planter.source("template")],
        },
        "query": {"query": text(planter, "query"), "engine": text(planter, "query")},
        "http": http(planter), "user": planter.value("user"), "extra": planter.value("extra"),
        "tags": planter.value("tags"), "rev": text(planter, "rev"), "environment": text(planter, "environment"),
        "transaction": {
            "id": text(planter, "transaction"), "name": text(planter, "transaction"),
            "kind": text(planter, "transaction"), "result": text(planter, "transaction"),
        },
    })
}

/// Returns errors that are grouped by other fields, or have them in other forms.
pub(super) fn further_errors(planter: &mut Planter) -> Vec<Value> {
    let message = planter.text("message");
    vec![
        json!({"message": message, "param_message": planter.text("param_message"), "machine": planter.text("machine")}),
        json!({"message": "a", "param_message": [planter.text("param_message")], "exception": planter.text("exception")}),
        json!({"query": {"query": planter.text("query")}}),
        json!({"message": "b", "culprit": planter.text("culprit"), "exception": {"type": planter.text("exception")}}),
        json!({"exception": {"type": "B"}, "transaction": {"name": planter.text("transaction")}}),
        json!({"message": "c", "extra": {"uuid": planter.text("extra")}, "user": planter.text("user")}),
        // The path of the note on the NUL contains the key.
        json!({"message": planter.text("message"), "extra": {(planter.text("extra")): {(planter.unstored()): "\u{0}"}}}),
    ]
}

/// Returns a body in the form of the Python agent.
pub(super) fn aggregated(planter: &mut Planter) -> Value {
    let name = planter.text("transaction");
    let signature = planter.text("signature");
    let group = |signature: &str, kind: &str, parents: Value, extra: Value| {
        json!({"transaction": name, "signature": signature, "kind": kind, "parents": parents, "extra": extra,
            "durations": [[1.0, 2.0]], "start_time": 0.5})
    };
    let mut extra = planter.value("traces.extra");
    extra["sql"] = planter.text("traces.extra.sql").into();
    extra["_frames"] = json!([frame(planter, "_frames")]);
    let (kind, inner_kind) = (planter.text("traces.kind"), planter.text("traces.kind"));
    let inner_signature = planter.text("traces.signature");
    json!({
        "transactions": [{"transaction": name, "result": planter.text("result"), "durations": [2.0]}],
        "traces": [
            group("transaction", "transaction", json!([]), json!({})),
            group(&signature, &kind, json!(["transaction"]), extra),
            group(&inner_signature, &inner_kind, json!(["transaction", signature]), json!({})),
        ],
        "machine": {"hostname": planter.unstored()}, "drops": {(planter.unstored()): 7},
    })
}

/// Returns a body in the form of the Node.js agent.
pub(super) fn sampled(planter: &mut Planter, has_breakdown: bool) -> Value {
    let (name, kind) = (planter.text("transaction"), planter.text("transaction.kind"));
    let mut extra = planter.value("traces.extra");
    extra["url"] = planter.text("traces.extra.url").into();
    extra["_frames"] = json!([frame(planter, "_frames")]);
    let mut body = json!({
        "transactions": [
            {"transaction": name, "kind": kind, "result": planter.text("result"), "durations": [2.0]},
            {"transaction": name, "kind": kind, "result": {"code": planter.text("result")}, "durations": [2.0]},
        ],
        "traces": {
            "groups": [
                {"transaction": name, "transaction_kind": kind, "signature": "transaction", "kind": "transaction"},
                {"transaction": name, "transaction_kind": kind, "signature": planter.text("traces.signature"),
                    "kind": planter.text("traces.kind"), "parents": ["transaction", planter.unstored()], "extra": extra},
            ],
            "raw": [[2.0, [0, 0.0, 2.0], [1, 0.5, 1.0], {
                "id": planter.text("sample.id"), "result": planter.text("sample.result"),
                "outcome": planter.text("sample.outcome"), "trace_id": planter.text("sample.trace_id"),
                "parent": planter.text("sample.parent"), "rev": planter.text("sample.rev"), "http": http(planter),
                "user": planter.value("sample.user"), "tags": planter.value("sample.tags"),
                "extra": planter.value("sample.extra"), (planter.text("sample")): planter.unstored(),
            }]],
        },
    });
    if has_breakdown {
        body["breakdown"] = json!([{"transaction": name, "transaction_kind": kind, "timestamp": "2026-11-26T18:15:00Z",
            "kind": planter.text("breakdown"), "count": 1, "self_ms": 1.0}]);
    }
    body
}

pub(super) fn release(planter: &mut Planter) -> Value {
    json!({"rev": planter.text("release.rev"), "branch": planter.text("release.branch"),
        "machine": planter.text("release.machine"), "status": "machine-completed"})
}

pub(super) fn deployment(planter: &mut Planter) -> Value {
    let text = |planter: &mut Planter| planter.text("deployment");
    let vcs = json!({"type": text(planter), "revision": text(planter), "branch": text(planter),
        "repository": text(planter)});
    let module = |planter: &mut Planter, kind: Value| {
        json!({"module": {"name": text(planter), "type": kind}, "version": text(planter),
        "path": text(planter), "vcs": vcs})
    };
    let other_kind = text(planter).into();
    json!({"machines": [{"hostname": text(planter)}],
        "releases": [module(planter, "repository".into()), module(planter, other_kind)]})
}

fn attributes(planter: &mut Planter, names: &[&str]) -> Value {
    let attribute = |name: &&str| json!({"key": name, "value": {"stringValue": planter.unstored()}});
    names.iter().map(attribute).collect()
}

const RESOURCE: [&str; 4] = ["service.version", "host.name", "deployment.environment.name", "process.command"];

const EXCEPTION: [&str; 3] = ["exception.type", "exception.message", "exception.stacktrace"];

/// Returns a request to `/v1/traces`: a server span with an exception, and its query.
pub(super) fn otlp_traces(planter: &mut Planter, number: usize) -> Value {
    let http = ["url.full", "url.query", "http.request.header.x-custom", "user_agent.original", "enduser.id", "custom"];
    let database = ["db.query.text", "db.query.summary", "db.namespace", "server.address"];
    let (trace, root) = (format!("{:032x}", number + 1), format!("{:016x}", number * 2 + 1));
    let times =
        |from: u64| json!({"start": format!("179546{from:013}"), "end": format!("179546{:013}", from + 5_000_000)});
    let span = |planter: &mut Planter, id: String, parent: &str, kind: u8, names: &[&str], events: Value| {
        let at = times(1_000_000_000);
        json!({
            "traceId": trace, "spanId": id, "parentSpanId": parent, "kind": kind, "name": planter.text("span"),
            "startTimeUnixNano": at["start"], "endTimeUnixNano": at["end"],
            "attributes": attributes(planter, names), "events": events,
            "status": {"code": 2, "message": planter.unstored()},
        })
    };
    let events = json!([{"name": "exception", "timeUnixNano": "1795461000000000000", "attributes": attributes(planter, &EXCEPTION)}]);
    let child = span(planter, format!("{:016x}", number * 2 + 2), &root, 3, &database, json!([]));
    let server = span(planter, root.clone(), "", 2, &http, events);
    let scope = json!({"name": planter.unstored(), "version": planter.unstored()});
    json!({"resourceSpans": [{
        "resource": {"attributes": attributes(planter, &RESOURCE)},
        "scopeSpans": [{"scope": scope, "spans": [server, child]}],
    }]})
}

/// Returns a request to `/v1/logs`: an error with an exception, and one without.
pub(super) fn otlp_logs(planter: &mut Planter) -> Value {
    let record = |planter: &mut Planter, names: &[&str]| {
        json!({
            "severityNumber": 17, "severityText": "ERROR", "body": {"stringValue": planter.text("log")},
            "attributes": attributes(planter, names),
        })
    };
    let records = [record(planter, &EXCEPTION), record(planter, &["custom", "code.function.name"])];
    json!({"resourceLogs": [{
        "resource": {"attributes": attributes(planter, &RESOURCE)},
        "scopeLogs": [{"scope": {"name": planter.unstored()}, "logRecords": records}],
    }]})
}
