//! Bodies that are built to cost much, and syntax that is not JSON.

use std::fmt::Write as _;

use opbeat_protocol::Traces;
use opbeat_protocol::read::{Oddity, ReadLimits, read_error};
use serde_json::Value;

use crate::support::{error, summary, transactions};

/// Returns an array of `count` equal elements.
fn array(element: &str, count: usize) -> String {
    let mut json = String::from("[");
    for index in 0..count {
        json.push_str(if index == 0 { "" } else { "," });
        json.push_str(element);
    }
    json.push(']');
    json
}

/// Returns the number of values in a value.
fn size(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(entries) => entries.values().map(size).sum(),
        _ => 0,
    }
}

#[test]
fn millions_of_zeros_are_skipped() {
    let received = error(&format!(r#"{{"message": "a", "extra": {{"a": {}}}}}"#, array("0", 8_000_000)));
    let kept = received.body.extra.map_or(0, |extra| size(&Value::Object(extra)));
    assert_eq!(kept, 1_002);
    assert_eq!(summary(&received.notes), "too_many 7999000 extra.a");
}

#[test]
fn values_of_any_type_share_one_limit() {
    let limits = ReadLimits { values: 100, ..ReadLimits::default() };
    let inner = array("[0,0,0]", 50);
    let json =
        format!(r#"{{"message": "a", "extra": {{"a": {inner}}}, "http": {{"b": {inner}}}, "tags": {{"c": 1}}}}"#);
    let received = read_error(json.as_bytes(), &limits).expect("it has a message");
    let kept = |map: Option<serde_json::Map<String, Value>>| map.map_or(0, |map| size(&Value::Object(map)) - 1);
    let total = kept(received.body.extra) + kept(received.body.http) + kept(received.body.tags);
    // An array is counted after its elements.
    assert!((50..=103).contains(&total), "{total}");
    assert!(received.notes.count(Oddity::TooMany) > 20);
}

#[test]
fn memory_is_bounded_by_what_was_received() {
    let limits = ReadLimits { memory_base: 10_000, ..ReadLimits::default() };
    // A map of one entry takes 640 bytes, and is sent as seven.
    let json = format!(r#"{{"message": "a", "extra": {}}}"#, array(&array(r#"{"":0}"#, 900), 10));
    let received = read_error(json.as_bytes(), &limits).expect("it has a message");
    let maps = received.body.extra.map_or(0, |extra| size(&Value::Object(extra))) / 2;
    assert!(maps * 640 < limits.memory_base + limits.memory_factor * json.len(), "{maps}");
    assert!(received.notes.count(Oddity::TooMany) > 0);
}

#[test]
fn frames_of_spans_do_not_use_the_limit_of_other_values() {
    let frame = r#"{"abs_path": "/srv/venv/lib/python3.11/site-packages/shop/views.py", "filename": "shop/views.py", "module": "shop.views", "lineno": 1, "function": "f"}"#;
    let group = |index: usize| {
        format!(r#"{{"signature": "s{index}", "extra": {{"_frames": {}, "sql": "SELECT"}}}}"#, array(frame, 100))
    };
    let groups: Vec<String> = (0..700).map(group).collect();
    let received = transactions(&format!(r#"{{"traces": [{}]}}"#, groups.join(",")));
    assert!(received.notes.is_empty(), "{}", summary(&received.notes));
    let Traces::Groups(groups) = received.body.traces else { panic!("it is an array") };
    assert!(groups.iter().all(|group| group.extra["_frames"].as_array().is_some_and(|frames| frames.len() == 100)));
}

#[test]
fn long_stacks_keep_both_ends() {
    let mut frames = String::new();
    for line in 1..=2_500 {
        let _ = write!(frames, "{}{{\"lineno\": {line}}}", if line == 1 { "" } else { "," });
    }
    let received = error(&format!(r#"{{"message": "a", "stacktrace": {{"frames": [{frames}]}}}}"#));
    let lines: Vec<u32> =
        received.body.stacktrace.iter().flat_map(|stack| &stack.frames).map(|frame| frame.lineno).collect();
    assert_eq!((lines.len(), lines[0], lines[499], lines[500], lines[999]), (1_000, 1, 500, 2_001, 2_500));
    assert_eq!(summary(&received.notes), "too_many 1500 stacktrace.frames");
}

#[test]
fn numbers_of_groups_durations_and_spans_are_limited() {
    let zeros = array("0", 600_000);
    let received =
        transactions(&format!(r#"{{"transactions": [{{"durations": {zeros}}}, {{"durations": {zeros}}}]}}"#));
    let count: usize = received.body.transactions.iter().map(|group| group.durations.len()).sum();
    assert_eq!(count, 1_000_000);
    assert_eq!(summary(&received.notes), "too_many 200000 transactions[1].durations");

    let received = transactions(&format!(
        r#"{{"transactions": {}}}"#,
        array(r#"{"transaction": "GET /", "durations": [1.5]}"#, 50_010)
    ));
    assert_eq!(received.body.transactions.len(), 50_000);
    assert_eq!(summary(&received.notes), "too_many 10 transactions");

    let spans = array("[0,0,1]", 150_000);
    let sample = format!("[9,{}", spans.trim_start_matches('[').replacen("0,", "[0,", 1));
    let received = transactions(&format!(r#"{{"traces": {{"groups": [{{}}], "raw": [{sample}, {sample}]}}}}"#));
    let Traces::Sampled { raw, .. } = received.body.traces else { panic!("it is an object") };
    assert_eq!(raw.iter().map(|sample| sample.spans.len()).collect::<Vec<_>>(), [150_000, 50_000]);
    assert_eq!(summary(&received.notes), "too_many 100000 traces.raw[1]");
}

#[test]
fn long_texts_are_cut_between_characters() {
    let limits = ReadLimits::default();
    let long = "é".repeat(2_000_000);
    let json = format!(
        r#"{{"message": "{long}", "level": "{long}", "culprit": "{long}", "extra": {{"{long}": "{long}"}},
            "exception": {{"type": "{long}", "value": "{long}"}}, "stacktrace": {{"frames": [{{"context_line": "{long}"}}]}}}}"#
    );
    let received = error(&json);
    let body = received.body;
    let length = |text: &str| text.chars().count();
    let exception = body.exception.expect("it was sent");
    let (key, value) = body.extra.iter().flatten().next().expect("it was sent");
    let line = body.stacktrace.and_then(|stack| stack.frames[0].context_line.clone()).expect("it was sent");
    let lengths = [
        &body.message,
        &body.level.unwrap_or_default(),
        &body.culprit.unwrap_or_default(),
        &exception.type_name,
        key,
        &line,
    ];
    let expected = [limits.message, limits.word, limits.culprit, limits.type_name, limits.key, limits.source_line];
    assert_eq!(lengths.map(|text| length(text)), expected);
    assert_eq!(value.as_str().map(length), Some(limits.text));
    assert!(lengths.iter().all(|text| text.ends_with("é…")));
    assert_eq!(received.notes.count(Oddity::TooLong), 8);
    let exact = format!(r#"{{"message": "{}"}}"#, "é".repeat(limits.message));
    assert!(error(&exact).notes.is_empty());
}

#[test]
fn values_of_any_depth_are_read() {
    for depth in [60, 65, 127, 128, 200, 1_000_000] {
        for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
            let value = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            for extra in ["", r#", "x": NaN"#] {
                let received = error(&format!(r#"{{"message": "m", "extra": {{"d": {value}{extra}}}}}"#));
                assert_eq!(received.notes.count(Oddity::TooDeep), u64::from(depth > 62), "{depth}");
                assert!(received.body.extra.is_some());
            }
            let cause = r#"{"causes": ["#.repeat(depth) + &"]}".repeat(depth);
            let received = error(&format!(r#"{{"message": "m", "exception": {cause}}}"#));
            assert!(received.body.exception.is_some());
        }
    }
}

#[test]
fn causes_are_limited() {
    let received = error(&format!(
        r#"{{"exception": {{"type": "A", "causes": {}}}}}"#,
        array(r#"{"type": "B", "causes": [{"type": "C"}]}"#, 5_000)
    ));
    let causes = received.body.exception.expect("it was sent").causes;
    assert!((10..=100).contains(&causes.len()), "{}", causes.len());
}

#[test]
fn syntax_that_is_nearly_json_is_repaired() {
    let json = b"\xEF\xBB\xBF{\"message\": \"tab\there \xff\", \"level\": \"a\xed\xa0\x80b\", \"culprit\": \"\\ud83d\\ude00 \\ude00\\ud83dx\",
        \"extra\": {\"nan\": NaN, \"list\": [1, Infinity, -Infinity, 1e999, -1e999, 1e-999, -0.0], \"nul\": \"\x00\", \"ok\": \"\\n\\\"\\u00e9\"}}";
    let received = read_error(json, &ReadLimits::default()).expect("it has a message");
    assert_eq!(received.body.message, "tab\there \u{fffd}");
    assert_eq!(received.body.culprit.as_deref(), Some("😀 \u{fffd}\u{fffd}x"));
    let extra = received.body.extra.map(Value::Object).expect("it was sent");
    let expected = serde_json::json!({"nan": null, "list": [1, null, null, 1e308, -1e308, 0.0, -0.0], "nul": "\u{fffd}", "ok": "\n\"é"});
    assert_eq!(extra, expected);
    assert_eq!(
        summary(&received.notes),
        "byte_order_mark 1 ; control_character 2 message; invalid_utf8 4 message; lone_surrogate 2 culprit; \
         not_a_number 3 extra.nan; out_of_range 2 extra.list[3]"
    );
}

#[test]
fn a_body_of_a_kind_that_is_not_json_is_refused() {
    for json in [
        "{",
        "{]",
        "{\"message\":\"a\",}",
        "{\"message\" \"a\"}",
        "{\"message\":\"a\"",
        "{\"message\":\"\\x\"}",
        "{message:1}",
        "{\"a\":tru}",
        "{\"a\":1.}",
        "{\"a\":-}",
        "{\"a\":\"\\u12\"}",
        "{\"a\":[1 2]}",
        "{}}",
        "<html>",
        "{\"a\":undefined}",
        "\u{feff}",
    ] {
        assert!(read_error(json.as_bytes(), &ReadLimits::default()).is_err(), "{json}");
    }
    assert!(read_error(b"{\"message\":\"a\xff", &ReadLimits::default()).is_err());
}
