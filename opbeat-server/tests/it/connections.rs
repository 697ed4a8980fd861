//! Clients that connect and send nothing, or too slowly.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use opbeat_server::ServerConfig;
use reqwest::StatusCode;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::running::{Looks, PATIENCE, Running};

/// A server with few connections.
async fn with_connections(total: usize, change: impl FnOnce(&mut ServerConfig)) -> Running {
    Running::start_with(|config| {
        config.connections.total = Some(total);
        change(config);
    })
    .await
}

/// Reads until the server closes the connection, and returns what it sent.
pub(crate) async fn rest(connection: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // A connection that is closed with unread bytes is reset.
    let _ = tokio::time::timeout(PATIENCE, connection.read_to_end(&mut bytes)).await.expect("the server closes it");
    String::from_utf8(bytes).unwrap()
}

/// Sends a request without a body on a connection, and reads the answer's status line.
pub(crate) async fn ask(connection: &mut TcpStream, path: &str) -> String {
    connection.write_all(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = vec![0; 8_192];
    let read = tokio::time::timeout(PATIENCE, connection.read(&mut answer)).await.unwrap().unwrap();
    let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
    answer.lines().next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn silent_connections_make_room_for_others() {
    let running = with_connections(20, |_| {}).await;
    let address = running.server.address();
    let mut silent = Vec::new();
    for _ in 0..100 {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    let body = json!({"transactions": [{"transaction": "GET /", "durations": [1.0]}], "traces": []});
    running.accept("transactions", &body).await;
    running.drained().await;
    assert_eq!(running.ask("transactions/").await["transactions"][0]["count"], 1);
    // The connections that waited longest were closed.
    for connection in &mut silent[..80] {
        assert_eq!(rest(connection).await, "");
    }
}

#[tokio::test]
async fn one_address_has_a_part_of_the_connections_unless_it_is_a_trusted_proxy() {
    let running = with_connections(40, |config| config.trusted_proxies = Vec::new()).await;
    let other = TcpSocket::new_v4().unwrap();
    other.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    // It waits longer than all others.
    let mut other = other.connect(running.server.address()).await.unwrap();
    assert_eq!(ask(&mut other, "/healthz").await, "HTTP/1.1 200 OK");
    let mut many = Vec::new();
    for _ in 0..50 {
        many.push(TcpStream::connect(running.server.address()).await.unwrap());
    }
    for connection in &mut many[..40] {
        assert_eq!(rest(connection).await, "");
    }
    assert_eq!(ask(&mut other, "/healthz").await, "HTTP/1.1 200 OK");

    let running = with_connections(40, |_| {}).await;
    let mut many = Vec::new();
    for _ in 0..30 {
        let mut connection = TcpStream::connect(running.server.address()).await.unwrap();
        assert_eq!(ask(&mut connection, "/healthz").await, "HTTP/1.1 200 OK");
        many.push(connection);
    }
    for connection in &mut many {
        assert_eq!(ask(connection, "/healthz").await, "HTTP/1.1 200 OK");
    }
}

#[tokio::test]
async fn connections_are_closed_that_send_their_head_too_slowly_or_no_further_request() {
    let running = Running::start_with(|config| {
        config.connections.head_timeout = Duration::from_millis(200);
        config.connections.idle_timeout = Duration::from_secs(2);
        config.connections.stalled_timeout = Duration::from_millis(300);
    })
    .await;
    let address = running.server.address();
    for part in ["", "GET /healthz HTT", "PRI * HTTP/2"] {
        let mut connection = TcpStream::connect(address).await.unwrap();
        connection.write_all(part.as_bytes()).await.unwrap();
        assert_eq!(rest(&mut connection).await, "", "{part}");
    }
    // Between two requests, a connection may wait longer.
    let start = Instant::now();
    let mut idle = TcpStream::connect(address).await.unwrap();
    assert_eq!(ask(&mut idle, "/healthz").await, "HTTP/1.1 200 OK");
    rest(&mut idle).await;
    assert!(start.elapsed() >= Duration::from_secs(2), "{:?}", start.elapsed());
    let mut second = TcpStream::connect(address).await.unwrap();
    assert_eq!(ask(&mut second, "/healthz").await, "HTTP/1.1 200 OK");
    second.write_all(b"GET /heal").await.unwrap();
    rest(&mut second).await;

    let mut stalled = TcpStream::connect(address).await.unwrap();
    let head = "POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n\
                Content-Length: 100\r\n\r\ntoken=";
    stalled.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(rest(&mut stalled).await, "");
}

/// Opens a connection of HTTP/2 whose client accepts some bytes of each answer at first. It pings all the time.
async fn http2(
    running: &Running,
    window: u32,
) -> (hyper::client::conn::http2::SendRequest<http_body_util::Empty<bytes::Bytes>>, tokio::task::JoinHandle<()>) {
    use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
    let stream = TcpStream::connect(running.server.address()).await.unwrap();
    let mut builder = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
    builder.timer(TokioTimer::new()).keep_alive_interval(Duration::from_millis(50)).keep_alive_timeout(PATIENCE);
    builder.initial_stream_window_size(window);
    let (sender, connection) = builder.handshake(TokioIo::new(stream)).await.unwrap();
    // An error is the end of the connection, too.
    (sender, tokio::spawn(async move { drop(connection.await) }))
}

fn request(path: &str) -> hyper::Request<http_body_util::Empty<bytes::Bytes>> {
    hyper::Request::get(format!("http://localhost{path}")).body(http_body_util::Empty::new()).unwrap()
}

#[tokio::test]
async fn a_client_of_http_2_that_never_opens_its_window_is_closed_although_it_pings() {
    let running = Running::start_with(|config| config.connections.stalled_timeout = Duration::from_millis(500)).await;
    let (mut sender, connection) = http2(&running, 0).await;
    let start = Instant::now();
    let response = tokio::time::timeout(PATIENCE, sender.send_request(request("/healthz"))).await.unwrap().unwrap();
    assert_eq!(response.status(), StatusCode::OK, "heads need no window");
    tokio::time::timeout(PATIENCE, connection).await.expect("the server closes the connection").unwrap();
    assert!(start.elapsed() >= Duration::from_millis(500), "{:?}", start.elapsed());
    drop(response);
}

#[tokio::test]
async fn a_client_of_http_2_that_reads_slowly_gets_its_whole_answer() {
    use http_body_util::BodyExt;
    let limit = Duration::from_secs(2);
    let running = Running::start_with(|config| config.connections.stalled_timeout = limit).await;
    let path = "/api/v2/openapi.json";
    let whole = running.get(path).await.bytes().await.unwrap();
    assert!(whole.len() > 2 * (16 << 10), "it has several parts: {}", whole.len());
    let (mut sender, _connection) = http2(&running, 1_024).await;
    let start = Instant::now();
    let response = sender.send_request(request(path)).await.unwrap();
    assert_eq!(response.headers()["content-length"], whole.len().to_string());
    let (mut body, mut read) = (response.into_body(), Vec::new());
    let mut ticks = tokio::time::interval(Duration::from_millis(80));
    while let Some(frame) = tokio::time::timeout(PATIENCE, body.frame()).await.unwrap() {
        read.extend_from_slice(&frame.unwrap().into_data().unwrap());
        ticks.tick().await;
    }
    assert!(start.elapsed() > limit && read == whole, "{} of {} bytes", read.len(), whole.len());
}

#[tokio::test]
async fn a_connection_is_refused_with_503_if_all_others_are_busy() {
    let running = with_connections(2, |_| {}).await;
    let database = rusqlite::Connection::open(running.folder.path().join("opbeat.sqlite")).unwrap();
    database.execute_batch("BEGIN IMMEDIATE").unwrap();
    // The pools of `running` hold connections, which make room for these.
    let body = format!("token={}", running.read_token);
    let mut busy = Vec::new();
    for _ in 0..2 {
        busy.push(start_sign_in(&running, &body).await);
    }
    let mut looks = Looks::new();
    loop {
        let mut third = TcpStream::connect(running.server.address()).await.unwrap();
        third.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
        let answer = rest(&mut third).await;
        if answer.starts_with("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\n") {
            assert!(
                answer.ends_with(r#"{"status":503,"error_message":"The server has too many connections. Try again."}"#)
            );
            break;
        }
        looks.next(&answer).await;
    }
    database.execute_batch("ROLLBACK").unwrap();
    for connection in &mut busy {
        let mut answer = vec![0; 4_096];
        let read = tokio::time::timeout(PATIENCE, connection.read(&mut answer)).await.unwrap().unwrap();
        assert!(answer[..read].starts_with(b"HTTP/1.1 303"), "{}", String::from_utf8_lossy(&answer[..read]));
    }
    assert_eq!(running.get("/healthz").await.status(), StatusCode::OK);
}

/// Posts the form of the sign-in page, and returns when the server has it.
pub(crate) async fn start_sign_in(running: &Running, body: &str) -> TcpStream {
    start_sign_in_at(&running.server.address().to_string(), body).await
}

/// Posts the form of the sign-in page of the server at an address, and returns when the server has asked for it.
pub(crate) async fn start_sign_in_at(address: &str, body: &str) -> TcpStream {
    let mut connection = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        body.len()
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut go_on = [0; 25];
    tokio::time::timeout(PATIENCE, connection.read_exact(&mut go_on)).await.unwrap().unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    connection.write_all(body.as_bytes()).await.unwrap();
    connection
}

/// The number of silent connections that a process with few descriptors gets.
#[cfg(unix)]
const SILENT: usize = 5_000;

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_with_few_descriptors_stores_data_beside_thousands_of_silent_connections() {
    use std::process::{Command, Stdio};

    use crate::process::start;
    use crate::running::{intake_url, zlib};

    let folder = tempfile::tempdir().unwrap();
    let (app, read_token) = {
        let running = Running::start_with_file().await;
        let Running { server, app, folder: data, read_token, .. } = running;
        server.shut_down().await;
        std::fs::remove_dir(folder.path()).unwrap();
        std::fs::rename(data.keep(), folder.path()).unwrap();
        (app, read_token)
    };
    let log = std::fs::File::create(folder.path().join("log")).unwrap();
    let script = "ulimit -n 256 && exec \"$0\" serve --listen 127.0.0.1:0 --data \"$1\"";
    let mut command = Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_opbeat")]).arg(folder.path()).stderr(Stdio::from(log));
    let (mut child, url) = start(&mut command);
    let address = url.strip_prefix("http://").unwrap();
    let client = reqwest::Client::new();
    let intake = intake_url(&app, "transactions").replace(&app.server_url, &url);

    // This process keeps as many of them open as it may.
    let own = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let kept = own.and_then(|own| usize::try_from(own / 2).ok()).unwrap_or(SILENT);
    let mut silent = VecDeque::new();
    for number in 0..SILENT {
        if silent.len() == kept {
            silent.pop_front();
        }
        silent.push_back(TcpStream::connect(address).await.unwrap());
        if number % 500 == 0 {
            let body = json!({"transactions": [{"transaction": "GET /", "durations": [1.0]}], "traces": []});
            let request = client.post(&intake).bearer_auth(&app.secret_token).body(zlib(&body.to_string()));
            assert_eq!(request.send().await.unwrap().status(), StatusCode::ACCEPTED, "after {number} connections");
        }
    }
    let list = format!("{url}/api/v2/organizations/acme/apps/shop/transactions/?range=1h");
    let mut looks = Looks::new();
    loop {
        let response = client.get(&list).bearer_auth(&read_token).send().await.unwrap();
        let list: serde_json::Value = response.json().await.unwrap();
        if list["transactions"][0]["count"] == SILENT / 500 {
            break;
        }
        looks.next(&list).await;
    }
    let ready = client.get(format!("{url}/healthz?ready")).send().await.unwrap();
    assert_eq!(ready.status(), StatusCode::OK, "{}", ready.text().await.unwrap());
    child.kill().unwrap();
    child.wait().unwrap();
    let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
    let lines = log.lines().filter(|line| line.contains("the limit of 156 connections of all clients is reached"));
    assert!((1..=3).contains(&lines.count()), "one line a minute: {log}");
}
