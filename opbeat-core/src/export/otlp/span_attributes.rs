//! The names and the attributes of spans by their kind: queries, calls of other services, messages.

use super::attributes::Attributes;
use super::messages::SpanKind;
use super::request_attributes::set_address;
use super::stack_text::stack_text;
use super::time::milliseconds;
use crate::record::{self, SpanRecord};

/// A span in the terms of the semantic conventions.
pub(super) struct Described {
    pub(super) name: String,
    pub(super) kind: SpanKind,
    /// Whether its work failed.
    pub(super) is_error: bool,
}

/// Describes a span, and sets its attributes.
pub(super) fn describe(span: &SpanRecord, attributes: &mut Attributes) -> Described {
    let mut segments = span.kind.split('.');
    let (area, second, third) = (segments.next().unwrap_or_default(), segments.next(), segments.next());
    let mut name = span.signature.to_string();
    let kind = match (area, second) {
        // A pool waits in the process for a connection.
        ("db", Some(system)) if system != "pool" => {
            if third == Some("query") {
                name = set_query(span, attributes);
            }
            attributes.set("db.system.name", system_name(system));
            SpanKind::Client
        }
        ("ext", Some("http")) => {
            set_http_call(span, attributes);
            SpanKind::Client
        }
        ("ext", Some("grpc")) => {
            attributes.set("rpc.system.name", "grpc");
            attributes.set("rpc.method", span.signature.trim_start_matches('/'));
            SpanKind::Client
        }
        ("ext", _) => SpanKind::Client,
        ("messaging", Some(system)) => {
            attributes.set("messaging.system", system);
            set_operation(third.unwrap_or_default(), attributes)
        }
        _ => SpanKind::Internal,
    };
    let error = text(span, "error");
    attributes.set_some("error.type", error);
    attributes.set_some("db.response.returned_rows", number(span, "rows").filter(|_| area == "db"));
    attributes.set("opbeat.kind", span.kind.as_ref());
    if span.count > 1 {
        attributes.set("opbeat.count", span.count);
        attributes.set("opbeat.total_ms", milliseconds(span.total));
    }
    attributes.set_some("opbeat.n_plus_one", span.n_plus_one.then_some(true));
    attributes.set_some("code.stacktrace", Some(stack_text(&span.frames)).filter(|text| !text.is_empty()));
    set_rest(span, attributes);
    let is_error = error.is_some() || is_failed_call(span);
    Described { name, kind, is_error }
}

/// Sets the attributes of a query, and returns the name of its span: its operation and its table.
fn set_query(span: &SpanRecord, attributes: &mut Attributes) -> String {
    let (operation, collection) = operation(&span.signature);
    let summary = match collection {
        Some(collection) => format!("{operation} {collection}"),
        None => span.signature.to_string(),
    };
    attributes.set_some("db.query.text", text(span, "sql"));
    attributes.set("db.query.summary", summary.as_str());
    attributes.set_some("db.operation.name", Some(operation).filter(|operation| !operation.is_empty()));
    attributes.set_some("db.collection.name", collection);
    summary
}

/// Splits a signature such as `SELECT FROM books` into the operation and the table. Signatures of another form have
/// the operation only.
fn operation(signature: &str) -> (&str, Option<&str>) {
    let (operation, rest) = signature.split_once(' ').unwrap_or((signature, ""));
    let words: Vec<&str> = rest.split_whitespace().collect();
    let collection = match (operation, words.as_slice()) {
        ("SELECT" | "DELETE", ["FROM", table]) | ("INSERT" | "REPLACE" | "MERGE", ["INTO", table]) => Some(*table),
        ("SELECT" | "DELETE" | "INSERT" | "REPLACE" | "MERGE", _) => None,
        (_, [table]) => Some(*table),
        _ => None,
    };
    (operation, collection)
}

