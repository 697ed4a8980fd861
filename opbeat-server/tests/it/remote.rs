//! The commands that read a running server over its API.

use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::running::Running;

/// Runs a command as a developer on another machine: with the address of the server and a token.
async fn opbeat(running: &Running, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_opbeat"));
    command
        .args(arguments)
        .env("OPBEAT_SERVER_URL", running.server.url())
        .env("OPBEAT_READ_TOKEN", &running.read_token)
        .env("OPBEAT_ORGANIZATION_ID", &running.app.organization_id)
        .env("OPBEAT_APP_ID", &running.app.app_id)
        .env("OPBEAT_SECRET_TOKEN", &running.app.secret_token);
    // The server runs on this thread.
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

async fn prints(running: &Running, arguments: &[&str]) -> String {
    let output = opbeat(running, arguments).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

async fn fails(running: &Running, arguments: &[&str]) -> String {
    let output = opbeat(running, arguments).await;
    assert!(!output.status.success(), "{arguments:?} succeeded");
    String::from_utf8(output.stderr).unwrap()
}

#[tokio::test]
async fn transactions_are_a_table_and_json() {
    let running = Running::start().await;
    assert_eq!(prints(&running, &["transactions", "acme/shop"]).await, "Nothing ran in the last 24h.\n");
    let body = json!({"transactions": [
        {"transaction": "GET /books", "result": 200, "durations": [40.0, 40.0, 40.0]},
        {"transaction": "GET /", "result": 500, "durations": [40.0]},
    ], "traces": []});
    running.accept("transactions", &body).await;
    running.drained().await;
    let table = prints(&running, &["transactions", "acme/shop", "--range", "1h"]).await;
    let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split("  ").map(str::trim).collect()).collect();
    let rows: Vec<Vec<&str>> =
        rows.into_iter().map(|row| row.into_iter().filter(|cell| !cell.is_empty()).collect()).collect();
    assert_eq!(rows[0], ["impact", "average", "p50", "p95", "p99", "rate", "failed", "TRANSACTION"]);
    assert_eq!((rows[1][0], rows[1][1], rows[1][6], rows[1][7]), ("75 %", "40.0 ms", "0 %", "GET /books"), "{table}");
    assert_eq!((rows[2][0], rows[2][6], rows[2][7]), ("25 %", "100 %", "GET /"), "{table}");
    let one = prints(&running, &["transactions", "acme/shop", "--limit", "1"]).await;
    assert!(one.ends_with("and 1 more; `--limit` shows up to 200\n"), "{one}");
    let json: Value = serde_json::from_str(&prints(&running, &["transactions", "acme/shop", "--json"]).await).unwrap();
    assert_eq!(json["transactions"][0]["name"], "GET /books");
}

#[tokio::test]
async fn an_error_is_listed_and_shown_without_control_of_the_terminal() {
    let running = Running::start().await;
    assert_eq!(prints(&running, &["errors", "acme/shop"]).await, "No errors.\n");
    let frames = json!([
        {"function": "serve", "filename": "server.py", "lineno": 7},
        {"function": "find", "filename": "books.py", "lineno": 118},
    ]);
    let message = "no books\u{1b}[2J\u{9b}31m\nsecond line";
    let body = json!({
        "message": message, "exception": {"type": "BookError", "value": message}, "stacktrace": {"frames": frames},
    });
    running.accept("errors", &body).await;
    running.drained().await;
    let list = prints(&running, &["errors", "acme/shop", "--status", "open"]).await;
    assert!(list.contains("E#1") && list.contains("BookError: no books") && list.lines().count() == 2, "{list}");
    let shown = prints(&running, &["error", "acme/shop", "E#1"]).await;
    assert!(shown.starts_with("E#1 BookError: no books"), "{shown}");
    assert!(shown.contains("open, 1 times, first "), "{shown}");
    let (first, second) = (shown.find("find  books.py:118"), shown.find("serve  server.py:7"));
    assert!(first.is_some() && first < second, "the newest call is first: {shown}");
    let json = prints(&running, &["error", "acme/shop", "1", "--json"]).await;
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap()["message"], message, "escaped, and not removed");
    for text in [list, shown, json] {
        assert!(!text.chars().any(|letter| letter.is_control() && letter != '\n'), "{text:?}");
    }
    assert_eq!(prints(&running, &["errors", "acme/shop", "--search", "cars"]).await, "No errors match.\n");
    assert!(fails(&running, &["error", "acme/shop", "9"]).await.contains("does not exist"));
}

#[tokio::test]
async fn a_deployment_reports_its_release() {
    let running = Running::start().await;
    let nothing = prints(&running, &["release", "list", "acme/shop"]).await;
    assert_eq!(nothing, "No releases yet; `opbeat release create` reports one.\n");
    for machine in [&["--machine", "web-1"][..], &[]] {
        let arguments = [&["release", "create", "--rev", "a1b2c3d4e5f60718", "--branch", "main"], machine].concat();
        let printed = prints(&running, &arguments).await;
        assert_eq!(printed, "The release a1b2c3d4e5f60718 is accepted.\n");
    }
    running.drained().await;
    let list = prints(&running, &["release", "list", "acme/shop"]).await;
    let row = list.lines().nth(1).unwrap_or_default();
    assert!(row.contains("R#1") && row.contains("a1b2c3d4e5f6 ") && row.trim_end().ends_with("main"), "{list}");
    let release = running.ask("releases/1/").await;
    assert_eq!((&release["status"], &release["machines"][0]["hostname"]), (&json!("completed"), &json!("web-1")));
    assert_eq!(prints(&running, &["findings", "acme/shop"]).await, "No transaction became slower.\n");

    let yesterday = (jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24)).round(jiff::Unit::Second).unwrap();
    let yesterday = yesterday.to_string();
    prints(&running, &["release", "create", "--rev", "b2", "--completed-at", &yesterday]).await;
    running.drained().await;
    assert_eq!(running.ask("releases/b2/").await["last_completed_at"], json!(yesterday));
}

#[tokio::test]
async fn authorities_are_needed_for_https_only() {
    let running = Running::start().await;
    let without_authorities = async |url: String| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_opbeat"));
        command.args(["errors", "acme/shop", "--url", &url, "--token", &running.read_token]);
        command.env("SSL_CERT_FILE", "/dev/null").env("SSL_CERT_DIR", "/dev/null");
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    };
    let output = without_authorities(running.server.url()).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let output = without_authorities("https://127.0.0.1:1".to_owned()).await;
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && error.contains("install the package ca-certificates"), "{error}");
}

#[tokio::test]
async fn a_command_says_why_it_cannot_read() {
    let running = Running::start().await;
    let wrong = fails(&running, &["errors", "acme/shop", "--token", "wrong"]).await;
    assert!(wrong.contains("The read token is unknown."), "{wrong}");
    let wrong = fails(&running, &["errors", "acme/cars"]).await;
    assert!(wrong.contains("This app does not exist"), "{wrong}");
    let wrong = fails(&running, &["errors", "acme/shop", "--limit", "9999"]).await;
    assert!(wrong.contains("limit"), "{wrong}");
    let wrong = fails(&running, &["errors", "acme/shop", "--url", "http://127.0.0.1:1"]).await;
    assert!(wrong.contains("cannot reach http://127.0.0.1:1:") && wrong.contains("opbeat serve"), "{wrong}");
    let wrong = fails(&running, &["errors", "acme/shop", "--url", "not a url"]).await;
    assert!(wrong.contains("`not a url` is no URL of a server"), "{wrong}");
}
