//! Jobs: background transactions and schedules in one list.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::pages::text;
use crate::running::Running;

fn counted(name: &str, kind: &str, result: &str, durations: &[f64]) -> Value {
    let at = (Timestamp::now() - SignedDuration::from_mins(3)).to_string();
    json!({"transaction": name, "kind": kind, "result": result, "timestamp": at, "durations": durations})
}

/// Returns a server with jobs, requests and check-ins.
async fn with_jobs() -> Running {
    let running = Running::start().await;
    let group = json!({"transaction": "shop.mail", "transaction_kind": "task.apalis", "signature": "transaction",
        "kind": "transaction", "parents": []});
    let raw = json!([[10.0, [0, 0.0, 10.0], {"id": "j1", "queued_ms": 1_500.0, "result": "ok"}]]);
    let body = json!({
        "transactions": [
            counted("shop.mail", "task.apalis", "ok", &[10.0, 20.0, 30.0]),
            counted("shop.mail", "task.apalis", "failed", &[40.0]),
            counted("report", "task.cron", "ok", &[500.0]),
            counted("GET /", "web.axum", "200", &[5.0]),
            counted("orders", "message", "ok", &[7.0]),
        ],
        "traces": {"groups": [group], "raw": raw},
    });
    running.accept("transactions", &body).await;
    let seconds = |back: Duration| (Timestamp::now() - SignedDuration::try_from(back).unwrap()).as_second();
    let check_in = |monitor: &str, started: i64, result: &str| {
        json!({"monitor": monitor, "schedule": "every 3600s", "timezone": "UTC", "started": started,
            "duration_ms": 500.0, "result": result})
    };
    let check_ins = [
        check_in("report", seconds(Duration::from_secs(150)), "ok"),
        check_in("broken", seconds(Duration::from_secs(600)), "failed"),
        check_in("forgotten", seconds(Duration::from_secs(9_000)), "ok"),
    ];
    running.accept("transactions", &json!({"transactions": [], "check_ins": check_ins})).await;
    running.drained().await;
    running
}

fn names(list: &Value) -> Vec<&str> {
    list["jobs"].as_array().unwrap().iter().map(|job| job["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn overdue_jobs_come_first_and_requests_are_left_out() {
    let running = with_jobs().await;
    let list = running.ask("jobs/?range=1h").await;
    assert_eq!(names(&list), ["forgotten", "broken", "report", "shop.mail", "orders"]);
    assert_eq!((&list["total"], &list["late"], &list["failed"]), (&json!(5), &json!(1), &json!(1)));
    let states: Vec<&str> = list["jobs"].as_array().unwrap().iter().map(|job| job["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["late", "failed", "ok", "failed", "ok"], "a failed run of the last minute counts");
    let mail = &list["jobs"][3];
    assert_eq!((&mail["runs"], &mail["failed"], &mail["average_ms"]), (&json!(4), &json!(1), &json!(25.0)));
    assert_eq!((&mail["waited_ms"], &mail["last_result"]), (&json!(1_500.0), &json!("failed")));
    assert_eq!(mail["trend"].as_array().unwrap().iter().map(|runs| runs.as_u64().unwrap()).sum::<u64>(), 4);
    let report = &list["jobs"][2];
    assert_eq!((&report["runs"], &report["cron"]["schedule"]), (&json!(1), &json!("every 3600s")));
    assert_eq!((&list["jobs"][0]["transaction_id"], &list["jobs"][0]["runs"]), (&Value::Null, &json!(0)));

    let page = text(&running.page("/acme/shop/jobs/?range=1h").await);
    for part in [
        "5 jobs: 1 overdue , the last run of 1 failed.",
        "forgotten every 3600s · UTC overdue last run: ok 2 h ago took 500 ms expected 1 h ago",
        "report task.cron every 3600s · UTC ok 2 min ago took 500 ms in 57 min 1 500 ms 500 ms – 0",
        "shop.mail task.apalis failed",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("GET /"), "{page}");
}

#[tokio::test]
async fn jobs_are_sorted_by_any_column() {
    let running = with_jobs().await;
    for (order, first) in
        [("name", "broken"), ("runs", "shop.mail"), ("average", "report"), ("failed", "shop.mail"), ("last", "report")]
    {
        let list = running.ask(&format!("jobs/?range=1h&order={order}")).await;
        assert_eq!(names(&list)[0], first, "{order}");
        let page = running.page(&format!("/acme/shop/jobs/?range=1h&order={order}")).await;
        assert_eq!(page.matches("aria-sort").count(), 1, "{order}");
    }
    let list = running.ask("jobs/?range=1h&limit=1&offset=4").await;
    assert_eq!((names(&list), &list["total"]), (vec!["orders"], &json!(5)));
}

#[tokio::test]
async fn the_former_address_leads_to_all_jobs() {
    let running = with_jobs().await;
    let response = running.get("/acme/shop/crons/?range=6h").await;
    assert!(response.url().as_str().ends_with("/acme/shop/jobs/?range=6h"), "{}", response.url());
}
