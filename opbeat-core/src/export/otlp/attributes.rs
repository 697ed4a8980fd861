//! Attributes of spans, events, log records and points.

use std::borrow::Cow;

use super::messages::{KeyValue, Kind, Value, ValueList};
use crate::record;

/// Attributes in the order in which they are set. The first value of a name counts, so that a value of the application
/// never replaces one of the semantic conventions.
#[derive(Default)]
pub(super) struct Attributes(Vec<KeyValue>);

impl Attributes {
    /// Sets an attribute, unless it is set already.
    pub(super) fn set(&mut self, key: impl Into<String>, value: impl Into<Value>) {
        let key = key.into();
        if !self.has(&key) {
            self.0.push(KeyValue { key, value: Some(value.into()) });
        }
    }

    /// Sets an attribute in place of an earlier value.
    pub(super) fn replace(&mut self, key: &'static str, value: impl Into<Value>) {
        self.0.retain(|known| known.key != key);
        self.set(key, value);
    }

    /// Sets an attribute if there is a value.
    pub(super) fn set_some(&mut self, key: &'static str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.set(key, value);
        }
    }

    /// Sets the application's own values under their names.
    pub(super) fn set_all(&mut self, values: &[(Cow<'static, str>, record::Value)]) {
        for (key, value) in values {
            self.set(key.clone(), value);
        }
    }

    pub(super) fn into_list(self) -> Vec<KeyValue> {
        self.0
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.0.iter().any(|known| known.key == key)
    }
}

impl From<Kind> for Value {
    fn from(kind: Kind) -> Self {
        Self { kind: Some(kind) }
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Kind::Text(text).into()
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        text.clone().into()
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Kind::Bool(truth).into()
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Kind::Int(number).into()
    }
}

impl From<u16> for Value {
    fn from(number: u16) -> Self {
        i64::from(number).into()
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        i64::from(number).into()
    }
}

/// Numbers above the largest `i64` become that one. They count bytes and occurrences, which are smaller.
impl From<u64> for Value {
    fn from(number: u64) -> Self {
        i64::try_from(number).unwrap_or(i64::MAX).into()
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Kind::Double(number).into()
    }
}

impl From<Vec<Self>> for Value {
    fn from(values: Vec<Self>) -> Self {
        Kind::List(ValueList { values }).into()
    }
}

impl From<&record::Value> for Value {
    fn from(value: &record::Value) -> Self {
        match value {
            record::Value::Text(text) => text.as_ref().into(),
            record::Value::Integer(number) => (*number).into(),
            // JSON has no other numbers.
            record::Value::Float(number) if !number.is_finite() => number.to_string().into(),
            record::Value::Float(number) => (*number).into(),
            record::Value::Bool(truth) => (*truth).into(),
        }
    }
}
