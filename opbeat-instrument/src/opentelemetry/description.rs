//! The kind, the signature and the extra values of a span, from its facts.

use std::borrow::Cow;

use opbeat_core::record::Value;
use opentelemetry::trace::{SpanKind, Status};

use super::facts::{Facts, System};
use crate::sql::Statement;

/// A span as it is recorded.
pub(super) struct Description {
    pub(super) kind: Cow<'static, str>,
    pub(super) signature: Cow<'static, str>,
    pub(super) is_leaf: bool,
    pub(super) extra: Vec<(&'static str, Value)>,
}

impl Description {
    /// Describes a span. `scope` is the kind of spans that wait for no known system.
    pub(super) fn of(facts: &Facts, scope: &str) -> Self {
        let mut description = match (&facts.system, &facts.kind) {
            (System::Database(system), kind) if *kind != SpanKind::Server => database(facts, system),
            (System::Messaging(system), kind) if *kind != SpanKind::Server => messaging(facts, system),
            (System::Rpc(system), SpanKind::Client) => rpc(facts, system),
            (System::Http, SpanKind::Client) => http(facts),
            _ => Self::leaf(scope.to_owned(), facts.name.clone()).not_leaf(),
        };
        description.add("rows", facts.rows.map(Value::Integer));
        description.add("attempt", facts.attempt.filter(|attempt| *attempt > 1).map(Value::Integer));
        description.add("peer", peer(facts));
        description.add("error", error(facts));
        description
    }

    fn leaf(kind: impl Into<Cow<'static, str>>, signature: impl Into<Cow<'static, str>>) -> Self {
        Self { kind: kind.into(), signature: signature.into(), is_leaf: true, extra: Vec::new() }
    }

    fn not_leaf(mut self) -> Self {
        self.is_leaf = false;
        self
    }

    fn add(&mut self, key: &'static str, value: Option<Value>) {
        self.extra.extend(value.map(|value| (key, value)));
    }
}

fn database(facts: &Facts, system: &str) -> Description {
    let system = system_name(system);
    let sql = facts.statement.as_deref().filter(|_| is_sql(&system)).map(Statement::of);
    let signature = match (&sql, &facts.summary, &facts.operation) {
        (Some(sql), ..) if !sql.signature().is_empty() => sql.signature(),
        (_, Some(summary), _) => summary.clone().into(),
        (_, None, Some(operation)) => with_target(operation, facts).into(),
        _ => facts.name.clone(),
    };
    let is_transaction = sql.as_ref().is_some_and(Statement::controls_transaction);
    let kind = format!("db.{system}.{}", if is_transaction { "transaction" } else { "query" });
    let mut description = Description::leaf(kind, signature);
    description.add("sql", sql.map(|sql| Value::Text(sql.text())));
    description
}

fn messaging(facts: &Facts, system: &str) -> Description {
    let operation = match (facts.operation.as_deref(), &facts.kind) {
        (Some("publish" | "send" | "create"), _) | (_, SpanKind::Producer) => "publish",
        (Some("receive" | "process" | "deliver" | "consume"), _) | (_, SpanKind::Consumer) => "consume",
        _ => "call",
    };
    let signature = match (&facts.target, operation) {
        (Some(_), _) => with_target(operation, facts).into(),
        (None, _) => facts.name.clone(),
    };
    let description = Description::leaf(format!("messaging.{}.{operation}", system_name(system)), signature);
    // The application processes a message in the span, with queries of its own.
    if operation == "consume" { description.not_leaf() } else { description }
}

fn rpc(facts: &Facts, system: &str) -> Description {
    let (kind, separator) = match system {
        "grpc" => ("ext.grpc.otel", '/'),
        "aws-api" => ("ext.aws", '.'),
        _ => ("ext.rpc.otel", '/'),
    };
    let signature = match (&facts.service, &facts.call) {
        // The present conventions have the service in the method's name.
        (Some(service), Some(call)) if !call.contains(separator) => format!("{service}{separator}{call}").into(),
        (_, Some(call)) => call.clone().into(),
        _ => facts.name.clone(),
    };
    let mut description = Description::leaf(kind, signature);
    description.add("status", facts.status.clone());
    description
}

fn http(facts: &Facts) -> Description {
    let method = facts.method.as_deref().filter(|method| *method != "_OTHER").unwrap_or("HTTP");
    let signature = match host(facts) {
        Some(host) => format!("{method} {host}").into(),
        None => facts.name.clone(),
    };
    let mut description = Description::leaf("ext.http.otel", signature);
    description.add("method", Some(Value::from(method.to_owned())));
    description.add("url", facts.url.clone().map(Value::from));
    description.add("status", facts.status.clone());
    description
}

/// Returns the name of a transaction that a span has begun.
pub(super) fn transaction_name(facts: &Facts) -> String {
    match (&facts.system, &facts.method, &facts.route) {
        (System::Http, Some(method), Some(route)) => format!("{method} {route}"),
        _ => facts.name.clone().into_owned(),
    }
}

fn with_target(operation: &str, facts: &Facts) -> String {
    match &facts.target {
        Some(target) => format!("{operation} {target}"),
        None => operation.to_owned(),
    }
}

/// Returns the host of a call, without its port.
fn host(facts: &Facts) -> Option<&str> {
    let of_url = || {
        let (_, rest) = facts.url.as_deref()?.split_once("://")?;
        let authority = &rest[..rest.find('/').unwrap_or(rest.len())];
        let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
        Some(authority.rsplit_once(':').filter(|(_, port)| is_port(port)).map_or(authority, |(host, _)| host))
    };
    facts.host.as_deref().or_else(of_url).filter(|host| !host.is_empty())
}

fn peer(facts: &Facts) -> Option<Value> {
    let host = facts.host.as_deref()?;
    Some(Value::from(facts.port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))))
}

fn error(facts: &Facts) -> Option<Value> {
    let known = facts.error_type.as_ref().or(facts.error_text.as_ref());
    match (known, &facts.outcome) {
        (Some(error), _) => Some(Value::from(error.clone())),
        (None, Status::Error { .. }) => Some(Value::from("error")),
        _ => None,
    }
}

/// Returns a system's name as a part of a kind. Both the present and the former name give the same one.
fn system_name(system: &str) -> Cow<'_, str> {
    let name = match system {
        "microsoft.sql_server" => "mssql",
        "oracle.db" => "oracle",
        "apache.cassandra" => "cassandra",
        _ => system.rsplit('.').next().unwrap_or(system),
    };
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    match name {
        "" => "other".into(),
        name if name.bytes().all(is_plain) => name.into(),
        name => name.to_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "_").into(),
    }
}

/// Returns whether a system's statements are SQL, or similar enough to remove literals from them. Statements of other
/// systems are not shown, because it is unknown which parts of them are values.
fn is_sql(system: &str) -> bool {
    const SQL: &[&str] = &[
        "bigquery",
        "cassandra",
        "clickhouse",
        "cockroachdb",
        "cosmosdb",
        "couchbase",
        "db2",
        "derby",
        "duckdb",
        "firebird",
        "firebirdsql",
        "h2",
        "h2database",
        "hana",
        "hanadb",
        "hive",
        "hsqldb",
        "informix",
        "ingres",
        "mariadb",
        "maxdb",
        "mssql",
        "mysql",
        "netezza",
        "oracle",
        "other_sql",
        "postgres",
        "postgresql",
        "redshift",
        "scylla",
        "snowflake",
        "spanner",
        "sql",
        "sqlite",
        "teradata",
        "tidb",
        "trino",
        "vertica",
    ];
    SQL.contains(&system)
}
