//! Tokens, origins and services while the database is away, and tokens that are revoked.

use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{SystemTime, UNIX_EPOCH};

use opbeat_server::AppCredentials;
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::command::opbeat;
use crate::process::serve_with;
use crate::running::{Looks, Running, session_of};

const SHOP: &str = "https://shop.example";

/// A process on the data folder of a server that was stopped.
struct Process {
    child: Child,
    url: String,
    client: Client,
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Process {
    fn start(data: &Path, arguments: &[&str]) -> Self {
        let (child, url) = serve_with(data, arguments);
        Self { child, url, client: Client::new() }
    }

    fn kill(&mut self) {
        // An error means that it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn intake(&self, app: &AppCredentials, endpoint: &str) -> String {
        let AppCredentials { organization_id, app_id, .. } = app;
        format!("{}/api/v1/organizations/{organization_id}/apps/{app_id}/{endpoint}/", self.url)
    }

    /// Posts a transaction with a token.
    async fn post(&self, app: &AppCredentials, token: &str) -> Response {
        let body = json!({"transactions": [{"transaction": "GET /", "result": 200, "durations": [1.0]}], "traces": []});
        let request = self.client.post(self.intake(app, "transactions")).bearer_auth(token);
        request.body(body.to_string()).send().await.unwrap()
    }

    /// Posts an error from a page of an origin.
    async fn report(&self, app: &AppCredentials, origin: &str) -> Response {
        let request = self.client.post(self.intake(app, "client-side/errors")).header("origin", origin);
        request.body(r#"{"message": "no cart"}"#).send().await.unwrap()
    }

    /// Posts a span of a service of OpenTelemetry.
    async fn export(&self, app: &AppCredentials, service: &str) -> Response {
        let name = json!({"key": "service.name", "value": {"stringValue": service}});
        let end = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
        let span = json!({
            "traceId": "07070707070707070707070707070707", "spanId": "0101010101010101", "name": "GET /", "kind": 2,
            "startTimeUnixNano": (end - 1_000_000).to_string(), "endTimeUnixNano": end.to_string(),
        });
        let scopes = json!([{"spans": [span]}]);
        let body = json!({"resourceSpans": [{"resource": {"attributes": [name]}, "scopeSpans": scopes}]});
        let request = self.client.post(format!("{}/v1/traces", self.url)).bearer_auth(&app.secret_token);
        request.header("content-type", "application/json").body(body.to_string()).send().await.unwrap()
    }

    /// Waits until the health check reports a state of the database, and returns the report.
    async fn health(&self, state: &str) -> Value {
        let mut looks = Looks::new();
        loop {
            let response = self.client.get(format!("{}/healthz", self.url)).send().await.unwrap();
            let health: Value = response.json().await.unwrap();
            if health["database"]["state"] == state {
                return health;
            }
            looks.next(&health).await;
        }
    }
}

/// A stopped server, which knew an app with a token, an origin and a service, and whose database was moved away.
struct Stopped {
    folder: TempDir,
    app: AppCredentials,
    read_token: String,
}

impl Stopped {
    async fn new() -> Self {
        let running = Running::start_with_file().await;
        running.command(&["app", "origins", "acme/shop", "--add", SHOP]).await;
        running.command(&["app", "create", "acme/books"]).await;
        running.command(&["org", "services", "acme", "--create"]).await;
        let snapshot = running.folder.path().join("directory.json");
        let mut looks = Looks::new();
        while !["\"create\"", SHOP]
            .iter()
            .all(|text| std::fs::read_to_string(&snapshot).unwrap_or_default().contains(text))
        {
            looks.next("the snapshot was not written").await;
        }
        let text = std::fs::read_to_string(&snapshot).unwrap();
        for token in [&running.app.secret_token, &running.read_token] {
            assert!(!text.contains(token), "the snapshot contains hashes only");
        }
        let Running { server, folder, app, read_token, .. } = running;
        server.shut_down().await;
        std::fs::rename(folder.path().join("opbeat.sqlite"), folder.path().join("moved")).unwrap();
        Self { folder, app, read_token }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// Expects the answer of a server that cannot look something up.
async fn expect_unavailable(response: Response) {
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(response.headers().contains_key("retry-after"));
    let message = response.text().await.unwrap();
    assert!(message.contains("the database does not answer"), "{message}");
}

#[tokio::test]
async fn known_apps_are_accepted_after_a_restart_without_the_database() {
    let stopped = Stopped::new().await;
    let Stopped { folder, app, read_token } = &stopped;
    let mut process = Process::start(folder.path(), &[]);
    let token = &*app.secret_token;
    assert_eq!(process.post(app, token).await.status(), StatusCode::ACCEPTED);
    assert_eq!(process.report(app, SHOP).await.status(), StatusCode::ACCEPTED);
    let exported = process.export(app, "Books").await;
    assert_eq!((exported.status(), exported.text().await.unwrap()), (StatusCode::OK, "{}".to_owned()));
    expect_unavailable(process.post(app, "unknown").await).await;
    expect_unavailable(process.report(app, "https://other.example").await).await;
    expect_unavailable(process.export(app, "another").await).await;

    let health = process.health("missing").await;
    assert_eq!(health["status"], "accepting", "{health}");
    let messages = health["messages"].to_string();
    assert!(messages.contains("Restore the file") && messages.contains("--create-database"), "{health}");
    let command = opbeat(folder.path(), &["app", "create", "acme/shop"]);
    let error = String::from_utf8(command.stderr).unwrap();
    assert!(error.contains("is missing or empty, although this data folder was used before"), "{error}");
    assert!(!stopped.path("opbeat.sqlite").exists(), "no empty database was created");

    process.kill();
    std::fs::rename(stopped.path("moved"), stopped.path("opbeat.sqlite")).unwrap();
    let process = Process::start(folder.path(), &[]);
    assert_eq!(process.post(app, token).await.status(), StatusCode::ACCEPTED);
    let mut looks = Looks::new();
    for (app, count) in [("shop", 2), ("books", 1)] {
        let url = format!("{}/api/v2/organizations/acme/apps/{app}/transactions/?range=1h", process.url);
        loop {
            let response = process.client.get(&url).bearer_auth(read_token).send().await.unwrap();
            let list: Value = response.json().await.unwrap();
            let transactions = list["transactions"].as_array();
            if transactions.is_some_and(|all| all.iter().any(|one| one["count"] == count)) {
                break;
            }
            looks.next(format_args!("{app} {list}")).await;
        }
    }
}

#[tokio::test]
async fn limits_of_an_app_hold_after_a_restart_without_the_database() {
    let running = Running::start().await;
    if running.database.is_some() {
        println!("skipped: a server has no file that could be moved");
        return;
    }
    running.command(&["app", "limits", "acme/shop", "--quota-events", "2"]).await;
    let snapshot = running.folder.path().join("directory.json");
    let mut looks = Looks::new();
    while !std::fs::read_to_string(&snapshot).unwrap_or_default().contains(r#""quota_events":2"#) {
        looks.next("the snapshot has no limits").await;
    }
    let Running { server, folder, app, .. } = running;
    server.shut_down().await;
    std::fs::rename(folder.path().join("opbeat.sqlite"), folder.path().join("moved")).unwrap();
    let process = Process::start(folder.path(), &[]);
    for status in [StatusCode::ACCEPTED, StatusCode::ACCEPTED, StatusCode::TOO_MANY_REQUESTS] {
        let response = process.post(&app, &app.secret_token).await;
        assert_eq!(response.status(), status, "{}", response.text().await.unwrap());
    }
}

#[tokio::test]
async fn an_empty_database_is_created_only_on_request() {
    let stopped = Stopped::new().await;
    let app = &stopped.app;
    // A restored file may be empty, such as after a full disk.
    std::fs::write(stopped.path("opbeat.sqlite"), []).unwrap();
    let mut process = Process::start(stopped.folder.path(), &[]);
    assert_eq!(process.post(app, &app.secret_token).await.status(), StatusCode::ACCEPTED);
    process.health("missing").await;
    assert_eq!(std::fs::metadata(stopped.path("opbeat.sqlite")).unwrap().len(), 0, "nothing is written to it");
    process.kill();
    let process = Process::start(stopped.folder.path(), &["--create-database"]);
    assert_eq!(process.post(app, &app.secret_token).await.status(), StatusCode::UNAUTHORIZED);
    process.health("ok").await;
}

#[tokio::test]
async fn a_damaged_snapshot_is_ignored() {
    let stopped = Stopped::new().await;
    let (app, snapshot) = (&stopped.app, stopped.path("directory.json"));
    let mut bytes = std::fs::read(&snapshot).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&snapshot, &bytes).unwrap();
    let mut process = Process::start(stopped.folder.path(), &[]);
    expect_unavailable(process.post(app, &app.secret_token).await).await;
    process.kill();
    std::fs::rename(stopped.path("moved"), stopped.path("opbeat.sqlite")).unwrap();
    let process = Process::start(stopped.folder.path(), &[]);
    assert_eq!(process.post(app, &app.secret_token).await.status(), StatusCode::ACCEPTED);
    let mut looks = Looks::new();
    while std::fs::read(&snapshot).unwrap() == bytes {
        looks.next("the snapshot was not replaced").await;
    }
}

/// Returns the lines of `opbeat token list`, each with its columns.
async fn tokens(running: &Running, arguments: &[&str]) -> Vec<Vec<String>> {
    let printed = running.command(&[&["token", "list"], arguments].concat()).await;
    printed.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

#[tokio::test]
async fn a_revoked_secret_token_is_refused_by_a_running_server_and_others_are_kept() {
    let running = Running::start().await;
    running.server.create_app("rival", "store").await.unwrap();
    let first = tokens(&running, &["acme/shop"]).await;
    assert_eq!(first.len(), 1);
    assert_eq!(first[0][1..4], ["secret", "acme", "shop"]);
    let second = running.server.create_app("acme", "shop").await.unwrap();
    assert_eq!((second.secret_token.len(), running.read_token.len()), (64, 64), "tokens have 256 bits");
    assert_eq!(tokens(&running, &["acme/shop"]).await.len(), 2);
    assert_eq!(tokens(&running, &["acme"]).await.len(), 3, "with the read token");
    assert_eq!(tokens(&running, &[]).await.len(), 4);
    let status = async |token: &str| {
        let request = running.client.post(running.intake("errors")).bearer_auth(token);
        request.body(r#"{"message": "no cart"}"#).send().await.unwrap().status()
    };
    assert_eq!(status(&second.secret_token).await, StatusCode::ACCEPTED);
    assert_eq!(status(&running.app.secret_token).await, StatusCode::ACCEPTED);

    let revoked = running.command(&["token", "revoke", &first[0][0]]).await;
    assert!(revoked.starts_with(&format!("Revoked the secret token {} of acme/shop", first[0][0])), "{revoked}");
    let mut looks = Looks::new();
    while status(&running.app.secret_token).await != StatusCode::UNAUTHORIZED {
        looks.next("the token is still accepted").await;
    }
    assert_eq!(status(&second.secret_token).await, StatusCode::ACCEPTED);
    let again = running.output_of(&["token", "revoke", &first[0][0]]).await;
    assert!(!again.status.success());
    let error = String::from_utf8(again.stderr).unwrap();
    assert!(error.contains("there is no token with the id"), "{error}");
}

#[tokio::test]
async fn a_revoked_read_token_ends_its_sessions() {
    let running = Running::start().await;
    let url = running.server.url();
    let browser = Client::builder().redirect(Policy::none()).build().unwrap();
    let form = browser.post(format!("{url}/sign-in")).header("content-type", "application/x-www-form-urlencoded");
    let cookie = session_of(&form.body(format!("token={}", running.read_token)).send().await.unwrap());
    let page = async || browser.get(&url).header("cookie", &cookie).send().await.unwrap().status();
    let apps = format!("{url}/api/v2/organizations/acme/apps/");
    let api = async || running.client.get(&apps).bearer_auth(&running.read_token).send().await.unwrap().status();
    assert_eq!((page().await, api().await), (StatusCode::OK, StatusCode::OK));
    let all = tokens(&running, &["acme"]).await;
    let read = all.iter().find(|token| token[1] == "read").unwrap();
    assert_eq!(read[2..4], ["acme", "-"]);
    running.command(&["token", "revoke", &read[0]]).await;
    assert_eq!((page().await, api().await), (StatusCode::SEE_OTHER, StatusCode::UNAUTHORIZED));
}
