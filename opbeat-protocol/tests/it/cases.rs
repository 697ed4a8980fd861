//! Every body of the case files: what is kept, and which notes appear.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::{fixtures, is_transactions, read_any, read_file, summary};

/// The notes, a JSON pointer into the body that was read, and the value there.
type Expected = (&'static str, &'static str, Value);

/// The errors that have notes, or whose values change.
fn expected_errors() -> BTreeMap<&'static str, Expected> {
    let lineno = "/stacktrace/frames/0/lineno";
    let frames = "/stacktrace/frames";
    BTreeMap::from([
        ("07-ms-timestamp", ("", "/timestamp", json!("2026-11-18T11:06:40Z"))),
        ("09-lone-surrogate", ("lone_surrogate 1 message", "/message", json!("caf\u{fffd}.txt not found"))),
        ("django-template", ("", "/template/context_line", json!("{% bad %}\n"))),
        ("err-bigint-30-digits", ("", "/extra/x", json!(1e30))),
        ("err-client-id-int", ("wrong_type 1 client_supplied_id", "/client_supplied_id", json!("5"))),
        (
            "err-colno-float",
            ("wrong_type 1 stacktrace.frames[0].colno", frames, json!([{"filename": "a", "lineno": 1, "colno": 1}])),
        ),
        (
            "err-colno-negative",
            ("out_of_range 1 stacktrace.frames[0].colno", frames, json!([{"filename": "a", "lineno": 1}])),
        ),
        ("err-context-null-lines", ("", "/stacktrace/frames/0/pre_context", json!([null, "x"]))),
        ("err-dup-exception", ("duplicate_key 1 exception", "/exception", json!({"type": "B", "value": "y"}))),
        ("err-exception-module-int", ("wrong_type 1 exception.value", "/exception/value", json!("5"))),
        ("err-frame-null", ("null 1 stacktrace.frames[0]", frames, json!([]))),
        ("err-infinity-extra", ("not_a_number 1 extra.x", "/extra", json!({"x": null}))),
        ("err-level-int", ("wrong_type 1 level", "/level", json!("40"))),
        ("err-lineno-negative", ("out_of_range 1 stacktrace.frames[0].lineno", lineno, json!(0))),
        ("err-lineno-string", ("wrong_type 1 stacktrace.frames[0].lineno", lineno, json!(12))),
        ("err-lone-surrogate", ("lone_surrogate 1 message", "/message", json!("half an emoji \u{fffd}"))),
        ("err-machine-empty", ("", "/exception/type", json!("V"))),
        ("err-machine-hostname-null", ("", "/exception/type", json!("V"))),
        ("err-message-int", ("wrong_type 1 message", "/message", json!("5"))),
        ("err-message-object", ("wrong_type 1 message", "/message", json!("{\"a\":1}"))),
        ("err-nan-var", ("not_a_number 1 stacktrace.frames[0].vars.x", "/stacktrace/frames/0/vars/x", json!(null))),
        ("err-nul", ("control_character 3 message", "/extra", json!({"k\u{fffd}": "v\u{fffd}"}))),
        ("err-occurrences-string", ("wrong_type 1 occurrences", "/occurrences", json!(5))),
        ("err-param-message-mapping", ("", "/param_message", json!({"message": "a %(x)s", "params": {"x": 1}}))),
        ("err-param-message-other", ("wrong_type 1 param_message", "/param_message", json!(["x"]))),
        (
            "err-pre-context-string",
            ("wrong_type 1 stacktrace.frames[0].pre_context", "/stacktrace/frames/0/pre_context", json!(["x"])),
        ),
        ("err-rev-int", ("wrong_type 1 rev", "/rev", json!("5"))),
        ("err-stacktrace-array", ("wrong_type 1 stacktrace", frames, json!([{"filename": "a", "lineno": 1}]))),
        ("err-tags-array", ("wrong_type 1 tags", "/tags", json!({"a": true, "b": true}))),
        ("err-timestamp-empty", ("invalid_time 1 timestamp", "/message", json!("m"))),
        ("err-timestamp-float", ("", "/timestamp", json!("2026-11-26T17:37:51.702585Z"))),
        ("err-timestamp-garbage", ("invalid_time 1 timestamp", "/message", json!("m"))),
        ("err-timestamp-millis", ("", "/timestamp", json!("2026-11-26T17:37:51.704Z"))),
        ("err-timestamp-object", ("invalid_time 1 timestamp", "/message", json!("m"))),
        ("err-timestamp-offset", ("", "/timestamp", json!("2026-11-26T17:30:00Z"))),
        ("err-timestamp-space", ("", "/timestamp", json!("2026-11-26T17:37:51Z"))),
        ("err-transaction-string", ("wrong_type 1 transaction", "/transaction", json!({"name": "GET /"}))),
        ("err-unknown-keys", ("", "/environment", json!("prod"))),
        ("err-user-array", ("wrong_type 1 user", "/exception/type", json!("V"))),
        ("err-user-string", ("wrong_type 1 user", "/user", json!({"id": "ann"}))),
        (
            "err-vars-array",
            ("wrong_type 1 stacktrace.frames[0].vars", "/stacktrace/frames/0/vars", json!({"value": [1]})),
        ),
        ("query", ("", "/query", json!({"query": "SELECT 1 FROM t WHERE long", "engine": "postgresql"}))),
        ("ruby-error", ("", "/timestamp", json!("2026-11-26T17:39:47Z"))),
    ])
}

