//! Samples: their stacks, their results and their kinds.

use serde_json::{Value, json};

use crate::cases::{NODE, PYTHON, case, now, post, rfc3339, stored};
use crate::pages::text;
use crate::running::Running;

/// Returns the newest function of each span's stack.
fn newest(sample: &Value) -> Vec<(String, String)> {
    let spans = sample["spans"].as_array().unwrap();
    let newest = |span: &Value| {
        let file = span["frames"].as_array().unwrap().last().map_or("", |frame| frame["filename"].as_str().unwrap());
        (span["signature"].as_str().unwrap().to_owned(), file.to_owned())
    };
    spans.iter().map(newest).collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(signature, file)| ((*signature).to_owned(), (*file).to_owned())).collect()
}

/// Removes the stacks from a body, as an agent does after it sent them once.
fn without_stacks(mut body: Value) -> Value {
    let traces = &mut body["traces"];
    let groups = if traces.is_array() { traces } else { &mut traces["groups"] };
    for group in groups.as_array_mut().unwrap() {
        if let Some(extra) = group["extra"].as_object_mut() {
            extra.remove("_frames");
        }
    }
    body
}

#[tokio::test]
async fn equal_queries_of_two_routes_keep_their_stacks() {
    let body = case("node-same-sql-two-stacks");
    let running = stored(NODE, &[body.clone(), without_stacks(body)]).await;
    for (name, file) in [("GET /a", "routes/a.js"), ("GET /b", "routes/b.js")] {
        let samples = running.samples(name).await;
        assert_eq!(samples.len(), 2, "{name}");
        for sample in samples {
            assert_eq!(newest(&sample), pairs(&[("SELECT FROM users", file)]), "{name}");
        }
    }
}

#[tokio::test]
async fn equal_queries_under_different_parents_keep_their_stacks() {
    let body = case("stack-mixup");
    let mut other = without_stacks(body.clone());
    for group in other["traces"].as_array_mut().unwrap() {
        group["transaction"] = json!("GET b");
    }
    other["transactions"][0]["transaction"] = json!("GET b");
    let running = stored(PYTHON, &[body, other]).await;
    // Python sends a stack once for all transactions with the same path.
    for name in ["GET a", "GET b"] {
        let [sample] = &running.samples(name).await[..] else { panic!("{name}") };
        let expected =
            [("SELECT FROM users", "views.py"), ("users.html", ""), ("SELECT FROM users", "templatetags.py")];
        assert_eq!(newest(sample), pairs(&expected), "{name}");
    }
}

#[tokio::test]
async fn a_stack_of_one_route_is_not_shown_at_another() {
    let mut body = case("node-same-sql-two-stacks");
    // Only the first route's stack was sent.
    body["traces"]["groups"][2]["extra"].as_object_mut().unwrap().remove("_frames");
    let running = stored(NODE, &[body]).await;
    let [sample] = &running.samples("GET /b").await[..] else { panic!() };
    assert_eq!(newest(sample), pairs(&[("SELECT FROM users", "")]));
}

#[tokio::test]
async fn the_spans_of_a_group_link_to_their_common_facts() {
    let body = json!({
        "transactions": [{"transaction": "GET /", "result": 200, "durations": [10.0]}],
        "traces": {
            "groups": [{"transaction": "GET /", "signature": "transaction", "kind": "transaction"},
                {"transaction": "GET /", "signature": "q", "kind": "db", "parents": ["transaction"], "extra": {"sql": "SELECT 7"}}],
            "raw": [[10.0, [1, 1.0, 2.0], [1, 4.0, 2.0], [0, 0.0, 10.0], {}]],
        },
    });
    let running = stored(NODE, &[body]).await;
    let [sample] = &running.samples("GET /").await[..] else { panic!() };
    let spans = sample["spans"].as_array().unwrap();
    assert_eq!((&spans[0]["group"], &spans[1]["group"]), (&json!(0), &json!(0)));
    assert_eq!((&spans[0]["extra"], &spans[1]["extra"]), (&json!({"sql": "SELECT 7"}), &json!({})));
    let page = running.page(&running.sample_paths("GET /").await[0]).await;
    assert_eq!(page.matches("SELECT 7").count(), 1);
    assert!(page.contains("id=\"group-0\"") && page.contains("href=\"#group-0\""), "{page}");
}

