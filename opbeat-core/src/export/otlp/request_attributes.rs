//! The attributes of a transaction's span.

use super::attributes::Attributes;
use super::messages::Value;
use super::time::milliseconds;
use crate::record::{RequestRecord, TransactionRecord, TransactionResult};

/// The kinds of a transaction, as far as they differ in the semantic conventions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    /// An HTTP request.
    Request,
    /// A call over gRPC.
    Call,
    /// A job.
    Job,
}

impl Role {
    pub(super) fn of(kind: &str) -> Self {
        match kind.split_once('.').unwrap_or((kind, "")) {
            ("web", "grpc") => Self::Call,
            ("web", _) => Self::Request,
            _ => Self::Job,
        }
    }
}

/// Sets the attributes of a transaction.
pub(super) fn set(record: &TransactionRecord, role: Role, attributes: &mut Attributes) {
    let name = record.name.to_string();
    match role {
        Role::Request => set_request_names(&name, &record.result, attributes),
        Role::Call => set_call_names(&name, &record.result, attributes),
        Role::Job => {}
    }
    if let Some(request) = &record.request {
        set_request(request, attributes);
    }
    attributes.set_some("http.request.body.size", record.request_bytes);
    attributes.set_some("http.response.body.size", record.response_bytes);
    for (header, value) in &record.response_headers {
        attributes.set(format!("http.response.header.{header}"), vec![Value::from(value)]);
    }
    if let Some(user) = &record.user {
        attributes.set_some("user.id", user.id.as_ref());
        attributes.set_some("user.name", user.username.as_ref());
        attributes.set_some("user.email", user.email.as_ref());
    }
    attributes.set("opbeat.kind", record.kind.as_ref());
    attributes.set("opbeat.result", record.result.to_string());
    attributes.set("opbeat.outcome", record.outcome.as_str());
    attributes.set_some("opbeat.head_ms", record.head.map(milliseconds));
    attributes.set_some("opbeat.queued_ms", record.queued.map(milliseconds));
    attributes.set_some("opbeat.busy_ms", record.busy.map(milliseconds));
    attributes.set_some("opbeat.dropped_spans", Some(record.dropped_spans).filter(|dropped| *dropped > 0));
    for spans in &record.dropped {
        attributes.set(format!("opbeat.dropped.{}.count", spans.kind), spans.count);
        attributes.set(format!("opbeat.dropped.{}.total_ms", spans.kind), milliseconds(spans.total));
    }
    attributes.set_all(&record.tags);
    attributes.set_all(&record.extra);
}

/// Sets the method, the route and the status of a request, which are also the dimensions of its histogram.
pub(super) fn set_request_names(name: &str, result: &TransactionResult, attributes: &mut Attributes) {
    match name.split_once(' ') {
        Some((method, route)) => {
            // Adapters count unknown methods as `OTHER`.
            attributes.set("http.request.method", if is_known(method) { method } else { "_OTHER" });
            if route.starts_with('/') {
                attributes.set("http.route", route);
            } else {
                attributes.set("opbeat.transaction", name);
            }
        }
        None => {
            attributes.set("http.request.method", "_OTHER");
            attributes.set("opbeat.transaction", name);
        }
    }
    if let TransactionResult::Status(status) = result {
        attributes.set("http.response.status_code", *status);
    }
}

/// Sets the method and the status of a gRPC call.
pub(super) fn set_call_names(name: &str, result: &TransactionResult, attributes: &mut Attributes) {
    attributes.set("rpc.system.name", "grpc");
    attributes.set("rpc.method", name.rsplit(' ').next().unwrap_or(name).trim_start_matches('/'));
    match result {
        TransactionResult::Word(status) => attributes.set("rpc.response.status_code", status.as_ref()),
        TransactionResult::Status(status) => attributes.set("http.response.status_code", *status),
    }
}

/// Returns whether the semantic conventions know a method.
fn is_known(method: &str) -> bool {
    const METHODS: [&str; 10] =
        ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY"];
    METHODS.contains(&method)
}

fn set_request(request: &RequestRecord, attributes: &mut Attributes) {
    let method = request.method();
    // The name of the transaction may be the application's own, without a method.
    if is_known(&method) {
        attributes.replace("http.request.method", method);
    } else {
        attributes.set("http.request.method", "_OTHER");
        attributes.set("http.request.method_original", method);
    }
    let target = request.target();
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    // The target of a `CONNECT` is a host and a port, and that of an `OPTIONS` may be `*`. Neither is a path.
    if path.starts_with('/') {
        attributes.set("url.path", path);
    }
    attributes.set_some("url.query", Some(query).filter(|query| !query.is_empty()));
    let is_https = request.header("x-forwarded-proto").is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"));
    attributes.set("url.scheme", if is_https { "https" } else { "http" });
    if let Some(host) = request.header("host") {
        set_address(host, attributes);
    }
    attributes.set_some("user_agent.original", request.header("user-agent"));
    attributes.set_some("client.address", request.client().map(|client| client.to_string()));
}

/// Sets the address and the port of a `host:port`.
pub(super) fn set_address(authority: &str, attributes: &mut Attributes) {
    let port = authority.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse::<u16>().ok()?)));
    let (host, port) = port.map_or((authority, None), |(host, port)| (host, Some(port)));
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if !host.is_empty() {
        attributes.set("server.address", host);
        attributes.set_some("server.port", port);
    }
}
