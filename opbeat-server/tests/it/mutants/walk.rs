//! Opens the pages and the API's answers of an app.

use std::sync::Arc;

use fastrand::Rng;
use reqwest::StatusCode;
use serde_json::Value;

use super::parallel;
use crate::running::Running;

const RANGES: [&str; 6] = ["15m", "1h", "6h", "24h", "7d", "30d"];

/// The largest page, in bytes.
const MAX_PAGE: usize = 1 << 20;

/// The largest answer of the API, in bytes. It contains what an agent sent in one body.
const MAX_ANSWER: usize = 8 << 20;

/// The largest number of each of the transactions, samples, errors and occurrences that are opened. They are chosen at
/// random, since thousands of them are similar.
const MAX_OPENED: usize = 400;

/// The largest number of rows in one answer.
const ROWS: usize = 200;

/// Walks through everything that the server shows of an app. The lists are read to their ends.
pub(super) async fn walk(running: &Arc<Running>, app: &str, rng: &mut Rng) {
    let api = format!("/api/v2/organizations/acme/apps/{app}");
    let mut paths = lists(app, &api);
    let transactions = list(running, &format!("{api}/transactions/?range=30d"), "transactions", &mut paths).await;
    let errors = list(running, &format!("{api}/errors/?order=times_seen"), "errors", &mut paths).await;
    let releases = list(running, &format!("{api}/releases/?"), "releases", &mut paths).await;
    let deployments = list(running, &format!("{api}/deployments/?"), "deployments", &mut paths).await;
    for page in 0..=transactions.len() / 50 {
        paths.push(format!("/acme/{app}/?range=30d&page={page}"));
    }
    for page in 0..=errors.len() / 50 {
        paths.extend(["latest", "times"].map(|order| format!("/acme/{app}/errors/?order={order}&page={page}")));
    }
    paths.extend(releases.iter().map(|release| format!("{api}/releases/{}/", release["number"])));
    let machines = deployments.iter().map(|deployment| deployment["machine"].as_str().unwrap());
    paths.extend(machines.map(|machine| format!("{api}/deployments/{}/", segment(machine))));

    let mut samples = Vec::new();
    for id in chosen(rng, transactions).iter().map(|transaction| &transaction["id"]) {
        let range = RANGES[rng.usize(..RANGES.len())];
        let parts = ["", "series/", "breakdown/"].map(|part| format!("{api}/transactions/{id}/{part}?range={range}"));
        paths.extend(parts);
        paths.push(format!("/acme/{app}/transactions/{id}?range={range}"));
        let of_transaction = ask(running, &format!("{api}/transactions/{id}/samples/?range=30d")).await;
        let ids = of_transaction.as_array().unwrap().iter().map(|sample| sample["id"].clone());
        samples.extend(ids.map(|sample| format!("/transactions/{id}/samples/{sample}")));
    }
    for sample in chosen(rng, samples) {
        paths.extend([format!("/acme/{app}{sample}"), format!("{api}{sample}/")]);
    }
    let mut occurrences = Vec::new();
    for number in chosen(rng, errors).iter().map(|error| &error["number"]) {
        paths.push(format!("/acme/{app}/errors/{number}/"));
        let error = ask(running, &format!("{api}/errors/{number}/")).await;
        for occurrence in error["occurrences"].as_array().unwrap() {
            occurrences.push((number.clone(), occurrence["id"].clone()));
        }
    }
    for (number, occurrence) in chosen(rng, occurrences) {
        paths.push(format!("/acme/{app}/errors/{number}/?occurrence={occurrence}"));
        paths.push(format!("{api}/errors/{number}/occurrences/{occurrence}/"));
    }
    let running = Arc::clone(running);
    parallel(paths, move |path| {
        let running = Arc::clone(&running);
        async move { open(&running, &path).await }
    })
    .await;
}

/// Returns the pages and answers that have a range.
fn lists(app: &str, api: &str) -> Vec<String> {
    let mut paths = vec!["/".to_owned(), format!("/acme/{app}/"), "/api/v2/organizations/acme/apps/".to_owned()];
    for range in RANGES {
        paths.extend(["", "intake/"].map(|page| format!("/acme/{app}/{page}?range={range}")));
        let parts = ["transactions", "series", "breakdown", "intake"];
        paths.extend(parts.map(|part| format!("{api}/{part}/?range={range}")));
    }
    paths
}

/// Returns all rows of a list, and adds the paths of its parts.
async fn list(running: &Running, path: &str, rows: &str, paths: &mut Vec<String>) -> Vec<Value> {
    let mut all = Vec::new();
    loop {
        let path = format!("{path}&limit={ROWS}&offset={}", all.len());
        let answer = ask(running, &path).await;
        paths.push(path);
        let part = answer[rows].as_array().unwrap();
        all.extend(part.iter().cloned());
        if part.len() < ROWS {
            return all;
        }
    }
}

/// Returns at most [`MAX_OPENED`] items.
fn chosen<T>(rng: &mut Rng, mut items: Vec<T>) -> Vec<T> {
    rng.shuffle(&mut items);
    items.truncate(MAX_OPENED);
    items
}

/// Percent-encodes a segment of a path.
fn segment(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

async fn ask(running: &Running, path: &str) -> Value {
    let text = open(running, path).await;
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}: {text:.300}"))
}

/// Requests a page or an answer of the API, and returns it.
async fn open(running: &Running, path: &str) -> String {
    let request = running.client.get(format!("{}{path}", running.server.url())).header("cookie", &running.cookie);
    let response = request.bearer_auth(&running.read_token).send().await.unwrap();
    let status = response.status();
    let text = response.text().await.unwrap();
    assert_eq!(status, StatusCode::OK, "{path}: {text:.1000}");
    let limit = if path.starts_with("/api/") { MAX_ANSWER } else { MAX_PAGE };
    assert!(text.len() <= limit, "{path} has {} bytes: {text:.1000}", text.len());
    text
}
