//! Bodies with one to three random changes: none panics, none is refused for a value, and all that is read is within the
//! limits.

use fastrand::Rng;
use opbeat_protocol::read::{Oddity, ReadLimits, Unreadable, read_transactions};
use opbeat_protocol::{ErrorBody, TransactionsBody};
use serde_json::{Map, Value, json};

use crate::support::{fixtures, is_transactions, read_any, read_file};

/// Texts that are replaced by bare words after the body is written.
const WORDS: [(&str, &str); 8] = [
    ("\"@nan\"", "NaN"),
    ("\"@inf\"", "-Infinity"),
    ("\"@huge\"", "1e999"),
    ("\"@half\"", "\"a\\ud800b\""),
    ("\"@nul\"", "\"a\\u0000b\""),
    ("\"@digits\"", "123456789012345678901234567890"),
    ("\"@raw\"", "\"a\tb\u{1}\""),
    ("\"@twice\"", "{\"a\":1,\"a\":[2],\"a\":null}"),
];

fn odd_value(rng: &mut Rng) -> Value {
    let word = || json!("@nan");
    match rng.u8(..22) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!(rng.i64(..)),
        3 => json!(-rng.f64()),
        4 => json!(u64::MAX),
        5 => json!(1e300),
        6 => json!(""),
        7 => json!("12"),
        8 => json!("word"),
        9 => json!("é".repeat(rng.usize(..40_000))),
        10 => json!([]),
        11 => json!([1, "a", null, [], {}]),
        12 => json!({}),
        13 => json!({"a": {"b": [null]}, "message": 5, "frames": [null, 5]}),
        14 => Value::Array(vec![Value::Null; rng.usize(..3_000)]),
        15 => (0..rng.usize(..300))
            .fold(json!(0), |inner, _| if rng.bool() { json!([inner]) } else { json!({"d": inner}) }),
        16.. => rng.choice(WORDS).map_or_else(word, |(word, _)| json!(word.trim_matches('"'))),
    }
}

/// Changes one random value of a body, or a part of it.
fn mutate(rng: &mut Rng, value: &mut Value) {
    let goes_deeper = rng.u8(..8) > 0;
    match value {
        Value::Array(items) if goes_deeper && !items.is_empty() => {
            let index = rng.usize(..items.len());
            match rng.u8(..12) {
                0 => drop(items.remove(index)),
                1 => items.insert(index, odd_value(rng)),
                _ => mutate(rng, &mut items[index]),
            }
        }
        Value::Object(entries) if goes_deeper && !entries.is_empty() => {
            let index = rng.usize(..entries.len());
            let Some(key) = entries.keys().nth(index).cloned() else { return };
            match rng.u8(..12) {
                0 => drop(entries.remove(&key)),
                1 => drop(entries.insert(format!("@key{key}"), odd_value(rng))),
                _ => entries.get_mut(&key).into_iter().for_each(|value| mutate(rng, value)),
            }
        }
        value => *value = odd_value(rng),
    }
}

/// Writes a changed body.
fn write(body: &Value) -> String {
    // A key with the mark becomes a duplicate of the key after the mark.
    let json = body.to_string().replace("\"@key", "\"");
    WORDS.iter().fold(json, |json, (mark, word)| json.replace(mark, word))
}

/// Asserts that all texts are within the limits, and can be stored.
fn assert_texts(value: &Value, limits: &ReadLimits, mutant: &str) {
    let check = |text: &str, max: usize| {
        assert!(text.chars().count() <= max && !text.contains('\0'), "{text:.100} in {mutant:.2000}");
    };
    match value {
        Value::String(text) => check(text, limits.text),
        Value::Array(items) => items.iter().for_each(|item| assert_texts(item, limits, mutant)),
        Value::Object(entries) => {
            for (key, value) in entries {
                check(key, limits.key);
                let max = match key.as_str() {
                    "message" => limits.message.max(limits.text),
                    "type" => limits.type_name.max(limits.text),
                    _ => limits.text,
                };
                value.as_str().into_iter().for_each(|text| check(text, max));
                assert_texts(value, limits, mutant);
            }
        }
        _ => {}
    }
}

