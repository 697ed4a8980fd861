//! Bodies recorded from real agents.

use std::path::{Path, PathBuf};

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::running::{Running, zlib};

fn fixtures(agent: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/agents").join(agent)
}

/// Posts a recorded body with its recorded headers, compressed as in the recording.
async fn replay(running: &Running, agent: &str, name: &str) {
    let folder = fixtures(agent);
    let body = std::fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
    let headers = std::fs::read_to_string(folder.join(format!("{name}.headers.txt"))).unwrap();
    let endpoint = name.split_once('-').unwrap().1;
    let mut request = running.client.post(running.intake(endpoint)).bearer_auth(&running.app.secret_token);
    for line in headers.lines().skip(1).take_while(|line| !line.is_empty()) {
        let (name, value) = line.split_once(": ").unwrap();
        if !matches!(name, "Host" | "Authorization" | "Content-Length") {
            request = request.header(name, value);
        }
    }
    let response = request.body(zlib(&body)).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::ACCEPTED, "{name}");
}

/// Starts a server that has stored all recordings of the Python agent.
async fn replayed() -> Running {
    let running = Running::start().await;
    for name in ["01-errors", "02-errors", "03-errors", "04-errors", "05-errors", "06-transactions"] {
        replay(&running, "python-flask", name).await;
    }
    running.drained().await;
    running
}

fn recorded(name: &str) -> Value {
    let json = std::fs::read_to_string(fixtures("python-flask").join(format!("{name}.json"))).unwrap();
    serde_json::from_str(&json).unwrap()
}

#[tokio::test]
async fn transactions_of_the_python_agent_are_shown_with_their_recorded_durations() {
    let running = replayed().await;
    let list = running.ask("transactions/?range=30d").await;
    let shown = list["transactions"].as_array().unwrap();
    let body = recorded("06-transactions");
    let sent = body["transactions"].as_array().unwrap();
    assert_eq!(shown.len(), sent.len());
    for group in sent {
        let name = group["transaction"].as_str().unwrap();
        let summary = shown.iter().find(|summary| summary["name"] == name).unwrap();
        let mut durations: Vec<f64> =
            group["durations"].as_array().unwrap().iter().map(|d| d.as_f64().unwrap()).collect();
        durations.sort_by(f64::total_cmp);
        assert_eq!(summary["count"], durations.len(), "{name}");
        assert_eq!(summary["results"][group["result"].to_string()], durations.len(), "{name}");
        let close = |shown: &Value, exact: f64| (shown.as_f64().unwrap() - exact).abs() <= exact * 0.011;
        assert!(close(&summary["average_ms"], durations.iter().sum::<f64>() / durations.len() as f64), "{name}");
        assert!(close(&summary["p50_ms"], durations[(durations.len() - 1) / 2]), "{name}: {summary}");
        assert!(close(&summary["p99_ms"], durations[durations.len() - 1]), "{name}: {summary}");
        let is_request = name.is_empty() || name.starts_with("GET") || name.starts_with("POST");
        assert_eq!(summary["kind"], if is_request { "web.flask" } else { "" }, "{name}");
    }
}

