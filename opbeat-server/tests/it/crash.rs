//! Bodies that were answered with 202 survive a crash of the process.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use opbeat_server::{AppCredentials, Server, ServerConfig};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::running::{PATIENCE, intake_url, zlib};

const CRASHES: usize = 10;
const CLIENTS: usize = 8;

/// Starts the real binary, and returns it with its address once it is ready.
pub(crate) fn serve(data: &Path) -> (Child, String) {
    serve_with(data, &[])
}

/// Starts the real binary with further arguments.
pub(crate) fn serve_with(data: &Path, arguments: &[&str]) -> (Child, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_opbeat"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data).args(arguments);
    start(command.stderr(Stdio::null()))
}

/// Starts a server by a command, and returns it with its address once it is ready.
pub(crate) fn start(command: &mut Command) -> (Child, String) {
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let url = line.trim().strip_prefix("Opbeat listens on ").expect("the first line contains the address").to_owned();
    (child, url)
}

/// The requests that were sent, by their unique transaction names.
#[derive(Default)]
struct Sent {
    accepted: Vec<String>,
    unanswered: Vec<String>,
}

/// Sends requests until the server does not answer.
async fn send(app: AppCredentials, url: String, prefix: String, sent: Arc<Mutex<Sent>>) {
    let client = reqwest::Client::new();
    let url = intake_url(&app, "transactions").replace(&app.server_url, &url);
    for number in 0.. {
        let name = format!("{prefix}-{number}");
        let body = json!({"transactions": [{"transaction": name, "result": 200, "durations": [1.0]}], "traces": []});
        let request = client.post(&url).bearer_auth(&app.secret_token).body(zlib(&body.to_string()));
        match request.send().await {
            Ok(response) => {
                assert_eq!(response.status(), StatusCode::ACCEPTED);
                sent.lock().unwrap().accepted.push(name);
            }
            Err(_) => {
                sent.lock().unwrap().unanswered.push(name);
                return;
            }
        }
    }
}

/// Sends requests to a server, and kills it after a random time.
async fn crash(round: usize, data: &Path, app: &AppCredentials, sent: &Arc<Mutex<Sent>>) {
    let (mut child, url) = serve(data);
    let clients = (0..CLIENTS).map(|client| {
        let prefix = format!("crash-{round}-{client}");
        tokio::spawn(send(app.clone(), url.clone(), prefix, Arc::clone(sent)))
    });
    let clients: Vec<_> = clients.collect();
    let life = Duration::from_millis(fastrand::u64(50..800));
    // The test needs a random moment; there is no event to wait for.
    tokio::time::sleep(life).await;
    child.kill().unwrap();
    child.wait().unwrap();
    for client in clients {
        client.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_accepted_request_is_stored_exactly_once_after_ten_crashes() {
    let folder = tempfile::tempdir().unwrap();
    let app = {
        let server = Server::start(ServerConfig::new(folder.path(), "127.0.0.1:0".parse().unwrap())).await.unwrap();
        let app = server.create_app("acme", "shop").await.unwrap();
        server.shut_down().await;
        app
    };
    let sent = Arc::new(Mutex::new(Sent::default()));
    for round in 0..CRASHES {
        crash(round, folder.path(), &app, &sent).await;
    }
    let stored = stored(folder.path()).await;
    let sent = sent.lock().unwrap();
    assert!(sent.accepted.len() > CRASHES, "the servers accepted too few requests: {}", sent.accepted.len());
    let wrong: Vec<_> = sent.accepted.iter().filter(|name| stored.get(*name) != Some(&1)).collect();
    assert!(
        wrong.is_empty(),
        "{} of {} accepted requests are not stored exactly once: {wrong:?}",
        wrong.len(),
        sent.accepted.len()
    );
    for name in &sent.unanswered {
        assert!(stored.get(name).is_none_or(|count| *count == 1), "{name} is stored {:?} times", stored.get(name));
    }
    assert!(stored.keys().all(|name| sent.accepted.contains(name) || sent.unanswered.contains(name)));
}

/// Starts the server once more. Returns how often each name was counted.
async fn stored(data: &Path) -> std::collections::HashMap<String, u64> {
    let server = Server::start(ServerConfig::new(data, "127.0.0.1:0".parse().unwrap())).await.unwrap();
    let client = reqwest::Client::new();
    let deadline = std::time::Instant::now() + PATIENCE;
    loop {
        let health: Value = client.get(format!("{}/healthz", server.url())).send().await.unwrap().json().await.unwrap();
        if health["queue"]["backlog_bytes"] == 0 {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "the queue was not stored in time: {health}");
    }
    let token = server.create_read_token("acme").await.unwrap();
    let mut stored = std::collections::HashMap::new();
    for offset in (0..).step_by(200) {
        let url =
            format!("{}/api/v2/organizations/acme/apps/shop/transactions/?range=1h&offset={offset}", server.url());
        let list: Value = client.get(url).bearer_auth(&token).send().await.unwrap().json().await.unwrap();
        let page = list["transactions"].as_array().unwrap();
        if page.is_empty() {
            break;
        }
        for transaction in page {
            let name = transaction["name"].as_str().unwrap().to_owned();
            stored.insert(name, transaction["count"].as_u64().unwrap());
        }
    }
    server.shut_down().await;
    stored
}
