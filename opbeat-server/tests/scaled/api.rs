//! The JSON API of a deployment.

use std::time::{Duration, Instant};

use reqwest::{Client, StatusCode};
use serde_json::Value;

/// A timeout that no working test reaches.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// The largest number of rows of a page.
pub(crate) const PAGE: usize = 200;

pub(crate) struct Api {
    client: Client,
    url: String,
    token: String,
}

impl Api {
    pub(crate) fn new(url: &str, token: String) -> Self {
        Self { client: Client::new(), url: url.to_owned(), token }
    }

    /// Returns the API of another server that knows the same token.
    pub(crate) fn at(&self, url: &str) -> Self {
        Self::new(url, self.token.clone())
    }

    /// Returns the URL of the server.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Returns the header value with the read token.
    pub(crate) fn authorization(&self) -> String {
        format!("Bearer {}", self.token)
    }

    /// Returns the status and the text of an answer.
    pub(crate) async fn text(&self, path: &str) -> (StatusCode, String) {
        let request = self.client.get(format!("{}{path}", self.url)).bearer_auth(&self.token);
        let response = request.send().await.unwrap();
        (response.status(), response.text().await.unwrap())
    }

    /// Returns an answer. While the store is away, this asks again.
    pub(crate) async fn ask(&self, path: &str) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let (status, text) = self.text(path).await;
            if status == StatusCode::OK {
                return serde_json::from_str(&text).unwrap();
            }
            assert!(status.is_server_error() && Instant::now() < deadline, "{path}: {status}: {text}");
            pause().await;
        }
    }

    /// Returns all rows of a list, which is in a member of the answers.
    pub(crate) async fn list(&self, path: &str, member: &str) -> Vec<Value> {
        let mut rows = Vec::new();
        loop {
            let separator = if path.contains('?') { '&' } else { '?' };
            let page = self.ask(&format!("{path}{separator}limit={PAGE}&offset={}", rows.len())).await;
            let page = page[member].as_array().unwrap();
            rows.extend_from_slice(page);
            if page.len() < PAGE {
                return rows;
            }
        }
    }

    /// Returns the number of bytes that a process with its own queue has not stored yet.
    pub(crate) async fn backlog(&self) -> u64 {
        let (_, text) = self.text("/healthz").await;
        let health: Value = serde_json::from_str(&text).unwrap();
        health["queue"]["backlog_bytes"].as_u64().unwrap()
    }
}

/// Gives the processes that a loop asks some time for their work.
pub(crate) async fn pause() {
    tokio::time::interval_at(tokio::time::Instant::now() + Duration::from_millis(20), PATIENCE).tick().await;
}