/// The bodies of transactions that have notes, or whose values change.
fn expected_transactions() -> BTreeMap<&'static str, Expected> {
    let durations = "/transactions/0/durations";
    BTreeMap::from([
        ("01-drops-overflow", ("out_of_range 1 drops.errors", "/drops/errors", json!(1_000_000_000_000_u64))),
        ("ruby-kind", ("", "/transactions/0/timestamp", json!("2026-11-26T17:39:00Z"))),
        ("tx-extra-null", ("", "/traces/0/extra", json!({}))),
        ("tx-name-int", ("wrong_type 1 transactions[0].transaction", "/transactions/0/transaction", json!("5"))),
        ("tx-name-null", ("", "/transactions/0/transaction", json!(""))),
        (
            "tx-nan-duration",
            ("not_a_number 1 transactions[0].durations[0]; null 1 transactions[0].durations[0]", durations, json!([])),
        ),
        (
            "tx-negative-duration",
            ("negative_duration 1 transactions[1].durations[1]", "/transactions/1/durations", json!([5.0, 0.0])),
        ),
        ("tx-null-duration", ("null 1 transactions[0].durations[0]", durations, json!([]))),
        ("tx-raw-bad-index", ("unknown_group 1 traces", "/traces", json!({"groups": [], "raw": [[5.0, {}]]}))),
        (
            "tx-raw-context-timestamp-word",
            ("invalid_time 1 traces.raw[0][2].timestamp", "/traces/raw/0/1", json!([0, 0.0, 5.0])),
        ),
        ("tx-raw-negative-start", ("negative_duration 1 traces.raw[0][2][1]", "/traces/raw/0/2/1", json!(0.0))),
        ("tx-string-duration", ("wrong_type 1 transactions[0].durations[0]", durations, json!([1.5]))),
        ("tx-traces-empty-object", ("", "/traces", json!({"groups": [], "raw": []}))),
        ("tx-traces-missing", ("", "/traces", json!([]))),
        ("tx-traces-null", ("", "/traces", json!([]))),
    ])
}

/// The cases of which only a part survives; their notes have paths that are cut.
const DEEP: [&str; 2] = ["err-nested-100", "err-nested-130"];

#[test]
fn every_case_is_read() {
    let mut expected = expected_errors();
    expected.extend(expected_transactions());
    for path in fixtures("cases") {
        let name = path.file_stem().and_then(|name| name.to_str()).expect("the name is UTF-8");
        let json = read_file(&path);
        let (body, notes) = read_any(json.as_bytes(), is_transactions(&json)).expect(name);
        if DEEP.contains(&name) {
            assert!(summary(&notes).starts_with("too_deep 1 extra.x[0][0]"), "{name}: {}", summary(&notes));
            continue;
        }
        let Some((expected_notes, pointer, value)) = expected.remove(name) else {
            assert_eq!(summary(&notes), "", "{name}");
            assert_contains(name, &body, &serde_json::from_str(&json).expect("the case is JSON"));
            continue;
        };
        assert_eq!(summary(&notes), expected_notes, "{name}");
        assert_eq!(body.pointer(pointer), Some(&value), "{name}: {body}");
    }
    assert!(expected.is_empty(), "no files for {:?}", expected.keys());
}

#[test]
fn recorded_bodies_have_no_notes() {
    for path in fixtures("recorded") {
        let json = read_file(&path);
        let (body, notes) = read_any(json.as_bytes(), is_transactions(&json)).expect("it is a real body");
        assert!(notes.is_empty(), "{}: {}", path.display(), summary(&notes));
        assert_contains(&path.display().to_string(), &body, &serde_json::from_str(&json).expect("the body is JSON"));
    }
}

/// Asserts that a body has all values that were sent under the keys that it has.
fn assert_contains(name: &str, read: &Value, sent: &Value) {
    match (read, sent) {
        (Value::Object(read), Value::Object(sent)) => {
            let known = sent.iter().filter(|(key, _)| !["organization_id", "app_id"].contains(&key.as_str()));
            for (key, sent) in known.filter(|(_, sent)| !sent.is_null()) {
                let read = read.get(key).unwrap_or_else(|| panic!("{name}: {key} is missing"));
                assert_contains(&format!("{name} {key}"), read, sent);
            }
        }
        (Value::Array(read), Value::Array(sent)) => {
            assert_eq!(read.len(), sent.len(), "{name}");
            for (index, (read, sent)) in read.iter().zip(sent).enumerate() {
                assert_contains(&format!("{name}[{index}]"), read, sent);
            }
        }
        (Value::String(_), Value::Number(_)) if name.ends_with("timestamp") => {}
        // Integers become floating-point numbers in durations.
        (Value::Number(read), Value::Number(sent)) => assert_eq!(read.as_f64(), sent.as_f64(), "{name}"),
        // A time is written in one format only.
        (Value::String(read), Value::String(sent)) if name.ends_with("timestamp") => {
            let second = "2026-11-26T17:39:00".len();
            assert_eq!(read.get(..second), sent.get(..second), "{name}");
        }
        _ => assert_eq!(read, sent, "{name}"),
    }
}
