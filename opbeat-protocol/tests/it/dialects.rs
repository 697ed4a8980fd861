//! The dialects of the agents, and values of unexpected types.

use opbeat_protocol::read::{Oddity, ReadLimits, Received, read_deployment, read_release, read_transactions};
use opbeat_protocol::{ReleaseBody, Timestamp, Traces, TransactionsBody};
use serde_json::{Value, json};

use crate::support::{error, summary, transactions, unreadable_error};

fn release(body: &str) -> Received<ReleaseBody> {
    read_release(body.as_bytes(), &ReadLimits::default()).unwrap_or_else(|error| panic!("{error}: {body}"))
}

/// Reads one field of an error, and returns it as JSON with the notes.
fn field(name: &str, value: &str) -> (Value, String) {
    let received = error(&format!(r#"{{"message": "m", "{name}": {value}}}"#));
    let body = serde_json::to_value(&received.body).expect("a body is JSON");
    (body.get(name).cloned().unwrap_or_default(), summary(&received.notes))
}

#[test]
fn values_of_other_types_are_converted() {
    let cases = [
        ("http", r#""GET /a b""#, json!({"method": "GET", "url": "/a b"})),
        ("http", r#""http://h/""#, json!({"url": "http://h/"})),
        ("user", "7", json!({"id": 7})),
        ("tags", r#"[["a", 1], "b", null]"#, json!({"a": 1, "b": true})),
        ("tags", r#""slow""#, json!({"slow": true})),
        ("extra", r#""text""#, json!({"value": "text"})),
        ("extra", "[1, null]", json!({"value": [1, null]})),
        ("machine", r#""web-1""#, json!({"hostname": "web-1"})),
        ("exception", r#""KeyError: 'a'""#, json!({"type": "KeyError", "value": "'a'"})),
        ("exception", r#""it is broken: yes""#, json!({"type": "", "value": "it is broken: yes"})),
        (
            "exception",
            r#"[{"type": "A"}, {"type": "B"}]"#,
            json!({"type": "A", "value": "", "causes": [{"type": "B", "value": ""}]}),
        ),
        ("exception", r#"{"type": ["A"], "value": {"b": 1}}"#, json!({"type": "[\"A\"]", "value": "{\"b\":1}"})),
        ("param_message", "5", json!(5)),
        ("template", r#""a.html""#, json!({"filename": "a.html", "lineno": 0})),
        ("query", r#""SELECT 1""#, json!({"query": "SELECT 1"})),
        (
            "stacktrace",
            r#"{"frames": {"function": "f"}}"#,
            json!({"frames": [{"filename": "", "lineno": 0, "function": "f"}]}),
        ),
        (
            "stacktrace",
            r#"{"frames": [{"in_app": 1}]}"#,
            json!({"frames": [{"filename": "", "lineno": 0, "in_app": true}]}),
        ),
        ("level", "true", json!("true")),
        ("rev", "7.5", json!("7.5")),
    ];
    for (name, value, expected) in cases {
        let (read, notes) = field(name, value);
        assert_eq!(read, expected, "{name} {value}");
        assert!(notes.starts_with("wrong_type "), "{name} {value}: {notes}");
    }
}

#[test]
fn values_that_cannot_be_converted_are_left_out() {
    for (name, value) in [
        ("level", "[1]"),
        ("logger", "{}"),
        ("client_supplied_id", "[[]]"),
        ("occurrences", r#""many""#),
        ("exception", "5"),
        ("stacktrace", r#""at f (a.js:1)""#),
        ("transaction", "5"),
        ("machine", "[1, [2]]"),
        ("extra", "[]"),
    ] {
        let (read, notes) = field(name, value);
        assert_eq!(read, Value::Null, "{name} {value}");
        assert_eq!(notes, format!("wrong_type 1 {name}"), "{value}");
    }
}

#[test]
fn null_stands_for_an_absent_value() {
    for name in
        ["level", "culprit", "machine", "exception", "stacktrace", "http", "user", "extra", "rev", "param_message"]
    {
        assert_eq!(field(name, "null"), (Value::Null, String::new()), "{name}");
    }
}

#[test]
fn of_duplicate_keys_the_last_value_stays() {
    let received = error(r#"{"message": "a", "message": "b", "message": null, "extra": {"x": 1, "x": 2, "x": null}}"#);
    assert_eq!(received.body.message, "b");
    assert_eq!(received.body.extra.map(Value::Object), Some(json!({"x": 2})));
    assert_eq!(summary(&received.notes), "duplicate_key 3 message");
}

#[test]
fn a_bad_group_does_not_refuse_its_neighbours() {
    let received = transactions(
        r#"{"transactions": [
            null, 5, "GET /", [1],
            {"transaction": ["a"], "durations": "x", "kind": {}, "timestamp": [], "result": {"a": null}},
            {"transaction": "GET /", "durations": [1, null, "2", "x", -3, 1e999, [1]], "timestamp": 1795714740}
        ]}"#,
    );
    let groups = &received.body.transactions;
    assert_eq!(groups.len(), 2, "{groups:?}");
    assert_eq!(groups[0].result, Some(json!({"a": null})));
    let ten_years = 315_360_000_000.0;
    assert_eq!(groups[1].durations, [1.0, 2.0, 0.0, ten_years]);
    assert_eq!(received.notes.count(Oddity::NegativeDuration), 1);
}

#[test]
fn head_durations_stay_beside_their_durations() {
    let heads = |durations: &str, heads: &str| {
        let json = format!(r#"{{"transactions": [{{"durations": {durations}, "head_durations": {heads}}}]}}"#);
        let received = transactions(&json);
        let group = received.body.transactions.into_iter().next().expect("there is a group");
        (group.durations, group.head_durations, summary(&received.notes))
    };
    let lengths = "different_lengths 1 transactions[0].head_durations".to_owned();
    assert_eq!(heads("[3, 2]", "[1, 2]"), (vec![3.0, 2.0], vec![1.0, 2.0], String::new()));
    assert_eq!(heads("[3, 2]", "[1]"), (vec![3.0, 2.0], vec![], lengths));
    let (durations, kept, _) = heads("[3, null, 5, 6]", "[1, 2, null, 4]");
    assert_eq!((durations, kept), (vec![3.0, 5.0, 6.0], vec![1.0, 5.0, 4.0]));
}

#[test]
fn spans_keep_their_groups_when_others_are_left_out() {
    let received = transactions(
        r#"{"traces": {
            "raw": [[9, [0, 0, 9], [1, 0, 1], [2, 1, 2], [3, 0, 1], [-1, 0, 1], [0.5, 0, 1], [2, 1], null, "x", {"id": 5}]],
            "groups": [{"signature": "a"}, null, {"signature": "c"}]
        }}"#,
    );
    let Traces::Sampled { groups, raw } = &received.body.traces else { panic!("{:?}", received.body.traces) };
    assert_eq!(groups.iter().map(|group| group.signature.as_str()).collect::<Vec<_>>(), ["a", "c"]);
    assert_eq!(raw[0].spans.iter().map(|span| span.group).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(raw[0].context.as_ref().and_then(|context| context.id.as_deref()), Some("5"));
    assert_eq!(received.notes.count(Oddity::UnknownGroup), 4);
    assert_eq!(received.notes.count(Oddity::WrongType), 3);
}

#[test]
fn a_sample_without_a_duration_ends_with_its_last_span() {
    let received = transactions(r#"{"traces": {"groups": [{}], "raw": [[null, [0, 1, 2]], [null], []]}}"#);
    let Traces::Sampled { raw, .. } = &received.body.traces else { panic!("{:?}", received.body.traces) };
    assert_eq!(raw.len(), 1);
    assert_eq!(raw[0].duration, 3.0);
}

#[test]
fn a_body_without_transactions_is_empty() {
    for json in ["{}", r#"{"transactions": null}"#, r#"{"transactions": [], "traces": null}"#] {
        assert_eq!(transactions(json).body, TransactionsBody::default(), "{json}");
    }
}

#[test]
fn trace_groups_are_read_in_both_forms() {
    let group = r#"{"transaction": "t", "signature": "s", "kind": "k", "parents": [5, null, "p"],
        "durations": [[1, 2], [1], 5, ["3", 4], [null, 1]], "start_time": -0.5, "extra": "x"}"#;
    for json in [format!(r#"{{"traces": [{group}]}}"#), format!(r#"{{"traces": {{"groups": [{group}]}}}}"#)] {
        let received = transactions(&json);
        let (Traces::Groups(groups) | Traces::Sampled { groups, .. }) = &received.body.traces;
        assert_eq!(groups[0].parents, ["5", "p"]);
        assert_eq!(groups[0].durations, [(1.0, 2.0), (3.0, 4.0)]);
        assert_eq!(groups[0].start_time, Some(0.0));
        assert_eq!(groups[0].extra.get("value"), Some(&json!("x")));
    }
}

#[test]
fn releases_are_json_or_a_form() {
    let expected = ReleaseBody {
        rev: "a1b2".to_owned(),
        status: Some("completed".to_owned()),
        branch: Some("fix/cart 1".to_owned()),
        machine: None,
        timestamp: None,
    };
    for body in [
        r#"{"rev": "a1b2", "branch": "fix/cart 1", "status": "completed", "cwd": "/srv", "machine": null}"#,
        "rev=a1b2&branch=fix%2fcart+1&status=completed",
        " rev=a1b2\nbranch=fix/cart%201\nstatus=completed&unknown=1&machine=",
    ] {
        let received = release(body);
        assert_eq!(received.body, expected, "{body}");
        assert!(received.notes.is_empty(), "{body}");
    }
    for body in [r#"{"rev": "a1", "timestamp": "2026-11-26T17:37:51Z"}"#, "rev=a1&timestamp=1795714671"] {
        assert_eq!(release(body).body.timestamp, Some(Timestamp::from_seconds(1_795_714_671)), "{body}");
    }
    let received = release("rev=a1&timestamp=yesterday");
    assert_eq!((received.body.timestamp, summary(&received.notes).as_str()), (None, "invalid_time 1 timestamp"));
    let received = release(r#"{"rev": 7, "status": "machine-completed", "machine": {"hostname": "web-1"}}"#);
    assert_eq!((received.body.rev.as_str(), received.body.machine.as_deref()), ("7", Some("web-1")));
    assert_eq!(summary(&received.notes), "wrong_type 2 rev");
    assert_eq!(summary(&release("rev=%ff%00%").notes), "invalid_utf8 1 rev; control_character 1 rev");
}

#[test]
fn releases_without_a_revision_are_refused() {
    let refusal = |body: &str| read_release(body.as_bytes(), &ReadLimits::default()).expect_err(body);
    assert_eq!(refusal("status=completed").as_str(), "no_content");
    assert_eq!(refusal(r#"{"rev": null}"#).as_str(), "no_content");
    assert_eq!(refusal("").as_str(), "empty");
    assert_eq!(refusal("[1]").as_str(), "not_an_object");
    assert_eq!(refusal("a1b2c3 completed").as_str(), "not_json");
}

#[test]
fn deployments_list_modules_and_machines() {
    let body = r#"{"machines": [{"hostname": "web-1"}, "web-2"], "releases": [
        {"module": {"name": "shop", "type": "repository"}, "path": "/srv", "vcs": {"type": "git", "revision": "a1"}},
        {"module": "flask", "version": 1.0, "vcs": null},
        {"version": "1"}, null
    ]}"#;
    let received = read_deployment(body.as_bytes(), &ReadLimits::default()).expect("it has releases");
    let hosts: Vec<_> = received.body.machines.iter().map(|machine| machine.hostname.as_str()).collect();
    assert_eq!(hosts, ["web-1", "web-2"]);
    let releases = serde_json::to_value(&received.body.releases).expect("modules are JSON");
    let expected = json!([
        {"module": {"name": "shop", "type": "repository"}, "path": "/srv", "vcs": {"type": "git", "revision": "a1"}},
        {"module": {"name": "flask", "type": "other"}, "version": "1"},
    ]);
    assert_eq!(releases, expected);
    let empty = read_deployment(br#"{"machines": []}"#, &ReadLimits::default());
    assert_eq!(empty.map_err(|error| error.as_str()), Err("no_content"));
}

#[test]
fn refusals_say_what_is_wrong_and_what_to_do() {
    let cases = [
        (" \n", "the body is empty; send a JSON object, plain or compressed with zlib"),
        ("[{}]", "the body is an array; send one JSON object"),
        ("null", "the body is null; send one JSON object"),
        ("NaN", "the body is null; send one JSON object"),
        (
            r#"{"message": "a", "extra": {"b": [1, 2"#,
            "the body ends in the middle of a JSON value; send all of it, with the right Content-Length",
        ),
        (
            "{\"message\": \"a\",\n 'x': 1}",
            "the body is not JSON: a key must be a text in double quotes at line 2 column 2; send one JSON object",
        ),
        (
            "{\"message\": \"a\"} x",
            "the body is not JSON: there is more after the end of the JSON value at line 1 \
            column 18; send one JSON object",
        ),
        (
            r#"{"message": "a", "b": 01}"#,
            "the body is not JSON: an invalid number at line 1 column 23; send one JSON object",
        ),
        (r#"{"level": "error"}"#, "the body has no content; send at least one of `message` and `exception`"),
    ];
    for (json, message) in cases {
        assert_eq!(unreadable_error(json).to_string(), message, "{json}");
    }
}

#[test]
fn notes_are_stored_by_stable_names() {
    for oddity in Oddity::ALL {
        assert_eq!(serde_json::to_value(oddity).expect("a name is JSON"), json!(oddity.as_str()));
        assert_eq!(Oddity::from_name(oddity.as_str()), Some(oddity));
        assert!(oddity.explanation().ends_with('.'), "{oddity}");
    }
    let notes = error(r#"{"message": 5, "timestamp": null}"#).notes;
    let json = serde_json::to_string(&notes).expect("notes are JSON");
    assert_eq!(serde_json::from_str::<opbeat_protocol::read::Notes>(&json).expect(&json), notes);
}

#[test]
fn structs_read_the_floats_that_they_write() {
    let odd = [f64::NAN, f64::INFINITY, f64::MAX, -0.0, 5e-324, 1e308];
    let mut body =
        read_transactions(b"{\"transactions\": [{}]}", &ReadLimits::default()).expect("it is an object").body;
    body.transactions[0].durations = odd.to_vec();
    body.breakdown = vec![opbeat_protocol::BreakdownGroup { self_ms: f64::NAN, ..Default::default() }];
    let span = opbeat_protocol::RawSpan { group: 0, start: f64::NAN, duration: f64::INFINITY, details: None };
    let raw = opbeat_protocol::RawTransaction { duration: f64::NAN, spans: vec![span], context: None };
    let group = opbeat_protocol::TraceGroup { durations: vec![(f64::NAN, 1.0)], ..Default::default() };
    body.traces = Traces::Sampled { groups: vec![group], raw: vec![raw] };
    let json = serde_json::to_string(&body).expect("a body is JSON");
    let read: TransactionsBody = serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}: {json}"));
    assert_eq!(read.transactions[0].durations.len(), odd.len());
    let Traces::Sampled { groups, raw } = read.traces else { panic!("{json}") };
    assert_eq!((groups[0].durations[0].0, raw[0].duration, raw[0].spans[0].start), (0.0, 0.0, 0.0));
}

/// The part of a body that contains a sampled transaction of one group.
fn sampled(raw: &str) -> String {
    let group = r#"{"transaction": "GET /", "signature": "s", "kind": "db", "parents": ["transaction"]}"#;
    format!(r#"{{"transactions": [], "traces": {{"groups": [{group}], "raw": [{raw}]}}}}"#)
}

#[test]
fn details_of_spans_are_read() {
    let raw = r#"[9.0, [0, 1.0, 2.0], [0, 1.0, 7.5, {"count": 20, "total_ms": 7.0, "n_plus_one": true}],
        [0, 2.0, 3.0, {"id": "00f067aa0ba902b7"}, "later"],
        {"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "parent_span": "00f067aa0ba902b7", "dropped_spans": 3,
         "dropped": {"db.sqlite.query": {"count": 3, "total_ms": 1.5}}}]"#;
    let read = transactions(&sampled(raw));
    assert_eq!(summary(&read.notes), "");
    let json = serde_json::to_value(&read.body).expect("a body is JSON");
    assert_eq!(
        json.pointer("/traces/raw/0"),
        Some(&json!([
            9.0,
            [0, 1.0, 2.0],
            [0, 1.0, 7.5, {"count": 20, "total_ms": 7.0, "n_plus_one": true}],
            [0, 2.0, 3.0, {"id": "00f067aa0ba902b7"}],
            {
                "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "parent_span": "00f067aa0ba902b7", "dropped_spans": 3,
                "dropped": {"db.sqlite.query": {"count": 3, "total_ms": 1.5}}
            }
        ]))
    );
    let strict: TransactionsBody = serde_json::from_value(json).expect("the structs read what they write");
    assert_eq!(strict, read.body);
}

#[test]
fn odd_details_of_spans_are_noted() {
    for (details, expected, notes) in [
        (r#"{"count": 1}"#, json!([0, 1.0, 2.0]), ""),
        (r#"{}"#, json!([0, 1.0, 2.0]), ""),
        ("null", json!([0, 1.0, 2.0]), ""),
        ("5", json!([0, 1.0, 2.0]), "wrong_type 1 traces.raw[0][1][3]"),
        (r#"{"count": "2"}"#, json!([0, 1.0, 2.0, {"count": 2}]), "wrong_type 1 traces.raw[0][1][3].count"),
        (
            r#"{"count": -2, "total_ms": -1}"#,
            json!([0, 1.0, 2.0, {"total_ms": 0.0}]),
            "out_of_range 1 traces.raw[0][1][3].count; negative_duration 1 traces.raw[0][1][3].total_ms",
        ),
        (
            r#"{"n_plus_one": "yes"}"#,
            json!([0, 1.0, 2.0, {"n_plus_one": true}]),
            "wrong_type 1 traces.raw[0][1][3].n_plus_one",
        ),
    ] {
        let read = transactions(&sampled(&format!("[9.0, [0, 1.0, 2.0, {details}]]")));
        let json = serde_json::to_value(&read.body).expect("a body is JSON");
        assert_eq!(json.pointer("/traces/raw/0/1"), Some(&expected), "{details}");
        assert_eq!(summary(&read.notes), notes, "{details}");
    }
    for (dropped, expected, notes) in [
        (r#"{"db": 3}"#, json!({}), "wrong_type 1 traces.raw[0][1].dropped.db"),
        (r#"{"db": {"count": null}}"#, json!({"db": {"count": 0, "total_ms": 0.0}}), ""),
        ("[]", json!(null), "wrong_type 1 traces.raw[0][1].dropped"),
    ] {
        let read = transactions(&sampled(&format!(r#"[9.0, {{"dropped": {dropped}}}]"#)));
        let json = serde_json::to_value(&read.body).expect("a body is JSON");
        assert_eq!(json.pointer("/traces/raw/0/1/dropped").unwrap_or(&json!(null)), &expected, "{dropped}");
        assert_eq!(summary(&read.notes), notes, "{dropped}");
    }
}

#[test]
fn each_agent_is_read_without_notes() {
    let errors = [
        // Ruby 2
        r#"{"message": "E: m", "timestamp": "2015-01-01T12:00:00", "level": "warn", "environment": "production",
            "param_message": {"message": "m %s", "params": ["a"]}, "machine": null, "user": {"id": 5, "email": null}}"#,
        // Go
        r#"{"message": "m", "timestamp": "2015-04-18T10:07:27Z", "logger": "", "rev": "", "exception": null,
            "stacktrace": null, "http": null, "extra": {"Version": "go1.4", "Goroutines": 4}, "client_supplied_id": "a_-"}"#,
        // Browser
        r#"{"message": "m", "level": null, "logger": null, "machine": null, "culprit": "(inline script)", "user": {},
            "exception": {"type": "", "value": "m"}, "http": {"url": "http://h/#a"},
            "stacktrace": {"frames": [{"filename": "a.js", "abs_path": "http://h/a.js", "lineno": 1, "colno": 9,
                "function": "f", "in_app": true, "debug": []}]},
            "extra": {"page": {"referer": ""}, "environment": {"utcOffset": -1}}}"#,
        // Ruby 3
        r#"{"message": "m", "timestamp": 1480000000, "http": {"cookies": null, "data": "a=b"}, "user": null, "extra": null,
            "stacktrace": {"frames": [{"filename": "a.rb", "lineno": 5, "function": null, "vars": null,
                "pre_context": [null, null, "x"], "context_line": null, "post_context": ["y", null, null]}]}}"#,
    ];
    for json in errors {
        assert_eq!(summary(&error(json).notes), "", "{json}");
    }
    assert_eq!(error(errors[0]).body.environment.as_deref(), Some("production"));
    assert_eq!(error(errors[3]).body.timestamp.map(opbeat_protocol::Timestamp::seconds), Some(1_480_000_000));
}

#[test]
fn contexts_of_samples_keep_unknown_keys() {
    let received = transactions(
        r#"{"transactions": [{"transaction": "/a", "kind": "page-load", "timestamp": "2026-11-23T07:22:00.000Z",
            "durations": [812.5]}], "traces": {"groups": [{"transaction": "/a", "signature": "transaction",
            "kind": "transaction", "timestamp": "2026-11-23T07:22:13.456Z", "parents": [], "extra": {}}],
            "raw": [[812.5, [0, 0, 812.5], {"_metrics": {"timeToComplete": 812}, "url": {"location": "http://h/a"},
                "system": {"agent": "opbeat-react"}, "user": {}, "extra": {"node": "v8"}}], [1, [0, 0, 1]]]}}"#,
    );
    assert_eq!(summary(&received.notes), "");
    let Traces::Sampled { raw, .. } = received.body.traces else { panic!("it is an object") };
    let context = raw[0].context.as_ref().expect("it was sent");
    // Another crate of the build decides about their order.
    let mut keys: Vec<_> = context.other.keys().collect();
    keys.sort_unstable();
    assert_eq!(keys, ["_metrics", "system", "url"]);
    assert_eq!(context.extra, Some(json!({"node": "v8"})));
    assert_eq!(raw[1].context, None);
}

#[test]
fn check_ins_without_a_monitor_or_a_start_are_left_out() {
    let body = r#"{"transactions": [], "check_ins": [
        {"monitor": "report", "schedule": "0 3 * * *", "timezone": "Europe/Berlin", "grace_seconds": 600,
         "started": "2026-11-27T02:00:00Z", "duration_ms": 1.5, "result": "ok"},
        {"monitor": "pulse", "schedule": "every 60s", "started": 1795714671, "duration_ms": null, "result": null},
        {"monitor": 7, "grace_seconds": -1, "started": 1795714671, "duration_ms": -2},
        {"monitor": "", "started": 1795714671}, {"monitor": "report", "started": "soon"}, "report", null
    ]}"#;
    let received = read_transactions(body.as_bytes(), &ReadLimits::default()).unwrap();
    let check_ins = &received.body.check_ins;
    let monitors: Vec<&str> = check_ins.iter().map(|check_in| check_in.monitor.as_str()).collect();
    assert_eq!(monitors, ["report", "pulse", "7"]);
    assert_eq!(
        (check_ins[0].duration_ms, check_ins[1].duration_ms, check_ins[2].duration_ms),
        (Some(1.5), None, Some(0.0))
    );
    assert_eq!((check_ins[0].grace_seconds, check_ins[2].grace_seconds), (Some(600), None));
    assert!(received.notes.count(Oddity::WrongType) >= 3, "{}", summary(&received.notes));
    let written = serde_json::to_string(&received.body).unwrap();
    let read = read_transactions(written.as_bytes(), &ReadLimits::default()).unwrap();
    assert_eq!(read.body, received.body);
    assert!(read.notes.is_empty(), "{}", summary(&read.notes));
}
