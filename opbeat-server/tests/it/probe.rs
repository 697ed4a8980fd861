//! The end-to-end probe.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::StatusCode;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};

use crate::database::Database;
use crate::metrics::value;
use crate::running::{Looks, Running};

async fn metrics(url: &str) -> String {
    reqwest::get(format!("{url}/metrics")).await.unwrap().text().await.unwrap()
}

/// Waits until the page of the metrics fulfils a condition.
async fn until(url: &str, is_met: impl Fn(&str) -> bool) -> String {
    let mut looks = Looks::new();
    loop {
        let page = metrics(url).await;
        if is_met(&page) {
            return page;
        }
        looks.next(&page).await;
    }
}

fn is_up(page: &str) -> bool {
    value(page, "opbeat_probe_up") == Some(1.0)
}

/// Returns whether probes failed at a step more often than a number of times.
fn has_failed(page: &str, step: &str, times: f64) -> bool {
    value(page, &format!("opbeat_probe_failures_total{{step=\"{step}\"}}")).is_some_and(|count| count > times)
}

async fn start() -> Running {
    Running::start_with(|config| {
        config.probe.interval = Some(Duration::from_millis(50));
        config.probe.time_limit = Duration::from_secs(2);
    })
    .await
}

#[tokio::test]
async fn a_probe_measures_the_time_to_visible_and_nobody_sees_its_app() {
    let running = start().await;
    let url = running.server.url();
    let page = until(&url, |page| value(page, "opbeat_probe_successes_total").is_some_and(|count| count > 2.0)).await;
    assert!(is_up(&page), "{page}");
    let visible = value(&page, "opbeat_probe_visible_seconds").unwrap();
    assert!(visible > 0.0 && visible < 2.0, "{visible}");
    assert!(value(&page, "opbeat_probe_last_success_timestamp_seconds").unwrap() > 1.7e9, "{page}");
    assert!(["prepare", "send", "store", "read"].iter().all(|step| !has_failed(&page, step, 0.0)), "{page}");
    let report: Value = running.get("/readyz").await.json().await.unwrap();
    assert_eq!(report["probe"]["state"], "ok", "{report}");
    assert!(report["probe"]["visible_seconds"].as_f64().unwrap() > 0.0, "{report}");

    // Neither the link of the administrator, nor a token, nor a command shows it.
    let apps = running.page("/").await;
    assert!(apps.contains("acme") && !apps.contains("probe"), "{apps}");
    let list = running.client.get(format!("{url}/api/v2/organizations/acme/apps/")).bearer_auth(&running.read_token);
    let list: Value = list.send().await.unwrap().json().await.unwrap();
    assert_eq!(list.as_array().unwrap().len(), 1, "{list}");
    assert_eq!(running.command(&["token", "list"]).await.lines().count(), 2);
    assert_eq!(running.ask("transactions/").await["transactions"], serde_json::json!([]));
}

#[tokio::test]
async fn a_database_that_stores_nothing_fails_probes_and_not_readiness() {
    let running = start().await;
    let url = running.server.url();
    until(&url, is_up).await;
    let database = Database::of(&running).await;
    database.lock().await;
    let page = until(&url, |page| has_failed(page, "store", 0.0)).await;
    assert!(!is_up(&page) && value(&page, "opbeat_probe_visible_seconds").is_some(), "{page}");
    let response = running.get("/readyz").await;
    assert_eq!(response.status(), StatusCode::OK, "data is still accepted");
    let report: Value = response.json().await.unwrap();
    assert_eq!((&report["probe"]["state"], &report["probe"]["step"]), (&"failing".into(), &"store".into()), "{report}");
    assert!(report["messages"].to_string().contains("The end-to-end probe fails at the step `store`"), "{report}");
    database.unlock().await;
    until(&url, is_up).await;

    // A token that was removed is replaced.
    database.run("DELETE FROM secret_tokens WHERE app_id IN (SELECT id FROM apps WHERE short_name = 'probe')").await;
    let page = until(&url, |page| has_failed(page, "send", 0.0)).await;
    assert!(!has_failed(&page, "prepare", 0.0), "{page}");
    until(&url, is_up).await;
}

#[tokio::test]
async fn a_refused_probe_names_the_answer_of_the_intake() {
    let running = Running::start_with(|config| {
        config.probe.interval = Some(Duration::from_millis(50));
        config.intake.min_free_bytes = Some(u64::MAX);
    })
    .await;
    until(&running.server.url(), |page| has_failed(page, "send", 1.0)).await;
    let report: Value = running.get("/healthz").await.json().await.unwrap();
    let messages = report["messages"].to_string();
    assert!(messages.contains("at the step `send`: the intake answers with 503"), "{report}");
}

/// A relay to a server, which closes connections at once while it is not open.
struct Relay {
    url: String,
    is_open: Arc<AtomicBool>,
    target: Arc<std::sync::Mutex<String>>,
}

impl Relay {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (is_open, target) = (Arc::new(AtomicBool::new(false)), Arc::new(std::sync::Mutex::new(String::new())));
        let relay = Self { url, is_open: Arc::clone(&is_open), target: Arc::clone(&target) };
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let target = target.lock().unwrap().clone();
                if is_open.load(Ordering::Relaxed) {
                    tokio::spawn(async move {
                        let mut server = TcpStream::connect(target).await.unwrap();
                        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                    });
                }
            }
        });
        relay
    }

    fn open(&self, url: &str) {
        url.strip_prefix("http://").unwrap().clone_into(&mut self.target.lock().unwrap());
        self.is_open.store(true, Ordering::Relaxed);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_failure_and_its_end_are_logged_once_and_the_intake_can_be_another_one() {
    use std::process::{Command, Stdio};

    use crate::process::start;

    let (relay, folder) = (Relay::start().await, tempfile::tempdir().unwrap());
    let log = folder.path().join("log");
    let mut command = Command::new(env!("CARGO_BIN_EXE_opbeat"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--probe-seconds", "1", "--probe-url", &relay.url, "--data"]);
    command.arg(folder.path().join("data")).stderr(Stdio::from(std::fs::File::create(&log).unwrap()));
    let (mut child, url) = start(&mut command);
    until(&url, |page| has_failed(page, "send", 1.0)).await;
    relay.open(&url);
    let page = until(&url, is_up).await;
    assert!(!has_failed(&page, "store", 0.0), "{page}");
    until(&url, |page| value(page, "opbeat_probe_successes_total").is_some_and(|count| count > 1.0)).await;
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    assert!(child.wait().unwrap().success());
    let log = std::fs::read_to_string(log).unwrap();
    for line in ["the end-to-end probe fails", "the end-to-end probe succeeds again"] {
        assert_eq!(log.matches(line).count(), 1, "{line}: {log}");
    }
    // The process removed its token.
    let database = rusqlite::Connection::open(folder.path().join("data/opbeat.sqlite")).unwrap();
    let tokens: i64 = database.query_row("SELECT count(*) FROM secret_tokens", [], |row| row.get(0)).unwrap();
    assert_eq!(tokens, 0);
}
