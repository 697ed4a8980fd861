//! Ranges of time, rates, and lists of many names.

use serde_json::{Value, json};

use crate::cases::{case, now, post, rfc3339, stored};
use crate::pages::text;
use crate::running::Running;

fn counted(name: &str, at: i64, durations: &[f64]) -> Value {
    json!({"transactions": [{"transaction": name, "result": 200, "timestamp": rfc3339(at), "durations": durations}], "traces": []})
}

#[tokio::test]
async fn rates_are_those_of_the_time_that_was_asked_for_and_had_data() {
    let hour = now() - now() % 3_600 - 24 * 3_600;
    let running = stored("", &[counted("t", hour - 86_400, &[1.0]), counted("t", hour, &[1.0; 30])]).await;
    let rate = async |from: i64, to: i64| {
        let range = format!("from={}&to={}", rfc3339(from), rfc3339(to));
        let list = running.ask(&format!("transactions/?{range}")).await;
        let series = running.ask(&format!("series/?{range}")).await;
        assert_eq!(list["transactions"][0]["per_minute"], series["per_minute"]);
        list["transactions"][0]["per_minute"].as_f64().unwrap()
    };
    assert_eq!(rate(hour, hour + 90).await, 20.0, "90 s are widened to two minutes");
    let rate = rate(hour - 1_500, hour + 8 * 3_600).await;
    assert!((rate - 30.0 / 505.0).abs() < 1e-10, "they are widened to ten minutes: {rate}");

    let minute = now() - now() % 60 - 300;
    let new = stored("", &[counted("t", minute, &[1.0; 30])]).await;
    for path in ["transactions/?range=24h", "series/?range=24h"] {
        let answer = new.ask(path).await;
        let rate = answer.pointer("/transactions/0/per_minute").unwrap_or(&answer["per_minute"]).as_f64().unwrap();
        // It had data for five to seven minutes.
        assert!((30.0 / 7.0..=6.0).contains(&rate), "{path}: {rate}");
    }
    let page = text(&new.page("/").await);
    assert!(!page.contains("last hour 0.5 rpm"), "the app did not exist for the whole hour: {page}");
}

#[tokio::test]
async fn the_running_step_is_marked() {
    // The running minute has data, also if the minute of the first line ends before the page is built.
    let running = stored("", &[-180, 0, 60].map(|after| counted("t", now() + after, &[1.0]))).await;
    let series = running.ask("series/?range=15m").await;
    let points = series["points"].as_array().unwrap();
    let (last, others) = points.split_last().unwrap();
    assert_eq!(last["is_complete"], false, "{series}");
    assert!(others.iter().all(|point| point["is_complete"] == true), "{series}");
    let page = running.page("/acme/shop/?range=15m").await;
    assert!(page.contains("<g class=\"running\">") || page.contains("still running"), "{page}");
    assert!(page.contains("class=\"line running average\""));
}

#[tokio::test]
async fn percentiles_are_between_the_shortest_and_the_longest_duration() {
    let running = stored("", &[counted("t", now() - 120, &[10.0, 10.0, 10.0])]).await;
    let summary = running.transaction("t").await;
    let series = running.ask("series/?range=1h").await;
    let point = series["points"].as_array().unwrap().iter().find(|point| point["count"] == 3).unwrap();
    for shown in [&summary, point] {
        for percentile in ["p50_ms", "p95_ms", "p99_ms"] {
            assert_eq!((&shown[percentile], &shown["head"][percentile]), (&json!(10.0), &json!(10.0)), "{shown}");
        }
    }
}

#[tokio::test]
async fn a_page_beyond_the_last_is_the_last() {
    let groups: Vec<Value> =
        (0..150).map(|number| json!({"transaction": format!("job {number}"), "durations": [number + 1]})).collect();
    let running = stored("", &[json!({"transactions": groups, "traces": []})]).await;
    for page in ["1", "2", "18446744073709551615"] {
        let shown = text(&running.page(&format!("/acme/shop/?range=1h&page={page}")).await);
        assert!(shown.contains("150 of 150 transactions previous") && shown.contains("job 0 "), "{page}: {shown}");
    }
    let list = running.ask("transactions/?offset=1000").await;
    assert_eq!((&list["total"], &list["transactions"]), (&json!(150), &json!([])));
}

#[tokio::test]
async fn names_beyond_ten_thousand_are_counted_together() {
    let running = Running::start().await;
    for part in 0..2 {
        let name = |number: usize| format!("GET /books/{}", part * 6_000 + number);
        let groups: Vec<Value> =
            (0..6_000).map(|number| json!({"transaction": name(number), "durations": [1.0]})).collect();
        post(&running, "", &json!({"transactions": groups, "traces": []})).await;
    }
    post(&running, "", &counted("GET /books/7", now(), &[1.0])).await;
    running.drained().await;
    let list = running.ask("transactions/?range=1h").await;
    assert_eq!((&list["total"], &list["has_other_names"]), (&json!(10_001), &json!(true)));
    let named = |list: &Value, name: &str| {
        list["transactions"].as_array().unwrap().iter().find(|summary| summary["name"] == name).unwrap()["count"]
            .clone()
    };
    assert_eq!(named(&list, "(other names)"), 2_000);
    let found = running.ask("transactions/?range=1h&search=books/7").await;
    assert_eq!(named(&found, "GET /books/7"), 2, "known names are still counted");
    let page = text(&running.page("/acme/shop/?range=1h").await);
    assert!(page.contains("This app has too many transaction names."), "{page}");
}

#[tokio::test]
async fn counts_that_are_too_large_stay_at_the_limit() {
    let body = case("01-drops-overflow");
    let running = stored("", &[body.clone(), body, counted("t", now(), &[1.0])]).await;
    let list = running.ask("transactions/?range=1h").await;
    assert_eq!(list["drops"][0]["count"], 2_000_000_000_000_u64, "each body may count a million millions: {list}");
    assert_eq!(list["transactions"][0]["count"], 1, "bodies after it are stored");
}

/// If links carried the widened ends, the range would grow with each page that is opened.
#[tokio::test]
async fn links_keep_the_range_that_was_asked_for() {
    let running = stored("", &[counted("t", now() - 86_400, &[1.0])]).await;
    let (from, to) = (rfc3339(now() - 2 * 86_400 + 61), rfc3339(now() - 61));
    let page = running.page(&format!("/acme/shop/?from={from}&to={to}")).await;
    let encoded = |time: &str| time.replace(':', "%3A");
    let id = running.ask("transactions/?range=7d").await["transactions"][0]["id"].clone();
    let link = format!("transactions/{id}?from={}&amp;to={}", encoded(&from), encoded(&to));
    assert!(page.contains(&link), "{link}: {page}");
}