/// Asserts that the structs read what they wrote, and that a second reading changes nothing.
fn assert_stable(body: &Value, is_transactions: bool, mutant: &str) {
    let json = body.to_string();
    let read = if is_transactions {
        serde_json::from_str::<TransactionsBody>(&json).map(|_| ())
    } else {
        serde_json::from_str::<ErrorBody>(&json).map(|_| ())
    };
    read.unwrap_or_else(|error| panic!("{error}: {json:.2000} of {mutant:.2000}"));
    let (again, notes) = read_any(json.as_bytes(), is_transactions).expect("it was written by the structs");
    // A `param_message` of another type is kept as it is, and noted each time.
    let known = notes.iter().all(|note| note.oddity == Oddity::WrongType && note.path == "param_message");
    assert!(known, "{notes:?}: {json:.2000} of {mutant:.2000}");
    assert_eq!(again.to_string().len(), json.len(), "{mutant:.2000}");
}

fn bodies() -> Vec<(Value, bool)> {
    let files = fixtures("cases").into_iter().chain(fixtures("recorded"));
    let texts = files.map(|path| read_file(&path));
    texts.filter_map(|text| Some((serde_json::from_str(&text).ok()?, is_transactions(&text)))).collect()
}

#[test]
fn mutants_are_read_within_the_limits() {
    let mut rng = Rng::with_seed(12);
    let limits = ReadLimits::default();
    let bodies = bodies();
    for _ in 0..4_000 {
        let Some((body, is_transactions)) = rng.choice(&bodies) else { continue };
        let mut mutant = body.clone();
        for _ in 0..rng.u8(1..=3) {
            mutate(&mut rng, &mut mutant);
        }
        let json = write(&mutant);
        match read_any(json.as_bytes(), *is_transactions) {
            Ok((read, notes)) => {
                assert_texts(&read, &limits, &json);
                assert!(notes.iter().all(|note| note.path.chars().count() <= 100 && note.count > 0));
                assert_stable(&read, *is_transactions, &json);
            }
            Err(Unreadable::NotAnObject { .. } | Unreadable::NoContent { .. }) => {}
            Err(error) => panic!("{error}: {json:.2000}"),
        }
    }
}

#[test]
fn truncated_mutants_are_refused() {
    let mut rng = Rng::with_seed(13);
    let bodies = bodies();
    for _ in 0..2_000 {
        let Some((body, is_transactions)) = rng.choice(&bodies) else { continue };
        let json = write(body);
        let end = rng.usize(1..json.len());
        let read = read_any(&json.as_bytes()[..end], *is_transactions);
        assert_eq!(read.map(|_| ()), Err(Unreadable::Truncated), "{}", &json[..end]);
    }
}

#[test]
fn damaged_bytes_do_not_panic() {
    let mut rng = Rng::with_seed(14);
    let bodies = bodies();
    for _ in 0..4_000 {
        let Some((body, is_transactions)) = rng.choice(&bodies) else { continue };
        let mut bytes = write(body).into_bytes();
        for _ in 0..rng.u8(1..=4) {
            let index = rng.usize(..bytes.len());
            bytes[index] = rng.u8(..);
        }
        if let Ok((read, _)) = read_any(&bytes, *is_transactions) {
            assert_texts(&read, &ReadLimits::default(), &String::from_utf8_lossy(&bytes));
        }
    }
}

#[test]
fn a_damaged_group_leaves_its_neighbours_unchanged() {
    let mut rng = Rng::with_seed(15);
    let group = |index: usize| {
        json!({"transaction": format!("GET /{index}"), "result": 200, "kind": "request",
        "timestamp": "2026-11-26T17:39:00Z", "durations": [1.5, 2.5], "head_durations": [1.0, 2.0]})
    };
    let span = |index: usize| {
        json!({"transaction": format!("GET /{index}"), "signature": "s", "kind": "k",
        "parents": ["transaction"], "durations": [[1.5, 2.5]], "start_time": 1.0, "extra": {"sql": "SELECT 1"}})
    };
    for _ in 0..2_000 {
        let mut groups: Vec<Value> = (0..3).map(group).collect();
        let mut spans: Vec<Value> = (0..3).map(span).collect();
        let victim = rng.usize(..3);
        mutate(&mut rng, &mut groups[victim]);
        mutate(&mut rng, &mut spans[victim]);
        let mut body = Map::new();
        body.insert("transactions".to_owned(), groups.into());
        body.insert("traces".to_owned(), spans.into());
        let json = write(&Value::Object(body));
        let read = read_transactions(json.as_bytes(), &ReadLimits::default())
            .unwrap_or_else(|error| panic!("{error}: {json}"));
        let read = serde_json::to_value(read.body).expect("a body is JSON");
        let has = |name: &str, expected: &Value| read[name].as_array().is_some_and(|items| items.contains(expected));
        for index in (0..3).filter(|index| *index != victim) {
            assert!(has("transactions", &group(index)) && has("traces", &span(index)), "{json}");
        }
    }
}
