//! Figures that are estimated from samples, and averages of many transactions.

use serde_json::{Value, json};

use crate::cases::{NODE, PYTHON, assert_times, case, now, post, rfc3339, stored};
use crate::pages::text;
use crate::running::Running;

#[tokio::test]
async fn one_sample_stands_for_all_transactions_of_its_duration() {
    let running = stored(NODE, &[case("node-breakdown-sampled")]).await;
    let times = running.time_by_kind("GET sampled", "range=6h").await;
    assert_times(&times, &[("app", 400.0), ("db.postgresql.query", 600.0)]);
    let summary = running.transaction("GET sampled").await;
    let parts = running.ask(&format!("transactions/{}/breakdown/?range=6h", summary["id"])).await;
    for part in parts.as_array().unwrap() {
        assert_eq!((&part["count"], &part["estimated_from_samples"]), (&json!(100), &json!(1)), "{part}");
    }
    let page = text(&running.page(&format!("/acme/shop/transactions/{}?range=6h", summary["id"])).await);
    assert!(page.contains("Estimated from 1 sample of 100 transactions."), "{page}");
    assert!(page.contains("db.postgresql.query 60 % 6.00 ms 1.0"), "{page}");
    // The rows by hour say so too.
    let parts = running.ask(&format!("transactions/{}/breakdown/?range=24h", summary["id"])).await;
    assert_eq!(parts[0]["estimated_from_samples"], 1, "{parts}");
}

#[tokio::test]
async fn a_sample_counts_as_often_as_its_step_of_15_ms() {
    let group = |signature: &str, kind: &str, parents: Value| json!({"transaction": "GET /", "transaction_kind": "request", "signature": signature, "kind": kind, "parents": parents});
    let fast: Vec<f64> = vec![2.0; 90];
    let slow: Vec<f64> = vec![200.0; 10];
    let body = json!({
        "transactions": [{"transaction": "GET /", "kind": "request", "result": 200, "durations": fast},
            {"transaction": "GET /", "kind": "request", "result": 500, "durations": slow}],
        "traces": {
            "groups": [group("transaction", "transaction", json!([])), group("GET api", "ext.http", json!(["transaction"])), group("SELECT", "db", json!(["transaction"]))],
            "raw": [[2.0, [2, 0.5, 1.0], [0, 0.0, 2.0], {}], [200.0, [1, 0.0, 180.0], [0, 0.0, 200.0], {}]],
        },
    });
    let running = stored(NODE, &[body]).await;
    let times = running.time_by_kind("GET /", "range=6h").await;
    assert_times(&times, &[("app", 90.0 + 200.0), ("db", 90.0), ("ext.http", 1_800.0)]);
    let total = running.transaction("GET /").await["total_ms"].as_f64().unwrap();
    assert!((times.iter().map(|(_, ms)| ms).sum::<f64>() - total).abs() < 1e-6, "the parts add up to the whole");
}

#[tokio::test]
async fn each_minute_has_its_own_time() {
    let minute = now() - now() % 60;
    let running = stored(NODE, &[case("node-two-minutes")]).await;
    let of_minute = async |back: i64| {
        let from = minute - back * 60;
        running.time_by_kind("GET twomin", &format!("from={}&to={}", rfc3339(from), rfc3339(from + 60))).await
    };
    // The minutes 17:37 and 17:39 of the recording, which ended at 18:15.
    assert_times(&of_minute(38).await, &[("app", 4.0), ("db.postgresql.query", 6.0)]);
    assert_times(&of_minute(36).await, &[("app", 10.0), ("db.postgresql.query", 20.0)]);
    let id = running.transaction("GET twomin").await["id"].clone();
    let parts = running.ask(&format!("transactions/{id}/breakdown/?range=6h")).await;
    assert!(parts[0]["estimated_from_samples"].is_null(), "each transaction has its own sample: {parts}");
    let page = text(&running.page(&format!("/acme/shop/transactions/{id}?range=6h")).await);
    assert!(!page.contains("Estimated"), "{page}");
}

/// Python's traces cover the interval, and Ruby's have minutes.
#[tokio::test]
async fn aggregated_traces_are_divided_among_the_minutes() {
    let minute = now() - now() % 60 - 600;
    let counted =
        |at: i64, ms: f64| json!({"transaction": "job", "result": "ok", "timestamp": rfc3339(at), "durations": [ms]});
    let trace = |signature: &str, kind: &str, parents: Value, durations: Value, at: Value| json!({"transaction": "job", "signature": signature, "kind": kind, "parents": parents, "durations": durations, "timestamp": at});
    let python = json!({
        "transactions": [counted(minute, 10.0), counted(minute + 60, 30.0)],
        "traces": [
            trace("transaction", "transaction", json!([]), json!([[10.0, 10.0], [30.0, 30.0]]), Value::Null),
            trace("q", "db", json!(["transaction"]), json!([[4.0, 10.0], [16.0, 30.0]]), Value::Null),
        ],
    });
    let ruby = json!({
        "transactions": [counted(minute, 10.0), counted(minute + 60, 30.0)],
        "traces": [
            trace("transaction", "transaction", json!([]), json!([[10.0, 10.0]]), json!(minute)),
            trace("q", "db", json!(["transaction"]), json!([[4.0, 10.0]]), json!(minute)),
            trace("transaction", "transaction", json!([]), json!([[30.0, 30.0]]), json!(minute + 60)),
            trace("q", "db", json!(["transaction"]), json!([[16.0, 30.0]]), json!(minute + 60)),
        ],
    });
    for (platform, body, first, second) in
        [(PYTHON, python, [5.0, 5.0], [15.0, 15.0]), ("", ruby, [6.0, 4.0], [14.0, 16.0])]
    {
        let running = stored(platform, &[body]).await;
        for (at, [app, db]) in [(minute, first), (minute + 60, second)] {
            let range = format!("from={}&to={}", rfc3339(at), rfc3339(at + 60));
            assert_times(&running.time_by_kind("job", &range).await, &[("app", app), ("db", db)]);
        }
    }
}

