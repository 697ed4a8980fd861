//! Programs in processes of their own, which are stopped again and again. Each has to deliver every request.
//!
//! `OPBEAT_STOPS=100 cargo test -p graceful-shutdown --release` stops each of them a hundred times.

#![expect(clippy::unwrap_used, reason = "test code")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};

use opbeat_testing::ScriptedServer;

const AXUM: &str = env!("CARGO_BIN_EXE_axum");
const ACTIX: &str = env!("CARGO_BIN_EXE_actix");
const JOB: &str = env!("CARGO_BIN_EXE_job");

/// The number of requests before each stop.
const REQUESTS: usize = 3;

fn stops() -> usize {
    std::env::var("OPBEAT_STOPS").ok().and_then(|stops| stops.parse().ok()).unwrap_or(20)
}

/// Starts a program that delivers to the server, once per hour: only its end delivers anything.
fn start(program: &str, arguments: &[&str], server: &ScriptedServer) -> (Child, BufReader<ChildStdout>) {
    let mut child = Command::new(program)
        .args(arguments)
        .env("OPBEAT_ORGANIZATION_ID", "org")
        .env("OPBEAT_APP_ID", "app")
        .env("OPBEAT_SECRET_TOKEN", "token")
        .env("OPBEAT_SERVER_URL", server.url())
        .env("OPBEAT_FLUSH_INTERVAL", "3600")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    (child, output)
}

/// Returns the number of transactions that the server received.
fn received(server: &ScriptedServer) -> usize {
    let bodies = server.requests().into_iter().map(|request| request.body);
    let groups = bodies.flat_map(|body| body["transactions"].as_array().cloned().unwrap_or_default());
    groups.map(|group| group["durations"].as_array().unwrap().len()).sum()
}

fn send(address: &str, request: &str) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .write_all(
            format!("{request} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n").as_bytes(),
        )
        .unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    assert!(response.starts_with("HTTP/1.1 20"), "{response}");
}

/// Stops a server program again and again, and checks that it delivers all of its requests each time.
fn stop_again_and_again(program: &str, arguments: &[&str], stop: fn(&Child, &str) -> usize) {
    for round in 0..stops() {
        let server = ScriptedServer::start([]);
        let (mut child, mut output) = start(program, arguments, &server);
        let mut address = String::new();
        output.read_line(&mut address).unwrap();
        (0..REQUESTS).for_each(|_| send(address.trim(), "GET /hello"));
        let requests = REQUESTS + stop(&child, address.trim());
        assert!(child.wait().unwrap().success());
        assert_eq!(received(&server), requests, "stop {round}");
    }
}

fn by_signal(child: &Child, _: &str) -> usize {
    let sent = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    0
}

fn by_request(_: &Child, address: &str) -> usize {
    send(address, "POST /stop");
    1
}

#[test]
fn axum_delivers_everything_when_a_signal_stops_it() {
    stop_again_and_again(AXUM, &[], by_signal);
}

#[test]
fn axum_delivers_everything_when_it_stops_itself() {
    stop_again_and_again(AXUM, &[], by_request);
}

#[test]
fn actix_delivers_everything_when_a_signal_stops_it() {
    stop_again_and_again(ACTIX, &[], by_signal);
}

#[test]
fn actix_delivers_everything_when_its_handle_stops_it() {
    stop_again_and_again(ACTIX, &[], by_request);
}

#[test]
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn actix_without_a_shutdown_delivers_everything_when_main_returns() {
    stop_again_and_again(ACTIX, &["forgetful"], by_signal);
    stop_again_and_again(ACTIX, &["forgetful"], by_request);
}

#[test]
fn a_job_delivers_everything_in_its_shutdown() {
    for _ in 0..stops() {
        let server = ScriptedServer::start([]);
        let (mut child, _output) = start(JOB, &[], &server);
        assert!(child.wait().unwrap().success());
        assert_eq!(received(&server), 1);
    }
}

#[test]
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn a_job_that_exits_delivers_everything() {
    for _ in 0..stops() {
        let server = ScriptedServer::start([]);
        let (mut child, _output) = start(JOB, &["exit"], &server);
        assert!(child.wait().unwrap().success());
        assert_eq!(received(&server), 1);
    }
}
