//! Samples of several apps in one trace, and the spans that an agent combined.

use opbeat_server::AppCredentials;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::pages::text;
use crate::running::{Running, intake_url, zlib};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// Returns a body with one sampled transaction.
fn body(name: &str, spans: &Value, context: Value) -> Value {
    let mut raw = vec![json!(100.0), json!([0, 0.0, 100.0])];
    raw.extend(spans.as_array().unwrap().iter().cloned());
    raw.push(context);
    let group = |signature: &str, kind: &str, extra: Value| {
        json!({"transaction": name, "transaction_kind": "web.axum", "signature": signature, "kind": kind,
            "parents": if kind == "transaction" { json!([]) } else { json!(["transaction"]) }, "extra": extra})
    };
    let frames = json!([
        {"filename": "src/books.rs", "lineno": 41, "function": "shop::books::list", "in_app": true},
        {"filename": "sqlx/src/query.rs", "lineno": 7, "function": "sqlx::fetch", "in_app": false},
    ]);
    json!({
        "transactions": [{"transaction": name, "kind": "web.axum", "result": 200, "durations": [100.0]}],
        "traces": {
            "groups": [group("transaction", "transaction", json!({})),
                group("SELECT FROM authors", "db.sqlite.query", json!({"_frames": frames})),
                group("GET prices", "ext.http.reqwest", json!({}))],
            "raw": [raw],
        },
    })
}

async fn post(running: &Running, app: &AppCredentials, body: &Value) {
    let request = running.client.post(intake_url(app, "transactions")).bearer_auth(&app.secret_token);
    let response = request.body(zlib(&body.to_string())).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::ACCEPTED, "{}", response.text().await.unwrap());
}

/// Posts the same two transactions of one trace to two apps of the organization, and another one to a stranger's app.
async fn traced() -> Running {
    let running = Running::start().await;
    let prices = running.server.create_app("acme", "prices").await.unwrap();
    let stranger = running.server.create_app("other", "spy").await.unwrap();
    let spans = json!([
        [1, 1.0, 40.0, {"count": 20, "total_ms": 30.0, "n_plus_one": true}],
        [2, 50.0, 40.0, {"id": "00f067aa0ba902b7"}],
    ]);
    let dropped = json!({"db.redis.query": {"count": 7, "total_ms": 3.5}});
    let context =
        json!({"id": "0123456789abcdef0123456789abcdef", "trace_id": TRACE, "dropped_spans": 7, "dropped": dropped});
    post(&running, &running.app, &body("GET /books", &spans, context)).await;
    let called =
        json!({"id": "fedcba9876543210fedcba9876543210", "trace_id": TRACE, "parent_span": "00f067aa0ba902b7"});
    post(&running, &prices, &body("GET /prices/{id}", &json!([[1, 2.0, 3.0]]), called.clone())).await;
    post(&running, &stranger, &body("GET /secret", &json!([]), called)).await;
    running.drained().await;
    running
}

#[tokio::test]
async fn the_waterfall_continues_in_the_called_app() {
    let running = traced().await;
    let [sample] = &running.samples("GET /books").await[..] else { panic!() };
    let [called] = &sample["trace"].as_array().unwrap()[..] else { panic!("{}", sample["trace"]) };
    assert_eq!((&called["app"]["name"], &called["name"]), (&json!("prices"), &json!("GET /prices/{id}")));
    assert_eq!((&called["caller"], &called["caller_span"]), (&json!(0), &json!(1)));
    assert_eq!(called["spans"][0]["signature"], "SELECT FROM authors");
    // The clocks of both apps are equal here, but the call cannot begin before the span that made it.
    assert_eq!(called["start_ms"], 50.0);

    let id = running.transaction("GET /books").await["id"].clone();
    let page = text(&running.page(&format!("/acme/shop/transactions/{id}/samples/{}", sample["id"])).await);
    let [call, query] = ["prices GET /prices/{id}", "SELECT FROM authors db.sqlite.query 3.00 ms"]
        .map(|row| page.find(row).unwrap_or_else(|| panic!("{row} is missing in {page}")));
    assert!(page.find("GET prices ext.http.reqwest").is_some_and(|outer| outer < call) && call < query, "{page}");
    assert!(!page.contains("secret"), "{page}");
}

#[tokio::test]
async fn the_called_sample_links_to_its_caller() {
    let running = traced().await;
    let transactions = running.ask_of("prices", "transactions/").await;
    let id = &transactions["transactions"][0]["id"];
    let samples = running.ask_of("prices", &format!("transactions/{id}/samples/")).await;
    let sample = running.ask_of("prices", &format!("transactions/{id}/samples/{}/", samples[0]["id"])).await;
    assert_eq!((&sample["trace"][0]["app"]["name"], &sample["trace"][0]["caller"]), (&json!("shop"), &Value::Null));
    let page = text(&running.page(&format!("/acme/prices/transactions/{id}/samples/{}", samples[0]["id"])).await);
    assert!(page.contains("Called by shop GET /books"), "{page}");
}

#[tokio::test]
async fn repeats_are_flagged_with_the_line_that_issues_them() {
    let running = traced().await;
    let [sample] = &running.samples("GET /books").await[..] else { panic!() };
    assert_eq!(sample["spans"][0]["repeats"], json!({"count": 20, "total_ms": 30.0, "n_plus_one": true}));
    assert_eq!(sample["spans"][1]["repeats"], Value::Null);
    let id = running.transaction("GET /books").await["id"].clone();
    let page = text(&running.page(&format!("/acme/shop/transactions/{id}/samples/{}", sample["id"])).await);
    let finding =
        "N+1: SELECT FROM authors ran 20 times, 30.0 ms in total, from src/books.rs:41 in shop::books::list .";
    assert!(page.contains(finding), "{page}");
    assert!(page.contains("20 equal spans, 1.50 ms each"), "{page}");
    assert!(
        page.contains("7 more spans were dropped, because there were too many: 7 of kind db.redis.query (3.50 ms)."),
        "{page}"
    );
}