#[tokio::test]
async fn parts_never_exceed_the_whole_even_if_a_clock_jumped() {
    let body = json!({
        "transactions": [{"transaction": "GET /", "kind": "request", "result": 200, "durations": [9.0]}],
        "traces": {
            "groups": [{"transaction": "GET /", "signature": "transaction", "kind": "transaction"},
                {"transaction": "GET /", "signature": "a", "kind": "db", "parents": ["transaction"]}],
            "raw": [[9.0, [0, 0.0, 9.0], [1, -3.0, 901_000.0], {}]],
        },
    });
    let running = stored(NODE, &[body, case("tx-raw-negative-start")]).await;
    assert_times(&running.time_by_kind("GET /", "range=6h").await, &[("app", 0.0), ("db", 9.0)]);
    // A start before that of the transaction counts as its start.
    let summary = running.transaction("rns").await;
    assert_eq!(summary["kind"], "request", "the kind of the counts is that of the traces too");
    assert_times(&running.time_by_kind("rns", "range=6h").await, &[("app", 0.8), ("db", 0.2)]);
}

#[tokio::test]
async fn a_query_that_runs_often_is_shown_with_its_number() {
    let running = stored(PYTHON, &[case("python-n-plus-1-waterfall")]).await;
    let [sample] = &running.samples("GET /nplus1").await[..] else { panic!() };
    assert_eq!((&sample["is_aggregate"], &sample["average_of"]), (&json!(true), &json!(1)));
    let span = &sample["spans"][0];
    assert_eq!((&span["signature"], &span["duration_ms"]), (&json!("SELECT FROM t"), &json!(50.0)));
    let expected = json!({"count": 50, "mean_ms": 1.0, "transactions": 1, "share": 1.0, "per_transaction": 50.0, "per_transaction_ms": 50.0});
    assert_eq!(span["average"], expected);
    let path = &running.sample_paths("GET /nplus1").await[0];
    let page = text(&running.page(&format!("{path}?range=6h")).await);
    assert!(page.contains("50× per transaction, 1.00 ms each 50.0 ms"), "{page}");
}

#[tokio::test]
async fn a_query_in_few_transactions_is_shown_with_their_share() {
    let running = stored(PYTHON, &[case("python-rare-span-waterfall")]).await;
    let [sample] = &running.samples("GET /rare").await[..] else { panic!() };
    assert_eq!((&sample["average_of"], &sample["duration_ms"]), (&json!(10), &json!(11.0)));
    let span = &sample["spans"][0];
    assert_eq!(span["duration_ms"], 10.0, "the time per transaction: a tenth of 100 ms");
    assert!(span["start_ms"].as_f64().unwrap() + 10.0 <= 11.0 + 1e-9, "{span}");
    assert_eq!((&span["average"]["share"], &span["average"]["per_transaction_ms"]), (&json!(0.1), &json!(100.0)));
    let path = &running.sample_paths("GET /rare").await[0];
    let page = text(&running.page(&format!("{path}?range=6h")).await);
    assert!(page.contains("Average of 10 transactions: GET /rare"), "{page}");
    assert!(page.contains("db.postgresql.sql 100 ms each; in 10 % of transactions (1) 10.0 ms"), "{page}");
    let list = text(&running.page(&format!("{}?range=6h", running.transaction_path("GET /rare").await)).await);
    assert!(list.contains("average of 10"), "{list}");
}

#[tokio::test]
async fn averages_count_transactions_with_equal_durations_apart() {
    let running = stored(PYTHON, &[case("python-mean-sample")]).await;
    let [sample] = &running.samples("GET mean").await[..] else { panic!() };
    let average = |signature: &str| {
        let spans = sample["spans"].as_array().unwrap();
        spans.iter().find(|span| span["signature"] == signature).unwrap()["average"].clone()
    };
    let rare = average("rare");
    assert_eq!((&rare["transactions"], &rare["mean_ms"]), (&json!(1), &json!(90.0)));
    let often = average("n+1");
    assert_eq!((&often["transactions"], &often["per_transaction"]), (&json!(10), &json!(50.0)));
    assert_times(&running.time_by_kind("GET mean", "range=6h").await, &[("app", 410.0), ("db.sql", 590.0)]);
}

