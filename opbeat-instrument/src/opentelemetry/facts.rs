//! The facts about a span that its attributes state.
//!
//! Attributes have had several names. Those of the present [semantic conventions][names] come first in each row here,
//! and former names follow.
//!
//! [names]: https://opentelemetry.io/docs/specs/semconv/

use std::borrow::Cow;

use opbeat_core::record::Value;
use opentelemetry::trace::{SpanKind, Status};
use opentelemetry::{KeyValue, Value as AttributeValue};

use crate::urls::shown;

/// The largest number of bytes that are kept of a value. Statements are longer.
const MAX_TEXT: usize = 256;

/// The largest number of bytes that are kept of a statement, before literals are removed from it.
const MAX_STATEMENT: usize = 16 * 1024;

/// The largest number of attributes that a span keeps because the application chose them.
const MAX_OTHERS: usize = 32;

/// The facts about a span, as far as they are known.
pub(super) struct Facts {
    pub(super) name: Cow<'static, str>,
    pub(super) kind: SpanKind,
    pub(super) system: System,
    pub(super) statement: Option<String>,
    /// A description of the statement that the library made, or the operation.
    pub(super) summary: Option<String>,
    pub(super) operation: Option<String>,
    /// The collection, the table, the queue or the topic.
    pub(super) target: Option<String>,
    pub(super) service: Option<String>,
    /// The method of a remote procedure call.
    pub(super) call: Option<String>,
    /// The method of an HTTP request.
    pub(super) method: Option<String>,
    pub(super) url: Option<String>,
    pub(super) route: Option<String>,
    pub(super) host: Option<String>,
    pub(super) port: Option<i64>,
    pub(super) status: Option<Value>,
    pub(super) rows: Option<i64>,
    pub(super) attempt: Option<i64>,
    pub(super) error_type: Option<String>,
    pub(super) error_text: Option<String>,
    pub(super) outcome: Status,
    /// Attributes that the application chose to keep.
    pub(super) others: Vec<(Cow<'static, str>, Value)>,
}

/// The system that a span waits for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum System {
    Database(String),
    Messaging(String),
    Rpc(String),
    Http,
    #[default]
    Unknown,
}

impl Facts {
    pub(super) fn new(name: Cow<'static, str>, kind: SpanKind) -> Self {
        Self {
            name: cut_name(name),
            kind,
            system: System::Unknown,
            statement: None,
            summary: None,
            operation: None,
            target: None,
            service: None,
            call: None,
            method: None,
            url: None,
            route: None,
            host: None,
            port: None,
            status: None,
            rows: None,
            attempt: None,
            error_type: None,
            error_text: None,
            outcome: Status::Unset,
            others: Vec::new(),
        }
    }

    pub(super) fn rename(&mut self, name: Cow<'static, str>) {
        self.name = cut_name(name);
    }

    /// Notes an attribute. `kept` are the names of further attributes that the application chose.
    pub(super) fn set(&mut self, attribute: &KeyValue, kept: &[Cow<'static, str>]) {
        let value = &attribute.value;
        match attribute.key.as_str() {
            "db.system.name" | "db.system" => self.find_system(System::Database(text(value))),
            "messaging.system" => self.find_system(System::Messaging(text(value))),
            "rpc.system.name" | "rpc.system" => self.find_system(System::Rpc(text(value))),
            "http.request.method" | "http.method" => {
                self.find_system(System::Http);
                self.method = Some(text(value));
            }
            "db.query.text" | "db.statement" => self.statement = Some(cut(&value.as_str(), MAX_STATEMENT)),
            "db.query.summary" => self.summary = Some(text(value)),
            "messaging.operation.type" | "messaging.operation" | "db.operation.name" | "db.operation" => {
                self.operation = Some(text(value));
            }
            "messaging.destination.template"
            | "messaging.destination.name"
            | "messaging.destination"
            | "db.collection.name"
            | "db.sql.table"
            | "db.mongodb.collection"
            | "db.cassandra.table" => self.target = Some(text(value)),
            "rpc.service" => self.service = Some(text(value)),
            "rpc.method" => self.call = Some(text(value)),
            "url.full" | "http.url" => self.url = Some(without_secrets(&value.as_str())),
            "http.route" => self.route = Some(text(value)),
            "server.address" | "net.peer.name" => self.host = Some(text(value)),
            "server.port" | "net.peer.port" => self.port = integer(value),
            "http.response.status_code" | "http.status_code" | "rpc.response.status_code" | "rpc.grpc.status_code" => {
                self.status = Some(number_or_text(value))
            }
            "db.response.returned_rows" => self.rows = integer(value),
            "http.request.resend_count" | "http.resend_count" => {
                self.attempt = integer(value).map(|resent| resent.saturating_add(1));
            }
            "error.type" => self.error_type = Some(text(value)),
            key if kept.iter().any(|kept| kept == key) => self.keep(key, value),
            _ => {}
        }
    }

    /// Notes an `exception` event. Returns its message.
    pub(super) fn set_exception(&mut self, attributes: &[KeyValue]) -> Option<String> {
        for attribute in attributes {
            match attribute.key.as_str() {
                "exception.type" => self.error_type = Some(text(&attribute.value)),
                "exception.message" => self.error_text = Some(shown(attribute.value.as_str().into_owned())),
                _ => {}
            }
        }
        self.error_text.clone().or_else(|| self.error_type.clone())
    }

    /// Notes a status. `Ok` is final, and `Unset` never replaces another one.
    pub(super) fn set_status(&mut self, status: Status) {
        if status < self.outcome {
            return;
        }
        if let Status::Error { description } = &status
            && !description.is_empty()
        {
            self.error_text.get_or_insert_with(|| shown(description.to_string()));
        }
        self.outcome = status;
    }

    /// Notes the system, unless a more specific one is known: a call of a database may also be one of HTTP.
    fn find_system(&mut self, system: System) {
        if system.rank() >= self.system.rank() {
            self.system = system;
        }
    }

    fn keep(&mut self, key: &str, value: &AttributeValue) {
        let value = number_or_text(value);
        if let Some((_, known)) = self.others.iter_mut().find(|(known, _)| known == key) {
            *known = value;
        } else if self.others.len() < MAX_OTHERS {
            self.others.push((key.to_owned().into(), value));
        }
    }
}

impl System {
    fn rank(&self) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::Http => 1,
            Self::Rpc(_) => 2,
            Self::Messaging(_) => 3,
            Self::Database(_) => 4,
        }
    }
}

fn text(value: &AttributeValue) -> String {
    cut(&value.as_str(), MAX_TEXT)
}

fn integer(value: &AttributeValue) -> Option<i64> {
    match value {
        AttributeValue::I64(number) => Some(*number),
        other => other.as_str().parse().ok(),
    }
}

fn number_or_text(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::I64(number) => Value::Integer(*number),
        AttributeValue::F64(number) => Value::Float(*number),
        AttributeValue::Bool(truth) => Value::Bool(*truth),
        other => Value::from(text(other)),
    }
}

/// Removes the user name and the password, the query and the fragment of a URL.
fn without_secrets(url: &str) -> String {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    let Some((scheme, rest)) = url[..end].split_once("://") else { return cut(&url[..end], MAX_TEXT) };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    cut(&format!("{scheme}://{host}{path}"), MAX_TEXT)
}

fn cut(text: &str, max: usize) -> String {
    text[..text.floor_char_boundary(max)].to_owned()
}

fn cut_name(name: Cow<'static, str>) -> Cow<'static, str> {
    if name.len() <= MAX_TEXT { name } else { cut(&name, MAX_TEXT).into() }
}