/// Returns the name of a database in the semantic conventions.
fn system_name(system: &str) -> &str {
    match system {
        "mssql" => "microsoft.sql_server",
        "oracle" => "oracle.db",
        system => system,
    }
}

fn set_http_call(span: &SpanRecord, attributes: &mut Attributes) {
    let (method, host) = span.signature.split_once(' ').unwrap_or((&span.signature, ""));
    attributes.set("http.request.method", text(span, "method").unwrap_or(method));
    let url = text(span, "url");
    let authority = url.and_then(|url| url.split_once("://")?.1.split(['/', '?', '#']).next());
    set_address(authority.unwrap_or(host), attributes);
    attributes.set_some("url.full", url);
    attributes.set_some("http.response.status_code", status(span));
    attributes.set_some("http.request.resend_count", number(span, "retries").filter(|retries| *retries > 0));
    if is_failed_call(span) && text(span, "error").is_none() {
        attributes.set_some("error.type", status(span).map(|status| status.to_string()));
    }
}

fn set_operation(operation: &str, attributes: &mut Attributes) -> SpanKind {
    let (kind, operation_type) = match operation {
        "publish" => (SpanKind::Producer, "send"),
        "consume" => (SpanKind::Consumer, "process"),
        _ => (SpanKind::Client, ""),
    };
    attributes.set_some("messaging.operation.name", Some(operation).filter(|operation| !operation.is_empty()));
    attributes.set_some("messaging.operation.type", Some(operation_type).filter(|name| !name.is_empty()));
    kind
}

/// Sets the values that have no name in the semantic conventions.
///
/// The agent's own values have short names, and those of applications and libraries often have none with a dot either.
/// A prefix keeps them apart from the names of the conventions.
fn set_rest(span: &SpanRecord, attributes: &mut Attributes) {
    for (key, value) in &span.extra {
        if key.contains('.') {
            attributes.set(key.clone(), value);
        } else if !conventional_name(key).is_some_and(|name| attributes.has(name)) {
            attributes.set(format!("opbeat.{key}"), value);
        }
    }
}

/// Returns the name of one of the agent's own values in the semantic conventions.
fn conventional_name(key: &str) -> Option<&'static str> {
    match key {
        "sql" => Some("db.query.text"),
        "rows" => Some("db.response.returned_rows"),
        "url" => Some("url.full"),
        "method" => Some("http.request.method"),
        "status" => Some("http.response.status_code"),
        "retries" => Some("http.request.resend_count"),
        "error" => Some("error.type"),
        _ => None,
    }
}

/// Returns whether a call of another service ended with a status of 400 or above.
fn is_failed_call(span: &SpanRecord) -> bool {
    span.kind.starts_with("ext.http") && status(span).is_some_and(|status| status >= 400)
}

fn status(span: &SpanRecord) -> Option<i64> {
    number(span, "status")
}

fn text<'a>(span: &'a SpanRecord, key: &str) -> Option<&'a str> {
    match value(span, key)? {
        record::Value::Text(text) => Some(text),
        _ => None,
    }
}

fn number(span: &SpanRecord, key: &str) -> Option<i64> {
    match value(span, key)? {
        record::Value::Integer(number) => Some(*number),
        _ => None,
    }
}

fn value<'a>(span: &'a SpanRecord, key: &str) -> Option<&'a record::Value> {
    span.extra.iter().find(|(known, _)| known == key).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_split_into_operation_and_table() {
        for (signature, expected) in [
            ("SELECT FROM books", ("SELECT", Some("books"))),
            ("INSERT INTO shop.books", ("INSERT", Some("shop.books"))),
            ("UPDATE books", ("UPDATE", Some("books"))),
            ("SELECT", ("SELECT", None)),
            ("SELECT 1 of many words", ("SELECT", None)),
            ("GET", ("GET", None)),
            ("", ("", None)),
        ] {
            assert_eq!(operation(signature), expected, "{signature}");
        }
    }
}
