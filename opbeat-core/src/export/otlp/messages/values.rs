//! Attributes, resources and scopes, which all signals share.

use serde::{Serialize, Serializer};

use super::json;

/// A value of any type.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::export::otlp) struct Value {
    /// The value with its type.
    #[prost(oneof = "Kind", tags = "1, 2, 3, 4, 5")]
    pub(in crate::export::otlp) kind: Option<Kind>,
}

/// A value with its type.
#[derive(Clone, PartialEq, prost::Oneof, Serialize)]
pub(in crate::export::otlp) enum Kind {
    /// A text.
    #[prost(string, tag = "1")]
    #[serde(rename = "stringValue")]
    Text(String),
    /// A boolean.
    #[prost(bool, tag = "2")]
    #[serde(rename = "boolValue")]
    Bool(bool),
    /// A whole number.
    #[prost(int64, tag = "3")]
    #[serde(rename = "intValue", serialize_with = "json::text")]
    Int(i64),
    /// A number.
    #[prost(double, tag = "4")]
    #[serde(rename = "doubleValue")]
    Double(f64),
    /// A list.
    #[prost(message, tag = "5")]
    #[serde(rename = "arrayValue")]
    List(ValueList),
}

/// A list of values.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
pub(in crate::export::otlp) struct ValueList {
    /// The values.
    #[prost(message, repeated, tag = "1")]
    pub(in crate::export::otlp) values: Vec<Value>,
}

/// Writes the value as a member that is named after its type.
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match &self.kind {
            Some(kind) => kind.serialize(to),
            None => to.collect_map::<&str, &str, [(&str, &str); 0]>([]),
        }
    }
}

/// An attribute.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
pub(in crate::export::otlp) struct KeyValue {
    /// The name.
    #[prost(string, tag = "1")]
    pub(in crate::export::otlp) key: String,
    /// The value.
    #[prost(message, optional, tag = "2")]
    pub(in crate::export::otlp) value: Option<Value>,
}

/// The source of telemetry: a process of a service.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
pub(in crate::export::otlp) struct Resource {
    /// The attributes.
    #[prost(message, repeated, tag = "1")]
    pub(in crate::export::otlp) attributes: Vec<KeyValue>,
}

/// The instrumentation library.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
pub(in crate::export::otlp) struct Scope {
    /// The name.
    #[prost(string, tag = "1")]
    pub(in crate::export::otlp) name: String,
    /// The version.
    #[prost(string, tag = "2")]
    pub(in crate::export::otlp) version: String,
}
