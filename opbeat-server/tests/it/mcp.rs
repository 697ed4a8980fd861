//! The endpoint for assistants.

use std::fs::File;
use std::process::Command;

use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::process::start;
use crate::running::Running;

/// An assistant with a token.
struct Assistant<'a> {
    running: &'a Running,
    token: String,
}

impl<'a> Assistant<'a> {
    fn with_read_token(running: &'a Running) -> Self {
        Self { running, token: running.read_token.clone() }
    }

    async fn post(&self, body: &Value) -> Response {
        let request = self.running.client.post(format!("{}/mcp", self.running.server.url())).bearer_auth(&self.token);
        let request = request.header("accept", "application/json, text/event-stream");
        request.header("content-type", "application/json").body(body.to_string()).send().await.unwrap()
    }

    /// Sends a request, and returns the whole answer.
    async fn ask(&self, method: &str, params: Value) -> Value {
        let response = self.post(&json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})).await;
        let (status, text) = (response.status(), response.text().await.unwrap());
        assert_eq!(status, StatusCode::OK, "{text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Calls a tool. Returns whether it failed, and its text.
    async fn call(&self, tool: &str, arguments: Value) -> (bool, String) {
        let answer = self.ask("tools/call", json!({"name": tool, "arguments": arguments})).await;
        let result = &answer["result"];
        let text = result["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
        (result["isError"] == true, text)
    }

    /// Calls a tool that succeeds with JSON.
    async fn read(&self, tool: &str, arguments: Value) -> Value {
        let (is_error, text) = self.call(tool, arguments).await;
        assert!(!is_error, "{text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Calls a tool with arguments that it does not have. Returns the message.
    async fn misuse(&self, tool: &str, arguments: Value) -> String {
        let answer = self.ask("tools/call", json!({"name": tool, "arguments": arguments})).await;
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
        answer["error"]["message"].as_str().unwrap().to_owned()
    }

    async fn tools(&self) -> Vec<Value> {
        let answer = self.ask("tools/list", json!({})).await;
        answer["result"]["tools"].as_array().unwrap().clone()
    }
}

fn names(tools: &[Value]) -> Vec<&str> {
    let mut names: Vec<_> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    names
}

async fn write_token(running: &Running) -> String {
    running.command(&["token", "create", "acme", "--write", "--name", "an assistant"]).await.trim().to_owned()
}

#[tokio::test]
async fn an_assistant_lists_and_opens_what_the_api_has() {
    let running = Running::start().await;
    let sample = json!({"transactions": [{"transaction": "GET /", "result": 200, "durations": [1.0]}], "traces": {
        "groups": [{"transaction": "GET /", "signature": "transaction", "kind": "transaction", "parents": []}],
        "raw": [[1.0, [0, 0.0, 1.0], {"id": "x"}]],
    }});
    running.accept("transactions", &sample).await;
    running.accept("errors", &json!({"message": "no books"})).await;
    running.accept("releases", &json!({"rev": "a1b2c3", "status": "completed"})).await;
    running.drained().await;
    let assistant = Assistant::with_read_token(&running);

    let client = json!({"name": "test", "version": "1"});
    let hello = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client});
    let hello = assistant.ask("initialize", hello).await;
    assert_eq!(hello["result"]["serverInfo"]["name"], "opbeat");
    assert!(hello["result"]["instructions"].as_str().unwrap().contains("`list_apps`"));
    let initialized = assistant.post(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
    assert_eq!(initialized.status(), StatusCode::ACCEPTED);

    let apps = assistant.read("list_apps", json!({})).await;
    assert_eq!(apps[0]["name"], "shop");
    let transactions = assistant.read("list_transactions", json!({"app": "shop", "range": "1h"})).await;
    let transaction = &transactions["transactions"][0]["id"];
    let samples = assistant.read("list_samples", json!({"app": "shop", "transaction": transaction})).await;
    let sample = json!({"app": "shop", "transaction": transaction, "sample": samples[0]["id"]});
    assert_eq!(assistant.read("get_sample", sample).await["duration_ms"], 1.0);
    let errors = assistant.read("list_errors", json!({"app": "shop", "status": "open", "limit": 1})).await;
    assert_eq!(errors["errors"][0]["message"], "no books");
    let error = assistant.read("get_error", json!({"app": "shop", "number": 1})).await;
    assert_eq!(error, running.ask("errors/1/").await, "the same as of the API");
    let release = assistant.read("get_release", json!({"app": "shop", "release": "a1b2c3"})).await;
    assert_eq!(release["rev"], "a1b2c3");
}

#[tokio::test]
async fn every_operation_of_the_api_is_a_tool() {
    let running = Running::start().await;
    let reader = Assistant::with_read_token(&running);
    let described: Value = running.get("/api/v2/openapi.json").await.json().await.unwrap();
    let operations = described["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap());
    let mut read = Vec::new();
    let mut all = Vec::new();
    for (method, operation) in operations {
        let name = operation["operationId"].as_str().unwrap();
        if method == "get" {
            read.push(name);
        }
        if method == "get" || operation["tags"][0] != "channels" {
            all.push(name);
        }
    }
    read.sort_unstable();
    all.sort_unstable();
    assert!(all.windows(2).all(|pair| pair[0] != pair[1]), "an operation's name is unique: {all:?}");
    let tools = reader.tools().await;
    assert_eq!(names(&tools), read, "a token that only reads sees no other tool");
    for tool in &tools {
        assert_eq!(tool["annotations"]["readOnlyHint"], true, "{tool}");
        assert!(tool["description"].as_str().is_some_and(|text| text.len() > 10), "{tool}");
        assert!(tool["inputSchema"]["properties"].get("organization").is_none(), "the token says it: {tool}");
        assert!(!tool.to_string().contains("$ref"), "{tool}");
    }
    let writer = Assistant { running: &running, token: write_token(&running).await };
    assert_eq!(names(&writer.tools().await), all);
}

#[tokio::test]
async fn only_a_token_that_may_write_changes_something() {
    let running = Running::start().await;
    running.accept("errors", &json!({"message": "no books"})).await;
    running.drained().await;
    let resolve = json!({"app": "shop", "number": 1, "status": "resolved"});
    let (is_error, text) = Assistant::with_read_token(&running).call("change_error", resolve.clone()).await;
    assert!(is_error && text.contains("--write"), "{text}");
    let writer = Assistant { running: &running, token: write_token(&running).await };
    assert_eq!(writer.read("change_error", resolve).await["status"], "resolved");
    let (is_error, text) =
        writer.call("comment_on_error", json!({"app": "shop", "number": 1, "text": "it was the index"})).await;
    assert!(!is_error, "{text}");
    let events = running.ask("errors/1/").await["activity"].to_string();
    assert!(events.contains("it was the index") && events.contains("an assistant"), "{events}");
}

#[tokio::test]
async fn a_token_is_needed_and_opens_its_own_organization_only() {
    let running = Running::start().await;
    running.accept("errors", &json!({"message": "no books"})).await;
    running.drained().await;
    let stranger = Assistant { running: &running, token: "0".repeat(40) };
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    assert_eq!(stranger.post(&body).await.status(), StatusCode::UNAUTHORIZED);
    let none = running.client.post(format!("{}/mcp", running.server.url())).body(body.to_string());
    assert_eq!(none.send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    running.server.create_app("rival", "books").await.unwrap();
    let token = running.server.create_read_token("rival").await.unwrap();
    let rival = Assistant { running: &running, token };
    let (is_error, text) = rival.call("list_errors", json!({"app": "shop"})).await;
    assert!(is_error && text.contains("does not exist"), "{text}");
    let (is_error, text) = rival.call("list_errors", json!({"app": "../../acme/apps/shop"})).await;
    assert!(is_error && text.contains("does not exist"), "{text}");
    let text = rival.misuse("list_errors", json!({"app": "shop", "organization": "acme"})).await;
    assert!(text.contains("no argument organization"), "{text}");
}

#[tokio::test]
async fn wrong_calls_say_what_is_right() {
    let running = Running::start().await;
    let assistant = Assistant::with_read_token(&running);
    assert_eq!(assistant.misuse("list_errors", json!({})).await, "list_errors needs the argument app.");
    assert_eq!(assistant.misuse("list_errors", json!({"app": null})).await, "list_errors needs the argument app.");
    for app in ["", "..", "a/b", "%2e"] {
        let (is_error, text) = assistant.call("list_errors", json!({"app": app})).await;
        assert!(is_error && text.contains("does not exist"), "{app:?}: {text}");
    }
    let (is_error, text) = assistant.call("get_error", json!({"app": "shop", "number": "seven"})).await;
    assert!(is_error && text.contains("seven"), "{text}");
    let text = assistant.misuse("list_apps", json!({"name": "shop"})).await;
    assert_eq!(text, "list_apps has no argument name. It has: limit, offset, search.");
    assert_eq!(assistant.misuse("drop_tables", json!({})).await, "There is no tool drop_tables.");
    let (is_error, text) = assistant.call("list_errors", json!({"app": "shop", "limit": "a\r\nb"})).await;
    assert!(is_error && text.contains("limit"), "{text}");
    let huge = json!({"jsonrpc": "2.0", "id": 1, "method": "x", "params": {"text": "x".repeat(300_000)}});
    assert_eq!(assistant.post(&huge).await.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let broken = assistant.running.client.post(format!("{}/mcp", running.server.url())).bearer_auth(&assistant.token);
    let broken = broken.header("accept", "application/json, text/event-stream");
    let broken = broken.header("content-type", "application/json").body("{").send().await.unwrap();
    assert!(broken.status().is_client_error(), "{}", broken.status());
}

#[tokio::test]
async fn calls_leave_no_lines_in_the_log() {
    let running = Running::start_with_file().await;
    let token = running.read_token.clone();
    let folder = running.folder;
    running.server.shut_down().await;
    let log = folder.path().join("log");
    let mut command = Command::new(env!("CARGO_BIN_EXE_opbeat"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(folder.path());
    command.stderr(File::create(&log).unwrap());
    let (mut child, url) = tokio::task::spawn_blocking(move || start(&mut command)).await.unwrap();
    for tool in ["list_apps", "drop_tables"] {
        let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool}});
        let request = running.client.post(format!("{url}/mcp")).bearer_auth(&token);
        let request = request.header("accept", "application/json, text/event-stream");
        let request = request.header("content-type", "application/json").body(call.to_string());
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        assert_eq!(answer["result"]["isError"] == false, tool == "list_apps", "{answer}");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let log = std::fs::read_to_string(log).unwrap();
    assert!(!log.contains("rmcp") && !log.contains("drop_tables"), "{log}");
}
