//! The classes of results: worker, charts and store agree on the results that count as failed.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::running::Running;

/// Results with the style class that they are drawn in; `failed` also counts, and keeps a sample.
const RESULTS: &[(&str, &str)] = &[
    ("200", "ok"),
    ("HTTP 2xx", "ok"),
    ("ok", "ok"),
    ("OK", "ok"),
    ("upgraded", "ok"),
    ("302", "redirect"),
    ("HTTP 3xx", "redirect"),
    ("404", "client"),
    ("HTTP 4xx", "client"),
    ("client_gone", "client"),
    ("cancelled", "client"),
    ("NOT_FOUND", "client"),
    ("CANCELLED", "client"),
    ("500", "failed"),
    ("503", "failed"),
    ("HTTP 502", "failed"),
    ("HTTP 5xx", "failed"),
    ("error", "failed"),
    ("Failed", "failed"),
    ("failure", "failed"),
    ("panicked", "failed"),
    ("timed_out", "failed"),
    ("timeout", "failed"),
    ("exception", "failed"),
    ("shed", "failed"),
    ("server_error", "failed"),
    ("UNAVAILABLE", "failed"),
    ("DEADLINE_EXCEEDED", "failed"),
    ("", "other"),
    ("600", "other"),
    ("unknown", "other"),
    ("test 7", "other"),
];

/// Kept samples of one transaction and hour: the five slowest and the five newest, beside the failed ones.
const KEPT: usize = 10;

/// Returns samples of a transaction: the first has the result, and is the oldest and fastest of its hour.
fn samples(group: usize, result: &str, hour: u64) -> Vec<Value> {
    let sample = |second: u64, duration: f64, result: &str| json!([duration, [group, 0.0, duration], {"timestamp": hour + second, "result": result}]);
    let slowest = (1..=5).map(|second| sample(second, 100.0, "other"));
    let newest = (11..=15).map(|second| sample(second, 50.0, "other"));
    [sample(0, 1.0, result)].into_iter().chain(slowest).chain(newest).collect()
}

#[tokio::test]
async fn samples_are_kept_as_failed_by_their_outcome_too() {
    let running = Running::start().await;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let mut raw = samples(0, "200", (now / 3_600 - 1) * 3_600);
    raw[0][2]["outcome"] = json!("panicked");
    let group = json!({"transaction": "GET /", "signature": "transaction", "kind": "transaction"});
    let body = json!({"transactions": [{"transaction": "GET /", "result": "200", "durations": [1.0]}],
        "traces": {"groups": [group], "raw": raw}});
    running.accept("transactions", &body).await;
    running.drained().await;
    let id = running.ask("transactions/?range=1h").await["transactions"][0]["id"].clone();
    let kept = running.ask(&format!("transactions/{id}/samples/?range=6h")).await;
    assert_eq!(kept.as_array().unwrap().len(), KEPT + 1);
    assert!(kept.as_array().unwrap().iter().any(|sample| sample["outcome"] == "panicked"), "{kept}");
}

#[tokio::test]
async fn failed_results_are_counted_drawn_and_kept_as_failed() {
    let running = Running::start().await;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let hour = (now / 3_600 - 1) * 3_600;
    let name = |index: usize| format!("GET /{index}");
    let results = || RESULTS.iter().enumerate();
    let transactions: Vec<Value> = results()
        .map(|(index, (result, _))| json!({"transaction": name(index), "result": result, "durations": [1.0]}))
        .collect();
    let groups: Vec<Value> = results()
        .map(|(index, _)| json!({"transaction": name(index), "signature": "transaction", "kind": "transaction"}))
        .collect();
    let raw: Vec<Value> = results().flat_map(|(index, (result, _))| samples(index, result, hour)).collect();
    let traces = json!({"groups": groups, "raw": raw});
    running.accept("transactions", &json!({"transactions": transactions, "traces": traces})).await;
    running.drained().await;

    let list = running.ask("transactions/?range=1h").await;
    for (index, (result, style)) in results() {
        let is_failed = *style == "failed";
        let shown = list["transactions"].as_array().unwrap();
        let summary = shown.iter().find(|summary| summary["name"] == name(index)).unwrap();
        assert_eq!(summary["failed"], u64::from(is_failed), "counted: {result:?}");

        let page = running.page(&format!("/acme/shop/transactions/{}?range=1h", summary["id"])).await;
        assert!(page.contains(&format!("class=\"bar {style}\"")), "drawn: {result:?}");
        assert_eq!(page.matches("class=\"bar ").count(), 1, "one bar: {result:?}");

        let kept = running.ask(&format!("transactions/{}/samples/?range=6h", summary["id"])).await;
        let kept = kept.as_array().unwrap();
        assert_eq!(kept.len(), KEPT + usize::from(is_failed), "kept: {result:?}");
        assert_eq!(kept.iter().any(|sample| sample["result"] == *result), is_failed, "kept: {result:?}");
    }
}
