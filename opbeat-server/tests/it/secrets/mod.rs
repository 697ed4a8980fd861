//! Secrets that agents send: none reaches the disk, neither the queue nor the database.

mod bodies;
mod planted;
mod search;

use reqwest::header::{ORIGIN, USER_AGENT};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::Value;

use crate::database::Database;
use crate::running::{Running, zlib};
use planted::Planter;
use search::Contents;

const SHOP: &str = "https://shop.example";

/// Posts a body with secrets in its headers.
async fn post(running: &Running, planter: &mut Planter, endpoint: &str, body: &Value) {
    let framework = planter.unstored().replace(' ', "+");
    let request = running.client.post(running.intake(endpoint));
    let request = request.header("X-Opbeat-Platform", format!("lang=python/3.11.7 framework={framework}/2.2.5"));
    let request = request.header(USER_AGENT, format!("opbeat-python/3.6.1 {}", planter.unstored()));
    let request = request.header("Idempotency-Key", planter.unstored());
    accept(request.bearer_auth(&running.app.secret_token), endpoint, body).await;
}

/// Posts a body as a browser. The names of the browser are kept with errors only.
async fn post_from_browser(running: &Running, planter: &mut Planter, endpoint: &str, body: &Value) {
    let mut request = running.client.post(running.intake(endpoint)).header(ORIGIN, SHOP);
    for name in ["User-Agent", "X-Opbeat-Client", "X-Opbeat-Platform"] {
        let is_kept = endpoint.ends_with("errors");
        request = request.header(name, if is_kept { planter.text(name) } else { planter.unstored() });
    }
    accept(request, endpoint, body).await;
}

/// Posts a request of OpenTelemetry.
async fn post_otlp(running: &Running, path: &str, body: &Value) {
    let request = running.client.post(format!("{}{path}", running.server.url())).bearer_auth(&running.app.secret_token);
    let response = request.json(body).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK, "{path}: {body}");
    let answer: Value = response.json().await.unwrap();
    assert_eq!(answer, serde_json::json!({}), "nothing is rejected: {body}");
}

async fn accept(request: RequestBuilder, endpoint: &str, body: &Value) {
    let response = request.body(zlib(&body.to_string())).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::ACCEPTED, "{endpoint}: {}: {body}", response.text().await.unwrap());
}

/// Returns all bodies with their endpoints.
fn load(planter: &mut Planter) -> Vec<(&'static str, Value)> {
    let mut load = Vec::new();
    planter.for_each_form(|planter| {
        load.push(("errors", bodies::error(planter)));
        load.extend(bodies::further_errors(planter).into_iter().map(|body| ("errors", body)));
        load.push(("transactions", bodies::aggregated(planter)));
        load.extend([true, false].map(|has_breakdown| ("transactions", bodies::sampled(planter, has_breakdown))));
        load.push(("releases", bodies::release(planter)));
        load.push(("deployments", bodies::deployment(planter)));
        load.push(("/v1/traces", bodies::otlp_traces(planter, load.len())));
        load.push(("/v1/logs", bodies::otlp_logs(planter)));
        load.push(("client-side/errors", bodies::error(planter)));
        load.push(("client-side/transactions", bodies::sampled(planter, false)));
    });
    load
}

/// Asserts that nothing contains a secret, and that something contains each harmless word.
fn assert_scrubbed(contents: &Contents, planter: &Planter) {
    let leaks = contents.leaks();
    assert!(
        leaks.is_empty(),
        "{} leaks of {}:\n{}",
        leaks.len(),
        planter.planted,
        leaks[..leaks.len().min(100)].join("\n")
    );
    let missing = contents.missing(&planter.kept);
    let shown = &missing[..missing.len().min(100)];
    assert!(missing.is_empty(), "{} of {} words are missing: {shown:?}", missing.len(), planter.kept.len());
}

#[tokio::test]
async fn no_planted_secret_reaches_the_disk() {
    let running = Running::start_with(|config| config.intake.client_side_burst = 1_000).await;
    running.command(&["app", "origins", "acme/shop", "--add", SHOP]).await;
    let mut planter = Planter::new();
    let load = load(&mut planter);
    let data = running.folder.path().to_owned();
    // While the database is locked, everything is in the queue.
    let database = Database::of(&running).await;
    database.lock().await;
    for (endpoint, body) in &load {
        match *endpoint {
            "/v1/traces" | "/v1/logs" => post_otlp(&running, endpoint, body).await,
            browser if browser.starts_with("client-side") => {
                post_from_browser(&running, &mut planter, endpoint, body).await;
            }
            agent => post(&running, &mut planter, agent, body).await,
        }
    }
    assert_scrubbed(&Contents::files(&data.join("queue")), &planter);
    database.unlock().await;
    drop(database);
    running.drained().await;
    assert!(running.command(&["parked", "list"]).await.contains("0 parked."));
    let while_running = Contents::files(&data);
    let mut contents = Contents::default();
    contents.add_database(&Database::of(&running).await).await;
    let Running { server, folder, .. } = running;
    server.shut_down().await;
    contents.add_files(&data);
    assert_scrubbed(&contents, &planter);
    assert!(while_running.leaks().is_empty(), "the write-ahead log has secrets: {:?}", while_running.leaks());
    drop(folder);
}
