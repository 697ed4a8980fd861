//! Changes bodies at random: values of their JSON tree, and bytes.

use std::io::Write;

use fastrand::Rng;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::bodies::Source;

/// Strings that stand for text that no JSON value has. They are replaced after the body is written.
const MARKS: [(&str, &str); 9] = [
    ("\"@nan\"", "NaN"),
    ("\"@inf\"", "-Infinity"),
    ("\"@huge\"", "1e999"),
    ("\"@half\"", "\"a\\ud800b\""),
    ("\"@nul\"", "\"a\\u0000b\""),
    ("\"@digits\"", "123456789012345678901234567890"),
    ("\"@control\"", "\"a\tb\u{1}\u{7f}\""),
    ("\"@twice\"", "{\"a\":1,\"a\":[2],\"a\":null}"),
    // A key that starts with this mark becomes a second one of the same name.
    ("\"@again:", "\""),
];

/// The longest array of a shortened body.
const SHORT: usize = 4;

/// The size of the bodies that are mostly shortened, in bytes: they cost more and show no more.
const LARGE: usize = 3_000;

/// Makes a mutant of a body.
pub(super) fn mutant(rng: &mut Rng, source: &Source) -> Vec<u8> {
    let mut bytes = source.bytes.clone();
    if let Some(json) = source.json.as_ref().filter(|_| rng.u8(..10) > 0) {
        let mut body = json.clone();
        move_times(rng, &mut body);
        if source.bytes.len() > LARGE && rng.u8(..30) > 0 {
            shorten(rng, &mut body);
        }
        for _ in 0..rng.u8(1..=4) {
            change(rng, &mut body);
        }
        bytes = write(&body).into_bytes();
    }
    if source.json.is_none() || rng.u8(..8) == 0 {
        change_bytes(rng, &mut bytes);
    }
    compress(rng, bytes)
}

/// Moves the times of a recording to the last hours, so that the pages show its data.
fn move_times(rng: &mut Rng, value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| move_times(rng, item)),
        Value::Object(map) => {
            for (key, value) in map {
                match value {
                    Value::String(time) if key == "timestamp" => {
                        *time = (Timestamp::now() - SignedDuration::from_mins(rng.i64(0..600))).to_string();
                    }
                    value => move_times(rng, value),
                }
            }
        }
        _ => {}
    }
}

/// Keeps a few neighbouring items of each array.
fn shorten(rng: &mut Rng, value: &mut Value) {
    match value {
        Value::Array(items) => {
            if items.len() > SHORT {
                let start = rng.usize(..=items.len() - SHORT);
                *items = items.drain(start..start + SHORT).collect();
            }
            items.iter_mut().for_each(|item| shorten(rng, item));
        }
        Value::Object(map) => map.values_mut().for_each(|value| shorten(rng, value)),
        _ => {}
    }
}

/// Changes one random value of a body, or an array or object itself.
fn change(rng: &mut Rng, value: &mut Value) {
    let goes_deeper = rng.u8(..8) > 0;
    match value {
        Value::Array(items) if goes_deeper && !items.is_empty() => change_array(rng, items),
        Value::Object(map) if goes_deeper && !map.is_empty() => change_object(rng, map),
        value => *value = odd_value(rng),
    }
}

fn change_array(rng: &mut Rng, items: &mut Vec<Value>) {
    let (index, other) = (rng.usize(..items.len()), rng.usize(..items.len()));
    match rng.u8(..16) {
        0 => drop(items.remove(index)),
        1 => items.insert(index, odd_value(rng)),
        2 => items.swap(index, other),
        3 => items.insert(other, items[index].clone()),
        4 if items.len() <= 64 => items.extend(items.clone().into_iter().cycle().take(rng.usize(..1_000))),
        _ => change(rng, &mut items[index]),
    }
}

fn change_object(rng: &mut Rng, map: &mut Map<String, Value>) {
    let keys: Vec<String> = map.keys().cloned().collect();
    let (key, other) = (&keys[rng.usize(..keys.len())], &keys[rng.usize(..keys.len())]);
    match rng.u8(..16) {
        0 => drop(map.remove(key)),
        1 => drop(map.insert(format!("@again:{key}"), odd_value(rng))),
        2 => {
            let value = map.remove(key).unwrap_or_default();
            map.insert(odd_key(rng), value);
        }
        3 => {
            let value = map[key].clone();
            let swapped = map.insert(other.clone(), value).unwrap_or_default();
            map.insert(key.clone(), swapped);
        }
        _ => change(rng, &mut map[key]),
    }
}

