//! A server on a free port, with an app.

use std::fmt::Display;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::ZlibEncoder;
use opbeat_server::{AppCredentials, Server, ServerConfig};
use reqwest::header::{HeaderMap, HeaderName};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::Interval;

use crate::database::TestDatabase;

/// A timeout that no working test reaches.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Running {
    pub(crate) server: Server,
    pub(crate) app: AppCredentials,
    pub(crate) client: Client,
    pub(crate) folder: TempDir,
    /// The database, unless it is in the folder.
    pub(crate) database: Option<TestDatabase>,
    pub(crate) read_token: String,
    /// The cookie of a browser that opened the sign-in link.
    pub(crate) cookie: String,
}

impl Running {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut ServerConfig)) -> Self {
        Self::start_on(TestDatabase::create().await, change).await
    }

    /// Starts a server whose database is a file in its folder, also while the tests use PostgreSQL. This is for tests of what
    /// happens to the file, and of processes that know the folder only.
    pub(crate) async fn start_with_file() -> Self {
        Self::start_on(None, |_| {}).await
    }

    async fn start_on(database: Option<TestDatabase>, change: impl FnOnce(&mut ServerConfig)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = ServerConfig::new(folder.path(), "127.0.0.1:0".parse().unwrap());
        config.store = database.as_ref().map(TestDatabase::url);
        // Tests count what they send.
        config.probe.interval = None;
        change(&mut config);
        let server = Server::start(config).await.unwrap();
        let mut app = server.create_app("acme", "shop").await.unwrap();
        // The public URL leads to a proxy, which no test has.
        app.server_url = local_url(&server);
        let read_token = server.create_read_token("acme").await.unwrap();
        let cookie = sign_in_by_link(&server).await;
        Self { server, app, client: Client::new(), folder, database, read_token, cookie }
    }

    /// Stops the server, and starts it again with the same data folder and the default limits.
    pub(crate) async fn restart(self) -> Self {
        self.restart_with(|_| {}).await
    }

    /// Stops the server, and starts it again with the same data folder and some limits.
    pub(crate) async fn restart_with(self, change: impl FnOnce(&mut ServerConfig)) -> Self {
        let Self { server, mut app, client, folder, database, read_token, .. } = self;
        server.shut_down().await;
        let mut config = ServerConfig::new(folder.path(), "127.0.0.1:0".parse().unwrap());
        config.store = database.as_ref().map(TestDatabase::url);
        config.probe.interval = None;
        change(&mut config);
        let server = Server::start(config).await.unwrap();
        app.server_url = local_url(&server);
        let cookie = sign_in_by_link(&server).await;
        Self { server, app, client, folder, database, read_token, cookie }
    }

    pub(crate) fn intake(&self, endpoint: &str) -> String {
        intake_url(&self.app, endpoint)
    }

    /// Posts a body with the app's secret token.
    pub(crate) async fn post(&self, endpoint: &str, body: impl Into<reqwest::Body>) -> Response {
        let request = self.client.post(self.intake(endpoint)).bearer_auth(&self.app.secret_token);
        request.body(body).send().await.unwrap()
    }

    pub(crate) async fn accept(&self, endpoint: &str, body: &Value) {
        let response = self.post(endpoint, zlib(&body.to_string())).await;
        assert_eq!(response.status(), StatusCode::ACCEPTED, "{}", response.text().await.unwrap());
    }

    /// Runs a command on the folder of the running server, and returns what it prints.
    pub(crate) async fn command(&self, arguments: &[&str]) -> String {
        let output = self.output_of(arguments).await;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a command on the server's folder and database, which may fail.
    ///
    /// The server runs on the thread of the test and may hold a lock that the command waits for, so that the thread must not
    /// wait for the command.
    pub(crate) async fn output_of(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_opbeat"));
        command.args(arguments).arg("--data").arg(self.folder.path());
        if let Some(database) = &self.database {
            command.env("OPBEAT_STORE", database.url());
        }
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    /// Waits until the worker has stored all queued data.
    pub(crate) async fn drained(&self) {
        let mut looks = Looks::new();
        loop {
            let health: Value = self.get("/healthz").await.json().await.unwrap();
            if health["queue"]["backlog_bytes"] == 0 {
                return;
            }
            looks.next(format_args!("the queue was not stored in time: {health}")).await;
        }
    }

    /// Requests a page as a browser that is signed in.
    pub(crate) async fn get(&self, path: &str) -> Response {
        let request = self.client.get(format!("{}{path}", local_url(&self.server)));
        request.header("cookie", &self.cookie).send().await.unwrap()
    }

    pub(crate) async fn page(&self, path: &str) -> String {
        let response = self.get(path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        response.text().await.unwrap()
    }

    /// Returns a resource of the app from the API.
    pub(crate) async fn ask(&self, path: &str) -> Value {
        self.ask_of("shop", path).await
    }

    /// Returns a resource of another app from the API.
    pub(crate) async fn ask_of(&self, app: &str, path: &str) -> Value {
        let url = format!("{}/api/v2/organizations/acme/apps/{app}/{path}", local_url(&self.server));
        let response = self.client.get(url).bearer_auth(&self.read_token).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        response.json().await.unwrap()
    }
}

/// Looks for something that happens soon. A break after each look leaves the processor to what happens.
pub(crate) struct Looks {
    ticks: Interval,
    deadline: Instant,
}

impl Looks {
    pub(crate) fn new() -> Self {
        let break_time = Duration::from_millis(5);
        let ticks = tokio::time::interval_at(tokio::time::Instant::now() + break_time, break_time);
        Self { ticks, deadline: Instant::now() + PATIENCE }
    }

    /// Waits until the next look. Fails with what was seen if that takes longer than [`PATIENCE`].
    pub(crate) async fn next(&mut self, seen: impl Display) {
        assert!(Instant::now() < self.deadline, "{seen}");
        self.ticks.tick().await;
    }
}

/// Opens the sign-in link, and returns the session's cookie.
pub(crate) async fn sign_in_by_link(server: &Server) -> String {
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    let link = server.sign_in_url().replace(&server.url(), &local_url(server));
    session_of(&client.get(link).send().await.unwrap())
}

/// Returns the URL of a server without its proxy.
pub(crate) fn local_url(server: &Server) -> String {
    format!("http://{}", server.address())
}

/// Returns the session's cookie that a response sets, as a browser sends it.
pub(crate) fn session_of(response: &Response) -> String {
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    let cookie = response.headers()["set-cookie"].to_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

pub(crate) fn intake_url(app: &AppCredentials, endpoint: &str) -> String {
    let AppCredentials { server_url, organization_id, app_id, .. } = app;
    format!("{server_url}/api/v1/organizations/{organization_id}/apps/{app_id}/{endpoint}/")
}

/// Returns the headers and the body that an agent sent, without the headers that belong to the recording.
pub(crate) fn recording(agent: &str, name: &str) -> (HeaderMap, String) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/agents").join(agent);
    let headers = std::fs::read_to_string(folder.join(format!("{name}.headers.txt"))).unwrap();
    let lines = headers.lines().skip(1).take_while(|line| !line.is_empty());
    let headers = lines.map(|line| line.split_once(": ").unwrap());
    let headers = headers.filter(|(name, _)| !["Host", "Authorization", "Content-Length", "Connection"].contains(name));
    let header = |(name, value): (&str, &str)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
    // A preflight has no body.
    let body = std::fs::read_to_string(folder.join(format!("{name}.json"))).unwrap_or_default();
    (headers.map(header).collect(), body)
}

pub(crate) fn zlib(body: &str) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body.as_bytes()).unwrap();
    encoder.finish().unwrap()
}
