//! A server with data of its own.

use std::time::{Duration, Instant};

use opbeat_server::{Server, ServerConfig};
use serde_json::Value;
use tempfile::TempDir;

/// A timeout that no working test reaches.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Running {
    pub(crate) server: Server,
    pub(crate) client: reqwest::Client,
    _folder: TempDir,
}

impl Running {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = ServerConfig::new(folder.path(), "127.0.0.1:0".parse().unwrap());
        config.probe.interval = None;
        let server = Server::start(config).await.unwrap();
        Self { server, client: reqwest::Client::new(), _folder: folder }
    }

    /// Waits until the server says in a sentence what a release made slower.
    pub(crate) async fn wait_for_finding(&self, organization: &str, app: &str) {
        let token = self.server.create_read_token(organization).await.unwrap();
        let url = format!("{}/api/v2/organizations/{organization}/apps/{app}/findings/", self.server.url());
        let deadline = Instant::now() + PATIENCE;
        let mut looks = tokio::time::interval(Duration::from_millis(50));
        loop {
            looks.tick().await;
            let found = self.client.get(&url).bearer_auth(&token).send().await.unwrap();
            let found: Value = found.json().await.unwrap();
            if found["findings"][0]["sentence"].is_string() {
                return;
            }
            assert!(Instant::now() < deadline, "nothing was found in time: {found}");
        }
    }

    /// Waits until all accepted data is stored.
    pub(crate) async fn stored(&self) {
        let deadline = Instant::now() + PATIENCE;
        // A break after each look leaves the processor to the worker.
        let mut looks = tokio::time::interval(Duration::from_millis(5));
        loop {
            looks.tick().await;
            let health = self.client.get(format!("{}/healthz", self.server.url())).send().await.unwrap();
            let health: Value = health.json().await.unwrap();
            if health["queue"]["backlog_bytes"] == 0 {
                return;
            }
            assert!(Instant::now() < deadline, "the data was not stored in time: {health}");
        }
    }
}
