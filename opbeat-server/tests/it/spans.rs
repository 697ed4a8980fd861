//! Queries and outgoing calls: their sums, their callers and samples, on pages and from the API.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::cases::{PYTHON, now, post, rfc3339, stored};
use crate::pages::text;
use crate::running::Running;

/// Returns a body of the Python agent: 4 transactions of 100 ms, with all of their spans.
fn aggregated() -> Value {
    let at = rfc3339(now() - 120);
    let frames = json!([
        {"filename": "shop/books.py", "lineno": 41, "function": "list_books", "in_app": true},
        {"filename": "psycopg2/sql.py", "lineno": 7, "function": "execute", "in_app": false},
    ]);
    let group = |signature: &str, kind: &str, durations: Value, extra: Value| {
        let parents = if kind == "transaction" { json!([]) } else { json!(["transaction"]) };
        json!({"transaction": "GET /books", "signature": signature, "kind": kind, "parents": parents,
            "start_time": 0.0, "durations": durations, "extra": extra})
    };
    let whole = json!([[10.0, 10.0], [20.0, 20.0], [30.0, 30.0], [40.0, 40.0]]);
    let sql = json!({"sql": "SELECT title FROM books WHERE id = %s", "_frames": frames});
    json!({
        "transactions": [{"transaction": "GET /books", "result": 200, "timestamp": at, "durations": [10.0, 20.0, 30.0, 40.0]}],
        "traces": [
            group("transaction", "transaction", whole, json!({})),
            group("SELECT FROM books", "db.postgresql.sql", json!([[2.0, 10.0], [4.0, 20.0], [6.0, 30.0], [8.0, 40.0]]), sql),
            group("SELECT FROM authors", "db.postgresql.sql", json!([[1.0, 10.0], [1.0, 10.0], [3.0, 30.0]]), json!({})),
            group("GET https://prices.example/books", "ext.http.requests", json!([[5.0, 40.0]]), json!({})),
        ],
    })
}

/// Returns the samples of this project's agent: one transaction with spans.
fn sample(spans: &Value, context: &Value) -> Value {
    let mut raw = vec![json!(100.0), json!([0, 0.0, 100.0])];
    raw.extend(spans.as_array().unwrap().iter().cloned());
    raw.push(context.clone());
    let group = |signature: &str, kind: &str, extra: Value| {
        json!({"transaction": "POST /orders", "transaction_kind": "web.axum", "signature": signature, "kind": kind,
            "parents": if kind == "transaction" { json!([]) } else { json!(["transaction"]) }, "extra": extra})
    };
    let frames =
        json!([{"filename": "src/orders.rs", "lineno": 31, "function": "shop::orders::place", "in_app": true}]);
    json!({
        "transactions": [],
        "traces": {
            "groups": [
                group("transaction", "transaction", json!({})),
                group("SELECT FROM books", "db.sqlite.query", json!({})),
                group("SELECT FROM customers", "db.sqlite.query", json!({"_frames": frames})),
                group("GET prices.example", "ext.http.reqwest", json!({"status": 200})),
                group("GET prices.example", "ext.http.reqwest", json!({"status": 503, "error": "HTTP 503"})),
            ],
            "raw": [raw],
        },
    })
}

/// Returns the counts of the same agent: 100 transactions with 1,000 ms in queries.
fn counts() -> Value {
    let durations = vec![20.0; 100];
    let part = |kind: &str, count: u64, self_ms: f64| {
        json!({"transaction": "POST /orders", "transaction_kind": "web.axum", "timestamp": rfc3339(now() - 60),
            "kind": kind, "count": count, "self_ms": self_ms})
    };
    json!({
        "transactions": [{"transaction": "POST /orders", "kind": "web.axum", "result": 200, "timestamp": rfc3339(now() - 60),
            "durations": durations}],
        "traces": [],
        "breakdown": [part("app", 100, 800.0), part("db.sqlite.query", 200, 1_000.0), part("ext.http.reqwest", 100, 200.0)],
    })
}

