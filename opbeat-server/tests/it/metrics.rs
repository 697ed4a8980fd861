//! `/metrics` and `/readyz`, for each role.

use opbeat_server::{Roles, Server, ServerConfig};
use reqwest::StatusCode;
use serde_json::Value;

use crate::running::{Looks, Running};

const GUIDE: &str = include_str!("../../../docs/guides/server.md");

/// Returns the value of a metric with its labels, if the page has it.
pub(crate) fn value(page: &str, metric: &str) -> Option<f64> {
    let lines = page.lines().filter_map(|line| line.strip_prefix(metric)?.strip_prefix(' '));
    lines.map(|value| value.parse().unwrap()).next()
}

async fn page(url: &str) -> String {
    let response = reqwest::get(format!("{url}/metrics")).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    response.text().await.unwrap()
}

/// Returns the status of `/readyz`, and its report.
async fn ready(url: &str) -> (StatusCode, Value) {
    let response = reqwest::get(format!("{url}/readyz")).await.unwrap();
    (response.status(), response.json().await.unwrap())
}

/// Waits until the report of `/readyz` has a state of the database, and returns the status.
async fn ready_with_database(url: &str, state: &str) -> StatusCode {
    let mut looks = Looks::new();
    loop {
        let (status, report) = ready(url).await;
        if report["database"]["state"] == state {
            return status;
        }
        looks.next(&report).await;
    }
}

#[tokio::test]
async fn the_page_has_the_metrics_of_the_guide_and_names_nobody() {
    let running = Running::start().await;
    let refused = running.client.post(running.intake("errors")).bearer_auth("unknown").body("{}").send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    let page = page(&running.server.url()).await;
    let types: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
    assert!(types.len() > 8, "{page}");
    for line in &types {
        let (name, kind) = line.split_once(' ').unwrap();
        assert!(GUIDE.contains(&format!("| `{name}` | {kind} | ")), "{name} is not in the guide");
        let values = page.lines().filter(|line| line.starts_with(name) && !line.starts_with('#'));
        assert!(values.count() > 0, "{name} has no value: {page}");
    }
    assert_eq!([value(&page, "opbeat_accepting"), value(&page, "opbeat_database_up")], [Some(1.0), Some(1.0)]);
    let unauthorized = page.lines().find(|line| line.contains("status=\"401\"")).unwrap_or_default();
    assert!(
        unauthorized.starts_with("opbeat_refused_requests_total{reason=\"") && unauthorized.ends_with(" 1"),
        "{page}"
    );
    assert!(!page.contains("acme") && !page.contains("shop"), "{page}");
    assert!(!page.contains("opbeat_probe"), "this process sends no probes: {page}");
}

#[tokio::test]
async fn intake_is_ready_without_the_database_and_not_on_a_full_disk() {
    let running = Running::start().await;
    if running.database.is_none() {
        std::fs::remove_file(running.folder.path().join("opbeat.sqlite")).unwrap();
        assert_eq!(ready_with_database(&running.server.url(), "missing").await, StatusCode::OK);
        assert_eq!(running.get("/healthz?ready").await.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(value(&page(&running.server.url()).await, "opbeat_database_up"), Some(0.0));
    }
    let full = Running::start_with(|config| config.intake.min_free_bytes = Some(u64::MAX)).await;
    let (status, report) = ready(&full.server.url()).await;
    assert_eq!((status, &report["disk"]["state"]), (StatusCode::SERVICE_UNAVAILABLE, &Value::from("low")), "{report}");
    let page = page(&full.server.url()).await;
    assert_eq!([value(&page, "opbeat_accepting"), value(&page, "opbeat_disk_low")], [Some(0.0), Some(1.0)]);
}

#[tokio::test]
async fn pages_and_the_worker_are_not_ready_without_the_database() {
    for (roles, own, of_others) in [
        (Roles::WEB, "opbeat_database_up", ["opbeat_storing_lag_seconds", "opbeat_accepting"]),
        (Roles::WORKER, "opbeat_storing_lag_seconds", ["opbeat_refused_requests_total", "opbeat_accepting"]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut config = ServerConfig::new(folder.path(), "127.0.0.1:0".parse().unwrap());
        config.roles = roles;
        let server = Server::start(config).await.unwrap();
        let (status, report) = ready(&server.url()).await;
        assert_eq!((status, &report["status"]), (StatusCode::OK, &Value::from("running")), "{roles:?}: {report}");
        let page = page(&server.url()).await;
        assert!(value(&page, own).is_some(), "{roles:?}: {page}");
        assert_eq!(of_others.map(|metric| value(&page, metric)), [None, None], "{roles:?}: {page}");
        std::fs::remove_file(folder.path().join("opbeat.sqlite")).unwrap();
        let status = ready_with_database(&server.url(), "missing").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{roles:?}");
        server.shut_down().await;
    }
}
