//! Bodies of agents that showed a fault, moved to the present.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use reqwest::StatusCode;
use serde_json::Value;

use crate::running::{Running, zlib};

pub(crate) const PYTHON: &str = "lang=python/3.11.7 platform=CPython framework=flask/2.2.5";
pub(crate) const NODE: &str = "lang=node/20.20.2 platform=node os=linux framework=express/4.22.3";

/// When the bodies were recorded: 2026-11-26T18:15:00Z.
const RECORDED: i64 = 1_795_716_900;

/// Returns a body with its times moved by the time since the recording.
pub(crate) fn case(name: &str) -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/cases").join(format!("{name}.json"));
    let mut body = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let passed = now() - RECORDED;
    move_times(&mut body, passed - passed % 60);
    body
}

pub(crate) fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

/// Formats seconds since 1970 as agents and the API do.
pub(crate) fn rfc3339(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).unwrap().to_string()
}

fn move_times(value: &mut Value, by: i64) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| move_times(item, by)),
        Value::Object(map) => {
            for (name, value) in map {
                match value {
                    Value::String(text) if name == "timestamp" => {
                        let at: jiff::Timestamp = text.parse().unwrap();
                        *text = rfc3339(at.as_second() + by);
                    }
                    Value::Number(seconds) if name == "timestamp" => {
                        *value = Value::from(seconds.as_i64().unwrap() + by);
                    }
                    _ => move_times(value, by),
                }
            }
        }
        _ => {}
    }
}

/// Starts a server that has stored bodies, posted with the platform header of an agent.
pub(crate) async fn stored(platform: &str, bodies: &[Value]) -> Running {
    let running = Running::start().await;
    for body in bodies {
        post(&running, platform, body).await;
    }
    running.drained().await;
    running
}

pub(crate) async fn post(running: &Running, platform: &str, body: &Value) {
    let request = running.client.post(running.intake("transactions")).bearer_auth(&running.app.secret_token);
    let request = request.header("x-opbeat-platform", platform).body(zlib(&body.to_string()));
    assert_eq!(request.send().await.unwrap().status(), StatusCode::ACCEPTED);
}

impl Running {
    /// Returns the listed transaction with a name.
    pub(crate) async fn transaction(&self, name: &str) -> Value {
        let list = self.ask("transactions/?range=6h").await;
        let named = list["transactions"].as_array().unwrap().iter().filter(|summary| summary["name"] == name);
        let named: Vec<&Value> = named.collect();
        assert_eq!(named.len(), 1, "{name}: {list:#}");
        named[0].clone()
    }

    /// Returns the path of a transaction's page.
    pub(crate) async fn transaction_path(&self, name: &str) -> String {
        format!("/acme/shop/transactions/{}", self.transaction(name).await["id"])
    }

    /// Returns the paths of the pages of a transaction's samples, the slowest first.
    pub(crate) async fn sample_paths(&self, name: &str) -> Vec<String> {
        let path = self.transaction_path(name).await;
        let samples = self.ask(&format!("{}/samples/?range=6h", path.trim_start_matches("/acme/shop/"))).await;
        samples.as_array().unwrap().iter().map(|sample| format!("{path}/samples/{}", sample["id"])).collect()
    }

    /// Returns all samples of a transaction, the slowest first.
    pub(crate) async fn samples(&self, name: &str) -> Vec<Value> {
        let id = self.transaction(name).await["id"].clone();
        let mut samples = Vec::new();
        for summary in self.ask(&format!("transactions/{id}/samples/?range=6h")).await.as_array().unwrap() {
            samples.push(self.ask(&format!("transactions/{id}/samples/{}/", summary["id"])).await);
        }
        samples
    }

    /// Returns a transaction's time by kind in milliseconds, for a range in the form of a query string.
    pub(crate) async fn time_by_kind(&self, name: &str, range: &str) -> Vec<(String, f64)> {
        let id = self.transaction(name).await["id"].clone();
        let parts = self.ask(&format!("transactions/{id}/breakdown/?{range}")).await;
        let part = |part: &Value| (part["kind"].as_str().unwrap().to_owned(), part["self_ms"].as_f64().unwrap());
        let mut parts: Vec<(String, f64)> = parts.as_array().unwrap().iter().map(part).collect();
        parts.sort_by(|a, b| a.0.cmp(&b.0));
        parts
    }
}

/// Asserts the milliseconds of each kind, except for errors of rounding.
pub(crate) fn assert_times(shown: &[(String, f64)], expected: &[(&str, f64)]) {
    let is_equal = shown.len() == expected.len()
        && shown.iter().zip(expected).all(|(a, b)| a.0 == b.0 && (a.1 - b.1).abs() < 1e-6 * b.1.max(1.0));
    assert!(is_equal, "{shown:?} instead of {expected:?}");
}
