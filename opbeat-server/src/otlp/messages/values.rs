//! Attributes, resources and scopes, which all signals share.

use serde::Deserialize;

use super::json;

/// A value of any type.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::otlp) struct Value {
    /// The value, unless it is null.
    #[prost(oneof = "any_value::Kind", tags = "1, 2, 3, 4, 5, 6, 7")]
    pub(in crate::otlp) kind: Option<any_value::Kind>,
}

/// The types of a [`Value`].
pub(in crate::otlp) mod any_value {
    /// A value with its type.
    #[derive(Clone, PartialEq, prost::Oneof)]
    pub(in crate::otlp) enum Kind {
        /// A text.
        #[prost(string, tag = "1")]
        Text(String),
        /// A boolean.
        #[prost(bool, tag = "2")]
        Bool(bool),
        /// A whole number.
        #[prost(int64, tag = "3")]
        Int(i64),
        /// A number.
        #[prost(double, tag = "4")]
        Double(f64),
        /// A list.
        #[prost(message, tag = "5")]
        List(super::ValueList),
        /// A map.
        #[prost(message, tag = "6")]
        Map(super::ValueMap),
        /// Bytes.
        #[prost(bytes, tag = "7")]
        Bytes(Vec<u8>),
    }
}

/// A list of values.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
pub(in crate::otlp) struct ValueList {
    /// The values.
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "json::list")]
    pub(in crate::otlp) values: Vec<Value>,
}

/// A map of values.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
pub(in crate::otlp) struct ValueMap {
    /// The entries.
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "json::list")]
    pub(in crate::otlp) values: Vec<KeyValue>,
}

/// An attribute.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
pub(in crate::otlp) struct KeyValue {
    /// The name.
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "json::or_default")]
    pub(in crate::otlp) key: String,
    /// The value.
    #[prost(message, optional, tag = "2")]
    pub(in crate::otlp) value: Option<Value>,
}

/// The source of telemetry: a process of a service.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
pub(in crate::otlp) struct Resource {
    /// The attributes.
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "json::list")]
    pub(in crate::otlp) attributes: Vec<KeyValue>,
}

/// The instrumentation library.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
pub(in crate::otlp) struct Scope {
    /// The name.
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "json::or_default")]
    pub(in crate::otlp) name: String,
}
