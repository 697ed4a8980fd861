//! The time to the response head, beside the whole duration.

use std::time::{Duration, Instant};

use opbeat_core::http::{HttpTransaction, route};
use opbeat_core::{Agent, Config};
use serde_json::{Value, json};

use crate::pages::text;
use crate::running::{PATIENCE, Running};

/// Starts a server with a stream of events, whose second body contains no head times, and with a usual route.
async fn with_streams() -> Running {
    let running = Running::start().await;
    let body = |groups: Value| json!({"transactions": groups, "traces": []});
    let stream = |durations: &[f64], heads: &[f64]| json!({"transaction": "GET /events", "result": 200, "durations": durations, "head_durations": heads});
    let usual = json!({"transaction": "GET /books", "result": 200, "durations": [10.0, 20.0]});
    let long = stream(&[60_000.0, 120_000.0, 180_000.0], &[2.0, 4.0, 6.0]);
    running.accept("transactions", &body(json!([long, usual]))).await;
    let without = json!({"transaction": "GET /events", "result": 200, "durations": [8.0]});
    running.accept("transactions", &body(json!([without]))).await;
    running.drained().await;
    running
}

/// Returns whether a value is within 1 % of an expected one.
fn is_near(value: &Value, expected: f64) -> bool {
    value.as_f64().is_some_and(|value| (value - expected).abs() <= 0.0101 * expected)
}

#[tokio::test]
async fn the_api_has_head_percentiles_beside_the_durations() {
    let running = with_streams().await;
    // The longer range is read from the rows by hour.
    for range in ["1h", "24h"] {
        let list = running.ask(&format!("transactions/?range={range}")).await;
        let [events, books] = &list["transactions"].as_array().unwrap()[..] else { panic!("{list}") };
        assert_eq!((&events["name"], &events["count"]), (&json!("GET /events"), &json!(4)));
        assert!(is_near(&events["p50_ms"], 60_000.0) && is_near(&events["p95_ms"], 180_000.0), "{list}");
        let head = &events["head"];
        assert!(is_near(&head["p50_ms"], 4.0), "{list}");
        assert!(is_near(&head["p95_ms"], 8.0) && is_near(&head["p99_ms"], 8.0), "no head was sent for one: {list}");
        assert_eq!((&books["head"]["p50_ms"], &books["head"]["p95_ms"]), (&books["p50_ms"], &books["p95_ms"]));
        let series = running.ask(&format!("transactions/{}/series/?range={range}", events["id"])).await;
        let points = series["points"].as_array().unwrap();
        assert!(points.iter().any(|point| is_near(&point["head"]["p95_ms"], 8.0)), "{series}");
        assert!(points[0]["head"].is_null(), "no transaction ran");
    }
}

#[tokio::test]
async fn pages_show_head_times_only_where_they_are_shorter() {
    let running = with_streams().await;
    let list = text(&running.page("/acme/shop/").await);
    assert!(list.contains("Time to response head median 95th percentile 99th percentile"), "{list}");
    assert!(list.contains("GET /events 100 % 90.0 s 60.5 s 3 min 0 s head 7.92 ms 3 min 0 s"), "{list}");
    assert!(list.contains("GET /books &lt; 0.1 % 15.0 ms 10.1 ms 19.9 ms 19.9 ms"), "{list}");
    let events = text(&running.page(&running.transaction_path("GET /events").await).await);
    let books = text(&running.page(&running.transaction_path("GET /books").await).await);
    assert!(
        events.contains(
            "median 60.5 s response head 4.01 ms 95th percentile 3 min 0 s response head 7.92 ms \
             99th percentile 3 min 0 s response head 7.92 ms"
        ),
        "{events}"
    );
    assert!(events.contains("Response head: the time until status and headers were ready."), "{events}");
    assert!(events.contains("Time to response head"), "{events}");
    assert!(!books.contains("response head"), "{books}");
}

#[tokio::test]
async fn head_times_of_the_agent_arrive() {
    let running = Running::start().await;
    let app = &running.app;
    let config = Config::new(&app.organization_id, &app.app_id, &app.secret_token).server_url(&app.server_url);
    let delivered = tokio::task::spawn_blocking(move || {
        let agent = Agent::start(&config.flush_interval(PATIENCE)).unwrap();
        stream(&agent);
        agent.flush(PATIENCE)
    });
    delivered.await.unwrap().unwrap();
    running.drained().await;
    let list = running.ask("transactions/?range=1h").await;
    let events = &list["transactions"][0];
    assert_eq!(events["name"], "GET /events");
    assert!(events["head"]["p95_ms"].as_f64().unwrap() < 0.6 * events["p95_ms"].as_f64().unwrap(), "{list}");
}

/// Records a request whose body takes most of its time.
fn stream(agent: &Agent) {
    let began = Instant::now();
    let mut transaction = HttpTransaction::begin(agent, "web.test", "GET", |_| ());
    transaction.set_route_name(route("GET", "/events"));
    transaction.start_response(200);
    let head = Instant::now();
    while head.elapsed() < (2 * (head - began)).max(Duration::from_millis(5)) {
        std::hint::spin_loop();
    }
    transaction.complete();
}
