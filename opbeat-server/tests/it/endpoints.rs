//! The addresses of programs: paths, methods, unread bodies and compression.

use std::io::Read;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::running::{PATIENCE, Running};

#[tokio::test]
async fn repeated_slashes_in_the_path_of_an_endpoint_are_one() {
    let running = Running::start().await;
    let path = running.intake("transactions").replace(&running.server.url(), "");
    let body = r#"{"transactions": [{"transaction": "GET /", "durations": [1.5]}], "traces": []}"#;
    for path in [format!("/{path}"), path.replace("/apps/", "///apps//")] {
        let request = running.client.post(format!("{}{path}", running.server.url()));
        let response = request.bearer_auth(&running.app.secret_token).body(body).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::ACCEPTED, "{path}");
    }
    running.drained().await;
    let url = format!("{}//api//v2/organizations/acme/apps//shop/transactions/?range=1h", running.server.url());
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let request = running.client.get(&url).header("authorization", format!("{scheme} {}", running.read_token));
        let list: Value = request.send().await.unwrap().json().await.unwrap();
        assert_eq!(list["transactions"][0]["count"], 2, "{scheme}");
    }
    assert_eq!(running.get("//healthz").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn programs_get_json_for_every_path_and_method() {
    let running = Running::start().await;
    let cases = [
        (Method::GET, "/api", 404, None),
        (Method::GET, "/api/", 404, None),
        (Method::GET, "/api/shop/", 404, None),
        (Method::POST, "/api/v3/organizations/x/", 404, None),
        (Method::GET, "/api/v1/", 404, None),
        (Method::GET, "/api/v1/organizations/x/apps/y/metrics/", 404, None),
        (Method::DELETE, "/api/v2/", 404, None),
        (Method::POST, "/api/v2/openapi.json", 405, Some("GET,HEAD")),
        (Method::PATCH, "/api/v2/organizations/acme/apps/", 405, Some("GET,HEAD")),
        (Method::GET, "/api/v1/organizations/x/apps/y/errors/", 405, Some("POST")),
        (Method::POST, "/api/v1/organizations/x/apps/y/", 405, Some("GET,HEAD")),
        (Method::GET, "/api/v1/organizations/%ff/apps/y/", 400, None),
        (Method::GET, "/v1", 404, None),
        (Method::GET, "/v1/nothing", 404, None),
        (Method::PUT, "/v1/organizations/transactions/1", 404, None),
        (Method::POST, "/healthz", 405, Some("GET,HEAD")),
    ];
    for (method, path, status, allow) in cases {
        let request = running.client.request(method.clone(), format!("{}{path}", running.server.url()));
        let response = request.send().await.unwrap();
        let found = response.headers().get("allow").map(|allow| allow.to_str().unwrap().to_owned());
        assert_eq!((response.status().as_u16(), found.as_deref()), (status, allow), "{method} {path}");
        let body: Value = response.json().await.unwrap_or_else(|_| panic!("{method} {path} is not answered in JSON"));
        assert_eq!(body["status"], status, "{method} {path}");
        assert!(!body["error_message"].as_str().unwrap().is_empty(), "{method} {path}");
    }
    let page = running.client.post(running.server.url()).send().await.unwrap();
    assert_eq!((page.status().as_u16(), page.headers()["allow"].to_str().unwrap()), (405, "GET,HEAD"));
    assert!(page.text().await.unwrap().contains("Invalid request"));
}

#[tokio::test]
async fn head_and_options_are_answered() {
    let running = Running::start().await;
    let ask = async |method: Method, path: &str| {
        let request = running.client.request(method, format!("{}{path}", running.server.url()));
        request.header("cookie", &running.cookie).send().await.unwrap()
    };
    for (path, allow) in [
        ("/healthz", "GET,HEAD,OPTIONS"),
        ("/api/v2/organizations/acme/apps/", "GET,HEAD,OPTIONS"),
        ("/api/v1/organizations/x/apps/y/errors/", "POST,OPTIONS"),
        ("/sign-in", "GET,HEAD,POST,OPTIONS"),
        ("/", "GET,HEAD,OPTIONS"),
    ] {
        let response = ask(Method::OPTIONS, path).await;
        assert_eq!(response.status(), StatusCode::NO_CONTENT, "{path}");
        assert_eq!(response.headers()["allow"], allow, "{path}");
    }
    assert_eq!(ask(Method::OPTIONS, "/api/v7/").await.status(), StatusCode::NOT_FOUND);
    for path in ["/healthz", "/", "/api/v2/openapi.json"] {
        let response = ask(Method::HEAD, path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert!(response.bytes().await.unwrap().is_empty(), "{path}");
    }
}

/// Sends a whole request before it reads, as many agents do. Returns the response.
async fn write_then_read(running: &Running, head: &str, size: usize) -> String {
    let mut connection = TcpStream::connect(running.server.address()).await.unwrap();
    let head = format!("{head}\r\nHost: localhost\r\nContent-Length: {size}\r\n");
    let authorization = format!("Authorization: Bearer {}\r\n\r\n", running.app.secret_token);
    connection.write_all(format!("{head}{authorization}").as_bytes()).await.unwrap();
    for _ in 0..size / 65_536 {
        connection.write_all(&[b' '; 65_536]).await.expect("the server reads on");
    }
    let mut response = vec![0; 4_096];
    let read = tokio::time::timeout(PATIENCE, connection.read(&mut response)).await.unwrap();
    response.truncate(read.expect("the connection is not reset"));
    String::from_utf8(response).unwrap()
}

#[tokio::test]
async fn a_client_that_writes_first_reads_why_its_body_was_rejected() {
    let running = Running::start().await;
    let path = running.intake("errors").replace(&running.server.url(), "");
    let size = 96 * 65_536;
    for (request, status) in [
        (format!("POST {path} HTTP/1.1"), "413 Payload Too Large"),
        (format!("PUT {path} HTTP/1.1"), "405 Method Not Allowed"),
        ("POST /api/v1/organizations/x/apps/y/errors/ HTTP/1.1".to_owned(), "403 Forbidden"),
        (format!("POST {path} HTTP/1.1\r\nAuthorization: Basic x"), "401 Unauthorized"),
        ("POST /api/v1/nothing/ HTTP/1.1".to_owned(), "404 Not Found"),
        ("POST /v1/nothing HTTP/1.1".to_owned(), "404 Not Found"),
    ] {
        let response = write_then_read(&running, &request, size).await;
        assert!(response.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{request}: {response}");
    }
    for _ in 0..3 {
        let response = running.post("errors", vec![b' '; size]).await;
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    }
}

#[tokio::test]
async fn a_client_that_asks_before_it_sends_its_body_is_not_made_to_send_it() {
    let running = Running::start().await;
    let mut connection = TcpStream::connect(running.server.address()).await.unwrap();
    let head = "POST /api/v1/organizations/x/apps/y/errors/ HTTP/1.1\r\nHost: localhost\r\n\
                Content-Length: 6000000\r\nExpect: 100-continue\r\n\r\n";
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut response = Vec::new();
    // The connection ends after the response, although the client has sent no body.
    tokio::time::timeout(PATIENCE, connection.read_to_end(&mut response)).await.unwrap().unwrap();
    assert!(response.starts_with(b"HTTP/1.1 401 Unauthorized\r\n"), "{}", String::from_utf8_lossy(&response));
}

#[tokio::test]
async fn pages_and_answers_are_compressed() {
    let running = Running::start().await;
    let groups: Vec<Value> =
        (0..200).map(|number| json!({"transaction": format!("job {number}"), "durations": [number]})).collect();
    running.accept("transactions", &json!({"transactions": groups, "traces": []})).await;
    running.drained().await;
    for path in
        ["/acme/shop/", "/api/v2/organizations/acme/apps/shop/transactions/?range=1h&limit=200", "/api/v2/openapi.json"]
    {
        let get = async |encoding: &str| {
            let request =
                running.client.get(format!("{}{path}", running.server.url())).header("cookie", &running.cookie);
            let request = request.bearer_auth(&running.read_token).header("accept-encoding", encoding);
            let response = request.send().await.unwrap();
            assert_eq!(response.status(), StatusCode::OK);
            let is_gzip = response.headers().get("content-encoding").is_some_and(|encoding| encoding == "gzip");
            (is_gzip, response.bytes().await.unwrap())
        };
        let (is_gzip, plain) = get("identity").await;
        assert!(!is_gzip, "{path}");
        let (is_gzip, compressed) = get("gzip, br").await;
        assert!(is_gzip, "{path}");
        assert!(compressed.len() * 4 < plain.len(), "{path}: {} of {} bytes", compressed.len(), plain.len());
        let mut inflated = Vec::new();
        flate2::read::GzDecoder::new(&compressed[..]).read_to_end(&mut inflated).unwrap();
        assert!(inflated.ends_with(&plain[plain.len() - 2..]), "{path}");
    }
    let request = running.client.get(format!("{}/healthz", running.server.url())).header("accept-encoding", "gzip");
    assert!(request.send().await.unwrap().headers().get("content-encoding").is_none(), "it is too small");
}