fn odd_key(rng: &mut Rng) -> String {
    let keys = ["", "message", "frames", "durations", "\u{202e}", "a\tb", "..", "<b>", "_frames", "raw", "groups"];
    match rng.u8(..4) {
        0 => "k".repeat(rng.usize(..20_000)),
        _ => keys[rng.usize(..keys.len())].to_owned(),
    }
}

fn odd_value(rng: &mut Rng) -> Value {
    match rng.u8(..26) {
        0 => Value::Null,
        1 => json!(rng.bool()),
        2 => json!(rng.i64(..)),
        3 => json!(-rng.f64() * 1e6),
        4 => json!([u64::MAX, i64::MAX as u64, u64::from(u32::MAX)][rng.usize(..3)]),
        5 => json!([1e308, -1e308, 5e-324, -0.0][rng.usize(..4)]),
        6 => json!([i64::MIN, -1, 0][rng.usize(..3)]),
        7 => json!(["", "12", "-1", "1e9", "word", "null", "../..", "\u{202e}\u{0}"][rng.usize(..8)]),
        8 => json!("é".repeat(rng.usize(..40_000))),
        9 => json!("<script>\"'&".repeat(rng.usize(..2_000))),
        10 => json!([]),
        11 => json!([1, "a", null, [], {}]),
        12 => json!({}),
        13 => json!({"a": {"b": [null]}, "message": 5, "frames": [null, 5]}),
        14 => Value::Array(vec![Value::Null; rng.usize(..3_000)]),
        15 => (0..rng.usize(..300)).fold(json!(0), |inner, _| match rng.bool() {
            true => json!([inner]),
            false => json!({ "d": inner }),
        }),
        16 => json!(["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "2016-02-30", "now"][rng.usize(..4)]),
        17 => json!((0..rng.usize(..500)).map(|_| rng.char('a'..='￿')).collect::<String>()),
        _ => {
            let mark = MARKS[rng.usize(..MARKS.len() - 1)].0;
            json!(mark.trim_matches('"'))
        }
    }
}

/// Writes a changed body.
fn write(body: &Value) -> String {
    let json = body.to_string();
    if !json.contains("\"@") {
        return json;
    }
    MARKS.iter().fold(json, |json, (mark, text)| match json.contains(mark) {
        true => json.replace(mark, text),
        false => json,
    })
}

fn change_bytes(rng: &mut Rng, bytes: &mut Vec<u8>) {
    match rng.u8(..5) {
        0 => bytes.truncate(rng.usize(..=bytes.len())),
        1 => drop(bytes.splice(..0, *b"\xef\xbb\xbf")),
        2 => bytes.extend_from_slice(b" {}"),
        _ => flip(rng, bytes),
    }
}

fn flip(rng: &mut Rng, bytes: &mut [u8]) {
    if !bytes.is_empty() {
        for _ in 0..rng.u8(1..=8) {
            bytes[rng.usize(..bytes.len())] ^= 1 << rng.u8(..8);
        }
    }
}

/// Compresses some bodies, and damages some compressed ones.
fn compress(rng: &mut Rng, bytes: Vec<u8>) -> Vec<u8> {
    let level = Compression::fast();
    let mut compressed = match rng.u8(..20) {
        0..4 => written(ZlibEncoder::new(Vec::new(), level), &bytes, ZlibEncoder::finish),
        4 => written(GzEncoder::new(Vec::new(), level), &bytes, GzEncoder::finish),
        5 => written(DeflateEncoder::new(Vec::new(), level), &bytes, DeflateEncoder::finish),
        // The start of a format that the rest does not have.
        6 => [&b"\x78\x9c"[..], &bytes].concat(),
        7 => [&b"\x1f\x8b\x08\x00"[..], &bytes].concat(),
        _ => return bytes,
    };
    if rng.u8(..8) == 0 {
        change_bytes(rng, &mut compressed);
    }
    compressed
}

fn written<W: Write>(mut encoder: W, bytes: &[u8], finish: impl FnOnce(W) -> std::io::Result<Vec<u8>>) -> Vec<u8> {
    encoder.write_all(bytes).unwrap();
    finish(encoder).unwrap()
}
