//! The kind and the short name of spans: queries, requests to other services, messages, templates.

use serde_json::{Map, Value};

use super::attributes::{Attributes, MAX_READ};
use super::http::{METHOD, host, is_http, url};
use super::messages::{Span, SpanKind};
use super::sql::summary;
use crate::text::start_of;

const SYSTEM: [&str; 2] = ["db.system.name", "db.system"];
const STATEMENT: [&str; 2] = ["db.query.text", "db.statement"];
const OPERATION: [&str; 2] = ["db.operation.name", "db.operation"];
const COLLECTION: [&str; 5] =
    ["db.collection.name", "db.sql.table", "db.mongodb.collection", "db.cassandra.table", "db.cosmosdb.container"];

/// The description of a span.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Described {
    /// The kind, such as `db.postgresql.query`.
    pub(super) kind: String,
    /// The short name, such as `SELECT FROM books`.
    pub(super) signature: String,
    /// Further values.
    pub(super) extra: Map<String, Value>,
}

/// Describes a span by its attributes.
pub(super) fn described(span: &Span, scope: &str) -> Described {
    let attributes = Attributes(&span.attributes);
    if let Some(system) = attributes.text(&SYSTEM) {
        return query(span, system, attributes);
    }
    if span.role() == SpanKind::Client
        && let Some(method) = attributes.text(&METHOD)
    {
        return outgoing(span, method, attributes);
    }
    let kind = if let Some(system) = attributes.text(&["messaging.system"]) {
        format!("messaging.{}", segment(system))
    } else if let Some(system) = attributes.text(&["rpc.system.name", "rpc.system"]) {
        format!("ext.{}", segment(system))
    } else if let Some(engine) = template_engine(scope, attributes) {
        format!("template.{engine}")
    } else if span.role() == SpanKind::Client {
        "ext.other".to_owned()
    } else {
        "app.custom".to_owned()
    };
    Described { kind, signature: own_name(span), extra: attributes.rest(|_| false) }
}

fn query(span: &Span, system: &str, attributes: Attributes<'_>) -> Described {
    let statement = attributes.text(&STATEMENT);
    let operation = attributes.text(&OPERATION);
    let signature = match (attributes.text(&["db.query.summary"]), operation, attributes.text(&COLLECTION)) {
        (Some(summary), ..) => Some(summary.to_owned()),
        (None, Some(operation), Some(collection)) => Some(operation_on(operation, collection)),
        _ => statement.and_then(summary),
    };
    let mut extra = attributes.rest(|name| STATEMENT.contains(&name));
    if let Some(statement) = statement {
        extra.insert("sql".to_owned(), statement.into());
    }
    Described {
        kind: format!("db.{}.query", segment(system)),
        signature: signature.unwrap_or_else(|| own_name(span)),
        extra,
    }
}

/// Returns the short name of an operation on a table or a collection.
fn operation_on(operation: &str, collection: &str) -> String {
    match operation.to_ascii_uppercase().as_str() {
        verb @ ("SELECT" | "DELETE") => format!("{verb} FROM {collection}"),
        "INSERT" if operation == "INSERT" => format!("INSERT INTO {collection}"),
        _ => format!("{operation} {collection}"),
    }
}

fn outgoing(span: &Span, method: &str, attributes: Attributes<'_>) -> Described {
    let mut extra = attributes.rest(is_http);
    if let Some(url) = url(attributes) {
        extra.insert("url".to_owned(), url.into());
    }
    let status = attributes.number(&super::http::STATUS);
    extra.extend(status.map(|status| ("status".to_owned(), status.into())));
    let signature = host(attributes).map_or_else(|| own_name(span), |host| format!("{method} {host}"));
    Described { kind: "ext.http".to_owned(), signature, extra }
}

/// Returns the template engine, if a span renders a template.
fn template_engine(scope: &str, attributes: Attributes<'_>) -> Option<&'static str> {
    const ENGINES: [&str; 6] = ["jinja2", "mako", "handlebars", "ejs", "pug", "thymeleaf"];
    let is_used = |engine: &&str| scope.contains(*engine);
    let by_attribute = || attributes.text(&["jinja2.template_name"]).map(|_| "jinja2");
    ENGINES.into_iter().find(is_used).or_else(by_attribute)
}

/// Returns the name of a span, cut as attributes are.
fn own_name(span: &Span) -> String {
    start_of(&span.name, MAX_READ).to_owned()
}

/// Returns a name as one segment of a kind: letters, digits and underscores, at most 40 of them.
fn segment(name: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    name.chars().take(40).map(allowed).collect()
}
