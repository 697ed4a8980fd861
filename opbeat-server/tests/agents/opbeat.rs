//! The binary: a server on a free port, its command line and its API.

use std::process::Command;
use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::Value;
use tempfile::TempDir;

use crate::recorder::PATIENCE;

const BINARY: &str = env!("CARGO_BIN_EXE_opbeat");

pub(crate) struct Opbeat {
    pub(crate) url: String,
    _process: test_backends::Opbeat,
    client: reqwest::Client,
    read_token: String,
    folder: TempDir,
}

impl Opbeat {
    /// Starts the server with the app `acme/shop`.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts the server with some flags.
    pub(crate) fn start_with(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let process = test_backends::Opbeat::start(BINARY, "serve", folder.path(), options);
        let url = process.url().to_owned();
        let mut opbeat =
            Self { url, _process: process, client: reqwest::Client::new(), read_token: String::new(), folder };
        opbeat.run(&["app", "create", "acme/shop"]);
        opbeat.read_token = opbeat.run(&["token", "create", "acme"]).trim().to_owned();
        opbeat
    }

    /// Runs a command of the binary, and returns what it prints.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(BINARY);
        let output = command.args(arguments).arg("--data").arg(self.folder.path()).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Returns the environment variables of the app's agent, which is to send to a URL.
    pub(crate) fn environment(&self, url: &str) -> Vec<(String, String)> {
        let lines = self.run(&["app", "create", "acme/shop", "--url", url]);
        let pairs = lines.lines().map(|line| line.split_once('=').unwrap());
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// Waits until all accepted data is stored.
    pub(crate) async fn drained(&self) {
        let deadline = Instant::now() + PATIENCE;
        let mut looks = tokio::time::interval(Duration::from_millis(5));
        loop {
            let health = self.client.get(format!("{}/healthz", self.url)).send().await.unwrap();
            let health: Value = health.json().await.unwrap();
            if health["queue"]["backlog_bytes"] == 0 {
                return;
            }
            assert!(Instant::now() < deadline, "the queue was not stored in time: {health}");
            // A break leaves the processor to the worker.
            looks.tick().await;
        }
    }

    /// Reports to an endpoint as an agent does.
    pub(crate) async fn report(&self, endpoint: &str, body: &Value) {
        let environment = self.environment(&self.url);
        let value = |name: &str| &environment.iter().find(|(found, _)| found == name).unwrap().1;
        let (organization, app) = (value("OPBEAT_ORGANIZATION_ID"), value("OPBEAT_APP_ID"));
        let url = format!("{}/api/v1/organizations/{organization}/apps/{app}/{endpoint}/", self.url);
        let request = self.client.post(url).bearer_auth(value("OPBEAT_SECRET_TOKEN"));
        let response = request.body(body.to_string()).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::ACCEPTED, "{}", response.text().await.unwrap());
    }

    /// Changes a resource of the app with a token.
    pub(crate) async fn change(&self, path: &str, token: &str, change: &Value) {
        let url = format!("{}/api/v2/organizations/acme/apps/shop/{path}", self.url);
        let request = self.client.patch(url).bearer_auth(token).header("content-type", "application/json");
        let response = request.body(change.to_string()).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{}", response.text().await.unwrap());
    }

    /// Returns a resource of the app from the API.
    pub(crate) async fn ask(&self, path: &str) -> Value {
        let url = format!("{}/api/v2/organizations/acme/apps/shop/{path}", self.url);
        let response = self.client.get(url).bearer_auth(&self.read_token).send().await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        assert_eq!(status, StatusCode::OK, "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    }
}