/// Returns a server with samples, and then the counts that they stand for.
async fn sampled() -> Running {
    let running = Running::start().await;
    let spans = json!([
        [1, 1.0, 30.0],
        [2, 40.0, 12.0, {"count": 3, "total_ms": 10.0, "n_plus_one": true}],
        [3, 60.0, 10.0],
        [4, 80.0, 10.0],
    ]);
    running.accept("transactions", &sample(&spans, &json!({"id": "t1", "timestamp": rfc3339(now() - 60)}))).await;
    running.drained().await;
    running.accept("transactions", &counts()).await;
    running.drained().await;
    running
}

fn signatures(list: &Value) -> Vec<&str> {
    list["spans"].as_array().unwrap().iter().map(|span| span["signature"].as_str().unwrap()).collect()
}

/// Asserts that a number is another one, except for errors of rounding.
fn assert_near(shown: &Value, expected: f64) {
    let shown = shown.as_f64().unwrap();
    assert!((shown - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{shown} instead of {expected}");
}

#[tokio::test]
async fn sums_of_agents_that_send_all_spans_are_exact() {
    let running = stored(PYTHON, &[aggregated(), aggregated()]).await;
    let list = running.ask("queries/?range=1h").await;
    assert_eq!(signatures(&list), ["SELECT FROM books", "SELECT FROM authors"]);
    let [books, authors] = [0, 1].map(|index| &list["spans"][index]);
    assert_eq!((&books["count"], &authors["count"]), (&json!(8), &json!(6)));
    assert_near(&books["total_ms"], 40.0);
    assert_near(&authors["total_ms"], 10.0);
    assert_near(&books["average_ms"], 5.0);
    assert_near(&books["share"], 0.2);
    assert_near(&list["share"], 0.25);
    assert_eq!((&list["unknown_share"], &list["total"]), (&json!(0.0), &json!(2)));
    assert_eq!((&books["estimated_from_samples"], &books["target"]), (&Value::Null, &json!("books")));
    assert_near(&books["trend_ms"].as_array().unwrap().iter().map(|ms| ms.as_f64().unwrap()).sum::<f64>().into(), 40.0);
    let page = text(&running.page("/acme/shop/queries/?range=1h").await);
    assert!(page.contains("SELECT FROM books takes 20 % of all time, all 2 queries together 25 %."), "{page}");
    for row in [
        "SELECT FROM books db.postgresql.sql 20 %",
        "/min 5.00 ms 40.0 ms SELECT FROM authors db.postgresql.sql 5.0 %",
        "/min 1.67 ms 10.0 ms",
    ] {
        assert!(page.contains(row), "{row}: {page}");
    }
    assert!(!page.contains('≈'), "{page}");
}

#[tokio::test]
async fn sums_of_samples_are_estimates_that_add_up() {
    let running = sampled().await;
    let list = running.ask("queries/?range=1h").await;
    assert_eq!(signatures(&list), ["SELECT FROM books", "SELECT FROM customers"]);
    let [books, customers] = [0, 1].map(|index| &list["spans"][index]);
    // 1,000 ms and 200 executions, divided as 30 to 10 ms and 1 to 3 executions.
    assert_near(&books["total_ms"], 750.0);
    assert_near(&customers["total_ms"], 250.0);
    assert_eq!((&books["count"], &customers["count"]), (&json!(50), &json!(150)));
    assert_eq!((&books["estimated_from_samples"], &books["n_plus_one_samples"]), (&json!(1), &json!(0)));
    assert_eq!((&customers["estimated_from_samples"], &customers["n_plus_one_samples"]), (&json!(1), &json!(1)));
    assert_near(&books["share"], 750.0 / 2_000.0);
    let page = text(&running.page("/acme/shop/queries/?range=1h").await);
    assert!(page.contains("SELECT FROM customers N+1 db.sqlite.query"), "{page}");
    assert!(page.contains("≈ 750 ms") && page.contains("here up to 1 sample of each query."), "{page}");

    let calls = running.ask("calls/?range=1h").await;
    let [call] = &calls["spans"].as_array().unwrap()[..] else { panic!("{calls}") };
    assert_near(&call["total_ms"], 200.0);
    assert_eq!((&call["answered"], &call["failed"], &call["target"]), (&json!(2), &json!(1), &json!("prices.example")));
    let page = text(&running.page("/acme/shop/calls/?range=1h").await);
    assert!(page.contains("GET prices.example takes 10 % of all time."), "{page}");
    assert!(page.contains("1 of 2"), "{page}");
}

#[tokio::test]
async fn time_without_a_sample_is_said() {
    let running = Running::start().await;
    running.accept("transactions", &counts()).await;
    running.drained().await;
    let list = running.ask("queries/?range=1h").await;
    assert_eq!((&list["total"], &list["spans"]), (&json!(0), &json!([])));
    assert_near(&list["unknown_share"], 0.5);
    let page = text(&running.page("/acme/shop/queries/?range=1h").await);
    assert!(page.contains("50 % of all time is in queries of transactions without a sample so far"), "{page}");
}

#[tokio::test]
async fn an_app_without_spans_shows_who_sends_them() {
    let running = Running::start().await;
    for (path, expected) in [("queries", "db."), ("calls", "ext.")] {
        let page = text(&running.page(&format!("/acme/shop/{path}/")).await);
        assert!(page.contains(&format!("whose kind begins with {expected}")), "{page}");
        assert!(page.contains("opbeat-instrument"), "{page}");
    }
}

#[tokio::test]
async fn a_query_shows_its_callers_releases_and_samples() {
    let running = sampled().await;
    running.accept("releases", &json!({"rev": "a1", "status": "completed"})).await;
    running.drained().await;
    let list = running.ask("queries/?range=1h").await;
    let id = &list["spans"][1]["id"];
    let detail = running.ask(&format!("queries/{id}/?range=1h")).await;
    for member in ["signature", "kind", "count", "total_ms", "average_ms", "share", "n_plus_one_samples"] {
        assert_eq!(detail[member], list["spans"][1][member], "{member}");
    }
    let [caller] = &detail["callers"].as_array().unwrap()[..] else { panic!("{detail}") };
    assert_eq!((&caller["transaction"]["name"], &caller["count"]), (&json!("POST /orders"), &json!(150)));
    assert_near(&caller["total_ms"], 250.0);
    assert_eq!(caller["line"], "src/orders.rs:31 in shop::orders::place");
    let [of_sample] = &detail["samples"].as_array().unwrap()[..] else { panic!("{detail}") };
    assert_eq!((&of_sample["count"], &of_sample["n_plus_one"]), (&json!(3), &json!(true)));
    assert_near(&of_sample["total_ms"], 10.0);
    let [after, before] = &detail["releases"].as_array().unwrap()[..] else { panic!("{detail}") };
    assert_eq!((&after["release"]["number"], &after["count"]), (&json!(1), &json!(0)));
    assert_eq!((&before["release"], &before["count"]), (&Value::Null, &json!(150)));
    let points = detail["series"]["points"].as_array().unwrap();
    assert_eq!(points.iter().map(|point| point["count"].as_u64().unwrap()).sum::<u64>(), 150);

    let path = format!("/acme/shop/queries/{id}/?range=1h");
    let raw = running.page(&path).await;
    let page = text(&raw);
    for part in [
        "POST /orders src/orders.rs:31 in shop::orders::place 100 % 150 1.67 ms 250 ms",
        "N+1: 1 sampled transaction ran it once for each row",
        "of which 1 has this one in the time range.",
        "R#1 – 0/min 0 ms before 1.67 ms",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let (transaction, sample) = (&of_sample["transaction"]["id"], &of_sample["sample"]["id"]);
    let sample_path = format!("/acme/shop/transactions/{transaction}/samples/{sample}");
    assert!(raw.contains(&format!("href=\"{sample_path}?range=1h\"")), "{raw}");
    // The waterfall and the transaction lead back.
    let link = format!("href=\"{path}\"");
    for from in [format!("{sample_path}?range=1h"), format!("/acme/shop/transactions/{transaction}?range=1h")] {
        let page = running.page(&from).await;
        assert!(page.contains(&link), "{from}: {page}");
    }
    let page = text(&running.page(&format!("/acme/shop/transactions/{transaction}?range=1h")).await);
    assert!(page.contains("SELECT FROM customers 2.50 ms 1.5"), "{page}");
}

#[tokio::test]
async fn queries_of_others_and_calls_as_queries_are_not_found() {
    let running = sampled().await;
    running.server.create_app("acme", "prices").await.unwrap();
    running.server.create_app("other", "spy").await.unwrap();
    let id = running.ask("queries/?range=1h").await["spans"][0]["id"].clone();
    let call = running.ask("calls/?range=1h").await["spans"][0]["id"].clone();
    let other = running.server.create_read_token("other").await.unwrap();
    for path in [
        format!("acme/apps/prices/queries/{id}/"),
        format!("acme/apps/shop/calls/{id}/"),
        format!("acme/apps/shop/queries/{call}/"),
        "acme/apps/shop/queries/7/".to_owned(),
    ] {
        let url = format!("{}/api/v2/organizations/{path}", running.server.url());
        let response = running.client.get(url).bearer_auth(&running.read_token).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        let page = format!("/{}", path.replace("apps/", ""));
        assert_eq!(running.get(&page).await.status(), StatusCode::NOT_FOUND, "{page}");
    }
    for path in ["queries/".to_owned(), "calls/".to_owned(), "jobs/".to_owned(), format!("queries/{id}/")] {
        let url = format!("{}/api/v2/organizations/acme/apps/shop/{path}", running.server.url());
        let response = running.client.get(url).bearer_auth(&other).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn lists_are_sorted_by_links_that_keep_range_and_filter() {
    let running = stored(PYTHON, &[aggregated()]).await;
    for (order, first) in [("time", "books"), ("calls", "books"), ("average", "books"), ("name", "authors")] {
        let list = running.ask(&format!("queries/?range=1h&order={order}")).await;
        assert_eq!(list["spans"][0]["target"], first, "{order}");
        let page = running.page(&format!("/acme/shop/queries/?range=1h&order={order}&search=select")).await;
        let direction = if order == "name" { "ascending" } else { "descending" };
        assert_eq!(page.matches("aria-sort").count(), 1);
        let sorted = format!(
            "aria-sort=\"{direction}\"><a href=\"/acme/shop/queries/?range=1h&amp;search=select&amp;order={order}\""
        );
        assert!(page.contains(&sorted), "{order}: {page}");
        // The other parts of the app keep the range.
        for part in ["", "errors/", "calls/", "jobs/", "releases/", "intake/"] {
            assert!(page.contains(&format!("href=\"/acme/shop/{part}?range=1h\"")), "{part}: {page}");
        }
    }
    let list = running.ask("queries/?range=1h&search=AUTHORS").await;
    assert_eq!(signatures(&list), ["SELECT FROM authors"]);
    let page = text(&running.page("/acme/shop/queries/?range=1h&search=nothing").await);
    assert!(page.contains("No query in this time range has this text."), "{page}");
    let url = format!("{}/api/v2/organizations/acme/apps/shop/queries/?order=x", running.server.url());
    let response = running.client.get(url).bearer_auth(&running.read_token).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn callers_have_at_most_the_time_of_the_query() {
    let running = Running::start().await;
    // Three hours ago, one query takes the time; in the last hour, mostly the other one.
    for (ago, spans) in [(10_800, json!([[1, 1.0, 30.0]])), (60, json!([[1, 1.0, 1.0], [2, 2.0, 9.0]]))] {
        let at = rfc3339(now() - ago);
        let mut body = counts();
        body["traces"] = sample(&spans, &json!({"id": format!("t{ago}"), "timestamp": at}))["traces"].clone();
        body["transactions"][0]["timestamp"] = json!(at);
        body["breakdown"].as_array_mut().unwrap().iter_mut().for_each(|part| part["timestamp"] = json!(at));
        running.accept("transactions", &body).await;
    }
    running.drained().await;
    let list = running.ask("queries/?range=1h").await;
    assert_eq!(signatures(&list), ["SELECT FROM customers", "SELECT FROM books"]);
    for span in list["spans"].as_array().unwrap() {
        let detail = running.ask(&format!("queries/{}/?range=1h", span["id"])).await;
        let sum =
            |key: &str| detail["callers"].as_array().unwrap().iter().map(|caller| caller[key].as_f64().unwrap()).sum();
        let (count, total_ms): (f64, f64) = (sum("count"), sum("total_ms"));
        assert!(total_ms > 0.0 && total_ms <= detail["total_ms"].as_f64().unwrap() * 1.000_001, "{detail}");
        assert!(count > 0.0 && count <= detail["count"].as_f64().unwrap(), "{detail}");
    }
}

#[tokio::test]
async fn hostile_signatures_are_escaped_and_cut() {
    let long = format!("SELECT {}", "x".repeat(10_000));
    let mut body = aggregated();
    body["traces"][1]["signature"] = json!("<script>alert(1)</script>");
    body["traces"][2]["signature"] = json!(long);
    let running = stored(PYTHON, &[body]).await;
    let list = running.ask("queries/?range=1h").await;
    assert_eq!(list["spans"][1]["signature"].as_str().unwrap().chars().count(), 512);
    let mut pages = vec!["/acme/shop/queries/?range=1h".to_owned()];
    pages.extend([0, 1].map(|index| format!("/acme/shop/queries/{}/?range=1h", list["spans"][index]["id"])));
    let transaction = running.transaction_path("GET /books").await;
    pages.extend([transaction, running.sample_paths("GET /books").await[0].clone()]);
    for path in pages {
        let page = running.page(&path).await;
        assert!(!page.contains("<script") && page.len() < 100_000, "{path}: {}", page.len());
    }
}

#[tokio::test]
async fn ten_thousand_signatures_share_rows_and_fit_on_pages() {
    let running = Running::start().await;
    for part in 0..10 {
        let name = format!("GET /{part}");
        let group = |signature: String, kind: &str, ms: f64| {
            let parents = if kind == "transaction" { json!([]) } else { json!(["transaction"]) };
            json!({"transaction": name, "signature": signature, "kind": kind, "parents": parents,
                "durations": [[ms, 2_000.0]]})
        };
        let mut traces = vec![group("transaction".to_owned(), "transaction", 2_000.0)];
        traces.extend((0..1_000).map(|number| group(format!("SELECT {part} {number}"), "db.sql", 1.0)));
        let counted =
            json!([{"transaction": name, "result": 200, "timestamp": rfc3339(now() - 60), "durations": [2_000.0]}]);
        post(&running, PYTHON, &json!({"transactions": counted, "traces": traces})).await;
    }
    running.drained().await;
    let list = running.ask("queries/?range=1h&limit=50").await;
    assert_eq!((&list["total"], list["spans"].as_array().unwrap().len()), (&json!(2_001), 50));
    let others = &list["spans"][0];
    assert_eq!((&others["signature"], &others["count"]), (&json!("(others)"), &json!(8_000)));
    assert_near(&list["share"], 0.5);
    let page = running.page("/acme/shop/queries/?range=1h").await;
    assert!(page.len() < 100_000, "{}", page.len());
    assert!(text(&page).contains("50 of 2 001 queries; other 1 951: 9.8 % of all time"));
    let last = text(&running.page("/acme/shop/queries/?range=1h&page=99").await);
    assert!(last.contains("2 001 of 2 001 queries"), "{last}");
    let intake = text(&running.page("/acme/shop/intake/?range=1h").await);
    assert!(intake.contains("more than 2,000 different queries and calls"), "{intake}");
    let slow = running.page(&format!("/acme/shop/queries/{}/?range=1h", others["id"])).await;
    assert!(slow.len() < 100_000, "{}", slow.len());
}
