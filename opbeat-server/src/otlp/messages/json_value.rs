//! A value in JSON: an object with one key, which names the type.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use super::json::{base64, number};
use super::values::{Value, ValueList, ValueMap, any_value::Kind};

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(ValueVisitor)
    }
}

struct ValueVisitor;

/// A number that can be a text.
struct Whole(i64);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        number(from).map(Self)
    }
}

/// A number, or `"NaN"`, `"Infinity"` and `"-Infinity"`, which JSON has no numbers for.
#[derive(Deserialize)]
#[serde(untagged)]
enum Float {
    Number(f64),
    Text(String),
}

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object such as {\"stringValue\": \"…\"}")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut kind = None;
        while let Some(key) = map.next_key::<String>()? {
            let next = match key.as_str() {
                "stringValue" => map.next_value::<Option<String>>()?.map(Kind::Text),
                "boolValue" => map.next_value::<Option<bool>>()?.map(Kind::Bool),
                "intValue" => map.next_value::<Option<Whole>>()?.map(|Whole(number)| Kind::Int(number)),
                "doubleValue" => map.next_value::<Option<Float>>()?.map(|float| match float {
                    Float::Number(number) => Kind::Double(number),
                    Float::Text(text) => text.parse().map_or(Kind::Text(text), Kind::Double),
                }),
                "arrayValue" => map.next_value::<Option<ValueList>>()?.map(Kind::List),
                "kvlistValue" => map.next_value::<Option<ValueMap>>()?.map(Kind::Map),
                "bytesValue" => map.next_value::<Option<String>>()?.map(|text| match base64(&text) {
                    Some(bytes) => Kind::Bytes(bytes),
                    None => Kind::Text(text),
                }),
                _ => map.next_value::<IgnoredAny>().map(|_| None)?,
            };
            kind = next.or(kind);
        }
        Ok(Value { kind })
    }
}