#[tokio::test]
async fn time_of_the_python_agents_transactions_is_divided_by_kind() {
    let running = replayed().await;
    let list = running.ask("transactions/?range=30d").await;
    let product = &list["transactions"]
        .as_array()
        .unwrap()
        .iter()
        .find(|t| t["name"].as_str().unwrap().contains("products"))
        .unwrap()
        .clone();
    let id = &product["id"];
    let parts = running.ask(&format!("transactions/{id}/breakdown/?range=30d")).await;
    let kinds: Vec<&str> = parts.as_array().unwrap().iter().map(|part| part["kind"].as_str().unwrap()).collect();
    for kind in ["app", "db.sqlite.sql", "template.jinja2", "code.pricing", "db.sqlite.connect"] {
        assert!(kinds.contains(&kind), "{kinds:?}");
    }
    let all: f64 = parts.as_array().unwrap().iter().map(|part| part["self_ms"].as_f64().unwrap()).sum();
    let total = product["total_ms"].as_f64().unwrap();
    assert!((all - total).abs() < total * 0.01, "each time is counted exactly once: {all} of {total}");

    let samples = running.ask(&format!("transactions/{id}/samples/?range=30d")).await;
    let sample = running.ask(&format!("transactions/{id}/samples/{}/", samples[0]["id"])).await;
    assert_eq!(sample["is_aggregate"], true);
    let query = sample["spans"].as_array().unwrap().iter().find(|span| span["kind"] == "db.sqlite.sql").unwrap();
    assert!(query["extra"]["sql"].is_string() && query["extra"].get("_frames").is_none(), "{query}");
    let frames = query["frames"].as_array().unwrap();
    assert!(!frames.is_empty());
    let newest = frames.last().unwrap()["module"].as_str().unwrap_or_default();
    assert!(!newest.starts_with("opbeat."), "the calls of the agent itself are not shown: {newest}");
}

#[tokio::test]
async fn frames_of_the_python_agents_errors_are_ordered_and_marked() {
    let running = replayed().await;
    let list = running.ask("errors/").await;
    assert_eq!(list["total"], 5);
    let number = |type_name: &str| {
        let errors = list["errors"].as_array().unwrap();
        errors.iter().find(|error| error["type_name"] == type_name).unwrap()["number"].clone()
    };
    let error = running.ask(&format!("errors/{}/", number("ValueError"))).await;
    assert_eq!(error["message"], "card declined for order A-1");
    assert_eq!(error["culprit"], "__main__.checkout");
    let frames = error["occurrence"]["report"]["stacktrace"]["frames"].as_array().unwrap();
    let newest = frames.last().unwrap();
    assert_eq!(
        (&newest["function"], &newest["in_app"]),
        (&"checkout".into(), &true.into()),
        "the function that raised the error is last"
    );
    assert!(frames.iter().any(|frame| frame["in_app"] == false), "frames of flask are not marked as the application's");

    let logged = list["errors"].as_array().unwrap().iter().find(|error| error["message"] == "Import failed").unwrap();
    let logged = running.ask(&format!("errors/{}/", logged["number"])).await;
    let frames = logged["occurrence"]["report"]["stacktrace"]["frames"].as_array().unwrap();
    let sent = recorded("04-errors");
    let sent = sent["stacktrace"]["frames"].as_array().unwrap();
    assert_eq!(frames[0]["function"], sent.last().unwrap()["function"], "the stacks of log records are reversed");
    assert_eq!(frames.last().unwrap()["lineno"], sent[0]["lineno"]);
}

#[tokio::test]
async fn secrets_of_the_python_agent_are_not_stored() {
    let running = replayed().await;
    let recorded = recorded("01-errors");
    let headers = recorded["http"]["headers"].as_object().unwrap();
    let mut secrets: Vec<&str> = Vec::new();
    for (name, value) in headers {
        if matches!(name.to_ascii_lowercase().as_str(), "authorization" | "cookie") {
            secrets.extend(value.as_str());
        }
    }
    secrets.push("hunter2");
    assert!(!secrets.is_empty(), "the recording contains secrets");
    for number in 1..=5 {
        let shown = running.ask(&format!("errors/{number}/")).await.to_string();
        for secret in &secrets {
            assert!(!shown.contains(secret), "error {number} shows {secret}");
        }
    }
}

