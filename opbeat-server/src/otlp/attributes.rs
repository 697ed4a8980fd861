//! Attributes: looked up by name, and as JSON within limits.

use serde_json::{Map, Number};

use super::messages::{KeyValue, Value, any_value::Kind};
use crate::text::{shortened, start_of};

/// The largest number of attributes that are kept of a span, a log record or a list. It is the default limit of SDKs.
pub(super) const MAX_ATTRIBUTES: usize = 128;

/// The maximum length of a text, in characters. Longer texts are cut.
const MAX_TEXT: usize = 2_000;

/// The maximum length of a text that is read, in characters: one more than the longest text of an agent's body.
pub(super) const MAX_READ: usize = 16_385;

/// The maximum length of a name, in characters. Longer names are cut.
pub(super) const MAX_NAME: usize = 200;

/// The deepest nesting of lists and maps that is kept.
const MAX_DEPTH: usize = 8;

/// The attributes of a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attributes<'a>(pub(super) &'a [KeyValue]);

impl<'a> Attributes<'a> {
    /// Returns the value of the first of some names that is present.
    ///
    /// Conventions change the names of attributes: the current name is listed first, older ones after it.
    fn value(&self, names: &[&str]) -> Option<&'a Kind> {
        names.iter().find_map(|name| {
            let attribute = self.0.iter().find(|attribute| attribute.key == *name)?;
            attribute.value.as_ref()?.kind.as_ref()
        })
    }

    /// Returns a text that is not empty. It is cut, but stays longer than all limits of texts if it was longer.
    pub(super) fn text(&self, names: &[&str]) -> Option<&'a str> {
        self.long_text(names).map(|text| start_of(text, MAX_READ))
    }

    /// Returns a text that is not empty, in its full length.
    pub(super) fn long_text(&self, names: &[&str]) -> Option<&'a str> {
        match self.value(names)? {
            Kind::Text(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// Returns a whole number, which can be sent as a text.
    pub(super) fn number(&self, names: &[&str]) -> Option<i64> {
        match self.value(names)? {
            Kind::Int(number) => Some(*number),
            Kind::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// Returns the attributes as JSON, without those whose names `is_used` accepts.
    pub(super) fn rest(&self, is_used: impl Fn(&str) -> bool) -> Map<String, serde_json::Value> {
        let kept = self.0.iter().filter(|attribute| !is_used(&attribute.key));
        entries(kept.take(MAX_ATTRIBUTES), 0)
    }
}

/// Returns a value as JSON.
pub(super) fn to_json(value: &Value) -> serde_json::Value {
    json_of(value, 0)
}

/// Returns a text value, or another value as JSON text. It is cut as [`Attributes::text`] is.
pub(super) fn to_text(value: &Value) -> String {
    match &value.kind {
        Some(Kind::Text(text)) => start_of(text, MAX_READ).to_owned(),
        None => String::new(),
        Some(_) => to_json(value).to_string(),
    }
}

fn json_of(value: &Value, depth: usize) -> serde_json::Value {
    match &value.kind {
        None => serde_json::Value::Null,
        Some(Kind::Text(text)) => shortened(text, MAX_TEXT).into(),
        Some(Kind::Bool(flag)) => (*flag).into(),
        Some(Kind::Int(number)) => (*number).into(),
        Some(Kind::Double(number)) => {
            Number::from_f64(*number).map_or_else(|| number.to_string().into(), serde_json::Value::Number)
        }
        Some(Kind::Bytes(bytes)) => format!("{} bytes", bytes.len()).into(),
        Some(Kind::List(_) | Kind::Map(_)) if depth >= MAX_DEPTH => "…".into(),
        Some(Kind::List(list)) => {
            list.values.iter().take(MAX_ATTRIBUTES).map(|value| json_of(value, depth + 1)).collect()
        }
        Some(Kind::Map(map)) => entries(map.values.iter().take(MAX_ATTRIBUTES), depth + 1).into(),
    }
}

fn entries<'a>(attributes: impl Iterator<Item = &'a KeyValue>, depth: usize) -> Map<String, serde_json::Value> {
    let entry = |attribute: &KeyValue| {
        let value = attribute.value.as_ref().map_or(serde_json::Value::Null, |value| json_of(value, depth));
        (shortened(&attribute.key, MAX_NAME), value)
    };
    attributes.map(entry).collect()
}