#[tokio::test]
async fn the_result_of_a_sample_is_that_of_its_counted_duration() {
    let at = rfc3339(now() - now() % 60 - 120);
    let counted = |result: u16, ms: f64| json!({"transaction": "GET /", "kind": "request", "result": result, "timestamp": at, "durations": [ms]});
    let group = json!({"transaction": "GET /", "transaction_kind": "request", "signature": "transaction", "kind": "transaction", "timestamp": at});
    let body = json!({
        "transactions": [counted(200, 10.5), counted(404, 30.25), counted(500, 50.125)],
        "traces": {"groups": [group], "raw": [[50.125, [0, 0.0, 50.0], {}], [30.25, [0, 0.0, 30.0], {}], [10.5, [0, 0.0, 10.0], {}]]},
    });
    let running = stored(NODE, &[body]).await;
    let results: Vec<Value> = running.samples("GET /").await.iter().map(|sample| sample["result"].clone()).collect();
    assert_eq!(results, ["500", "404", "200"]);
    let page = text(&running.page(&format!("{}?range=1h", running.transaction_path("GET /").await)).await);
    assert!(page.contains("500 50.1 ms") && page.contains("404 30.2 ms"), "{page}");
    let page = text(&running.page(&running.sample_paths("GET /").await[0]).await);
    assert!(page.contains("result 500"), "{page}");
}

#[tokio::test]
async fn traces_without_a_kind_belong_to_the_transactions_with_one() {
    for name in ["ruby-kind", "10-ruby-kind"] {
        let running = stored("", &[case(name)]).await;
        let summary = running.transaction("ProductsController#show").await;
        assert_eq!(summary["kind"], "app.rack.request", "{name}");
        assert_eq!(running.samples("ProductsController#show").await.len(), 1, "{name}");
        let times = running.time_by_kind("ProductsController#show", "range=6h").await;
        assert_eq!(
            times.iter().map(|(kind, ms)| (kind.starts_with("db."), *ms)).collect::<Vec<_>>(),
            [(false, 20.0), (true, 10.0)],
            "{name}"
        );
    }
}

#[tokio::test]
async fn traces_without_the_whole_transaction_are_counted() {
    let running = stored(PYTHON, &[case("tx-extra-null")]).await;
    assert_eq!(running.time_by_kind("exn", "range=6h").await, [("app".to_owned(), 0.0), ("k".to_owned(), 1.0)]);
    assert_eq!(running.samples("exn").await[0]["spans"][0]["signature"], "s");
}

#[tokio::test]
async fn times_that_nobody_would_see_are_kept_beside_the_time_of_receipt() {
    for (name, transaction) in
        [("tx-20-days-old", "old20d"), ("tx-400-days-old", "old400d"), ("tx-20-hours-ahead", "ahead20h")]
    {
        let mut body = case(name);
        let claimed = body["transactions"][0]["timestamp"].clone();
        let group = json!({"transaction": transaction, "signature": "transaction", "kind": "transaction", "timestamp": claimed});
        body["traces"] = json!({"groups": [group], "raw": [[1.0, [0, 0.0, 1.0], {}]]});
        let running = stored(NODE, &[body]).await;
        let list = running.ask("transactions/?range=15m").await;
        assert_eq!(
            (&list["transactions"][0]["name"], &list["transactions"][0]["count"]),
            (&json!(transaction), &json!(1))
        );
        let [sample] = &running.samples(transaction).await[..] else { panic!() };
        assert_eq!(sample["claimed_at"], claimed, "{name}");
        let page = text(&running.page(&running.sample_paths(transaction).await[0]).await);
        assert!(page.contains("so this sample is listed at the time of its arrival"), "{page}");
    }
    let slightly_ahead =
        json!({"transactions": [{"transaction": "t", "timestamp": now() + 300, "durations": [1.0]}], "traces": []});
    let running = Running::start().await;
    post(&running, NODE, &slightly_ahead).await;
    running.drained().await;
    let range = format!("from={}&to={}", rfc3339(now() - 60), rfc3339(now() + 600));
    let list = running.ask(&format!("transactions/?{range}")).await;
    assert_eq!(list["total"], 1, "a clock that is 5 minutes ahead is believed: {list}");
}