/// Returns bodies as old agents send them, with a secret in each field that an application fills.
fn bodies_with_secrets(secret: &str) -> (Value, Value) {
    let (name, kind) = (format!("POST /login?pwd={secret}"), format!("web.pin={secret}"));
    let signature = format!("SELECT FROM users WHERE token = '{secret}'");
    let context = json!({
        "http": {"url": format!("https://{secret}@shop.example/?jwt={secret}"), "headers": {"Cookie": secret}},
        "user": {"username": format!("pin={secret}")}, "extra": {"note": format!("password: {secret}")},
        "tags": {"token": secret}, "result": format!("token={secret}"), "more": {"auth": [secret]},
    });
    let transactions = json!({
        "transactions": [{"transaction": name, "kind": kind, "result": format!("pin={secret}"),
            "durations": [1.0]}],
        "traces": {"groups": [
            {"transaction": name, "transaction_kind": kind, "signature": "transaction", "kind": "transaction", "parents": []},
            {"transaction": name, "transaction_kind": kind, "signature": signature, "kind": format!("db.pin={secret}"), "parents": ["transaction"],
                "extra": {"sql": signature, "_frames": [{"filename": "a.py", "vars": {"password": secret}}]}},
        ], "raw": [[2.0, [0, 0.0, 2.0], [1, 0.0, 1.0], context]]},
    });
    let text = format!(r#"Login(Secret({secret})) of {{\"password\":\"{secret}\"}}, Authorization: Bearer {secret}"#);
    let error = json!({
        "message": text, "culprit": name, "logger": format!("token={secret}"),
        "param_message": {"message": text, "params": [text, {"pin": secret}]},
        "exception": {"type": "LoginError", "value": text, "causes": [
            {"type": "A", "value": text, "causes": [{"type": "B", "value": text, "causes": [{"type": "C", "value": text}]}]},
        ]},
        "http": {"url": "/", "query_string": format!("a=1&otp={secret}"), "data": format!("<password>{secret}</password>"),
            "cookies": {"sid": secret}, "env": {"HTTP_AUTHORIZATION": secret}},
        "user": {"id": format!("pin={secret}")}, "extra": {"passwords": [secret]}, "tags": {"pwd": secret},
        "stacktrace": {"frames": [{"filename": "a.js", "abs_path": format!("https://a/a.js?token={secret}"),
            "context_line": format!("password = \"{secret}\""), "pre_context": [format!("jwt = '{secret}'")],
            "vars": {"form": text}}]},
        "transaction": {"name": name, "kind": kind, "result": format!("pin={secret}")},
    });
    (transactions, error)
}

#[tokio::test]
async fn no_field_of_an_old_agents_body_shows_a_secret() {
    let running = Running::start().await;
    let (transactions, error) = bodies_with_secrets("s3cret");
    running.accept("transactions", &transactions).await;
    running.accept("errors", &error).await;
    running.drained().await;
    let list = running.ask("transactions/?range=30d").await;
    let id = &list["transactions"][0]["id"];
    let samples = running.ask(&format!("transactions/{id}/samples/?range=30d")).await;
    let mut shown = vec![
        running.ask(&format!("transactions/{id}/breakdown/?range=30d")).await,
        running.ask(&format!("transactions/{id}/samples/{}/", samples[0]["id"])).await,
        running.ask("errors/").await,
        running.ask("errors/1/").await,
    ];
    shown.extend([list, samples]);
    for answer in &shown {
        assert!(!answer.to_string().contains("s3cret"), "{answer:#}");
    }
    for kept in ["POST /login?pwd=[REDACTED]", "SELECT FROM users", "LoginError", "shop.example"] {
        assert!(shown.iter().any(|answer| answer.to_string().contains(kept)), "{kept} was removed");
    }
}

/// If the time grew with the square of the length, this test would run into its timeout.
#[tokio::test]
async fn a_large_body_is_searched_in_linear_time() {
    let running = Running::start().await;
    let extra = json!({"at": "a@".repeat(150_000), "urls": "://a:b".repeat(50_000)});
    running.accept("errors", &json!({"message": "@".repeat(300_000), "extra": extra})).await;
    running.drained().await;
    assert_eq!(running.ask("errors/").await["total"], 1);
}
