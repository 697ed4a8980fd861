//! Arize Phoenix, which stores spans and shows them. It accepts protobuf, and neither metrics nor log records.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use serde_json::Value as Json;

use crate::program::{PATIENCE, Program, installed};
use crate::shop::{exporter, run};

#[test]
fn spans_and_their_errors_are_shown() {
    let environment = installed("phoenix");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("phoenix-{}", std::process::id()));
    let [port, grpc] = free_ports();
    let mut command = Command::new(environment.join("bin/python"));
    command
        .args(["-m", "phoenix.server.main", "serve"])
        .env("PHOENIX_HOST", "127.0.0.1")
        .env("PHOENIX_PORT", port.to_string())
        .env("PHOENIX_GRPC_PORT", grpc.to_string())
        .env("PHOENIX_WORKING_DIR", &folder)
        .env("PHOENIX_TELEMETRY_ENABLED", "false")
        .env("PYTHONUNBUFFERED", "1");
    let program = Program::start(command);
    program.line_with("Application startup complete");
    let url = format!("http://127.0.0.1:{port}");
    let variables = [
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
        ("OTEL_METRICS_EXPORTER", "none"),
        ("OTEL_LOGS_EXPORTER", "none"),
        ("OTEL_RESOURCE_ATTRIBUTES", "openinference.project.name=shop"),
    ];
    run(vec![exporter(&url, &variables)]);
    let spans = spans(port, 13);
    let mut shown: Vec<String> = spans
        .iter()
        .map(|span| {
            let events = span["events"].as_array().unwrap().iter().map(|event| event["name"].to_string());
            format!("{} {} {}", span["name"], span["status_code"], events.collect::<String>()).trim_end().to_owned()
        })
        .collect();
    shown.sort();
    let _ = std::fs::remove_dir_all(&folder);
    insta::assert_snapshot!(shown.join("\n"), @r#"
    "COMMIT" "UNSET"
    "GET /books/{id}" "ERROR" "exception"
    "GET prices.example:8443" "ERROR"
    "SELECT books" "UNSET"
    "book.html" "UNSET"
    "load the book" "UNSET"
    "orders" "UNSET"
    "orders" "UNSET"
    "shop.Stock/Reserve" "ERROR"
    "shop.Stock/Reserve" "ERROR" "exception"
    "shop.mail" "UNSET"
    "shop.queued" "ERROR"
    "wait for a connection" "UNSET"
    "#);
    let request = spans.iter().find(|span| span["name"] == "GET /books/{id}").unwrap();
    let query = spans.iter().find(|span| span["name"] == "SELECT books").unwrap();
    assert_eq!(query["context"]["trace_id"], request["context"]["trace_id"]);
    assert_eq!(query["attributes"]["db.query.text"], "SELECT * FROM books WHERE id = ?");
}

fn free_ports() -> [u16; 2] {
    let listeners = [(), ()].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

/// Waits until Phoenix, which stores spans in the background, shows this number of spans, and returns them.
fn spans(port: u16, count: usize) -> Vec<Json> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = get(port, "/v1/projects/shop/spans?limit=100");
        let spans = answer["data"].as_array().cloned().unwrap_or_default();
        if spans.len() >= count {
            return spans;
        }
        assert!(Instant::now() < deadline, "{count} spans are expected: {answer:#}");
        std::thread::yield_now();
    }
}

fn get(port: u16, path: &str) -> Json {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(stream, "GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n").unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    let (_, body) = response.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap_or_default()
}