#[tokio::test]
async fn groups_with_the_same_path_are_one_span() {
    for (name, depth) in [("03-ruby-two-minutes-depth10", 10), ("03-ruby-two-minutes-depth24", 24)] {
        let running = stored("", &[case(name)]).await;
        let [sample] = &running.samples("GET /a").await[..] else { panic!() };
        let spans = sample["spans"].as_array().unwrap();
        let depths: Vec<u64> = spans.iter().map(|span| span["depth"].as_u64().unwrap()).collect();
        assert_eq!(depths, (0..depth).collect::<Vec<u64>>(), "{name}");
        assert!(spans.iter().all(|span| span["average"]["count"] == 2), "{name}: {sample:#}");
    }
}

#[tokio::test]
async fn fifty_thousand_groups_are_stored_in_linear_time() {
    let mut traces: Vec<Value> = (0..49_999)
        .map(|number| json!({"transaction": "GET /", "signature": format!("s{number}"), "kind": "db", "parents": ["transaction"], "durations": [[1.0, 10.0]]}))
        .collect();
    traces.push(
        json!({"transaction": "GET /", "signature": "transaction", "kind": "transaction", "durations": [[10.0, 10.0]]}),
    );
    let body =
        json!({"transactions": [{"transaction": "GET /", "result": 200, "durations": [10.0]}], "traces": traces});
    let running = stored(PYTHON, &[body]).await;
    let [sample] = &running.samples("GET /").await[..] else { panic!() };
    assert_eq!((sample["spans"].as_array().unwrap().len(), &sample["omitted_spans"]), (2_000, &json!(47_999)));
    assert_times(&running.time_by_kind("GET /", "range=6h").await, &[("app", 0.0), ("db", 10.0)]);
    let path = &running.sample_paths("GET /").await[0];
    let page = text(&running.page(&format!("{path}?range=6h")).await);
    assert!(page.contains("47 999 more spans were left out"), "{page}");
}

#[tokio::test]
async fn a_path_of_any_length_is_accepted() {
    let mut path = vec!["transaction".to_owned()];
    let mut traces = vec![
        json!({"transaction": "GET /", "signature": "transaction", "kind": "transaction", "durations": [[10.0, 10.0]]}),
    ];
    for number in 0..600 {
        let signature = format!("s{number}");
        traces.push(json!({"transaction": "GET /", "signature": signature, "kind": "code", "parents": path, "durations": [[5.0, 10.0]]}));
        path.push(signature);
    }
    path.extend((0..100_000).map(|number| number.to_string()));
    traces.push(
        json!({"transaction": "GET /", "signature": "leaf", "kind": "db", "parents": path, "durations": [[5.0, 10.0]]}),
    );
    let body =
        json!({"transactions": [{"transaction": "GET /", "result": 200, "durations": [10.0]}], "traces": traces});
    let running = stored(PYTHON, &[body]).await;
    assert_times(&running.time_by_kind("GET /", "range=6h").await, &[("app", 5.0), ("code", 0.0), ("db", 5.0)]);
    let path = &running.sample_paths("GET /").await[0];
    let page = running.page(&format!("{path}?range=6h")).await;
    assert_eq!(page.matches("<svg class=\"track\"").count(), 602);
}

/// The facts of a group are stored once per sample, and only as far as their size is in proportion to the body.
#[tokio::test]
async fn large_facts_are_not_repeated_without_limit() {
    let sql = "SELECT ".repeat(1_400);
    let mut groups = vec![json!({"transaction": "GET /", "signature": "transaction", "kind": "transaction"})];
    groups.extend((0..50).map(|number| {
        json!({"transaction": "GET /", "signature": format!("q{number}"), "kind": "db", "parents": ["transaction"], "extra": {"sql": sql}})
    }));
    let mut sample = vec![json!(10.0)];
    sample.extend((0..=50).map(|group| json!([group, 0.0, 10.0])));
    let samples = vec![sample; 30];
    let body = json!({
        "transactions": [{"transaction": "GET /", "result": 200, "durations": vec![10.0; 30]}],
        "traces": {
            "groups": groups,
            "raw": samples,
        },
    });
    let running = Running::start().await;
    post(&running, NODE, &body).await;
    running.drained().await;
    let samples = running.samples("GET /").await;
    let is_cut = |sample: &Value| sample["spans"][49]["is_cut"] == true;
    assert!(samples.iter().any(is_cut), "the kept samples are the last ones, after the limit");
    assert!(samples.iter().all(|sample| sample["spans"].as_array().unwrap().len() == 50));
    let cut = samples.iter().find(|sample| is_cut(sample)).unwrap();
    let transaction = running.transaction_path("GET /").await;
    let page = text(&running.page(&format!("{transaction}/samples/{}?range=6h", cut["id"])).await);
    assert!(page.contains("values and stack were left out, because they were too large"), "{page}");
}
