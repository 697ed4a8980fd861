//! The README's program reports a request to the server in its environment.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use opbeat_testing::ScriptedServer;

const PATIENCE: Duration = Duration::from_secs(60);

/// Sends a request as soon as the program listens, and returns the response.
fn get_hello() -> String {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Ok(mut stream) = TcpStream::connect("127.0.0.1:3000") {
            let request = "GET /hello/ada HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
            stream.write_all(request.as_bytes()).expect("the program reads");
            let mut answer = String::new();
            stream.read_to_string(&mut answer).expect("the program answers");
            return answer;
        }
        assert!(Instant::now() < deadline, "the program does not listen");
        std::thread::yield_now();
    }
}

#[test]
fn a_request_is_reported() {
    let server = ScriptedServer::start([]);
    let mut program = Command::new(env!("CARGO_BIN_EXE_hello"))
        .env("OPBEAT_SERVER_URL", server.url())
        .env("OPBEAT_ORGANIZATION_ID", "acme")
        .env("OPBEAT_APP_ID", "shop")
        .env("OPBEAT_SECRET_TOKEN", "token")
        .env("OPBEAT_FLUSH_INTERVAL", "0.1")
        .spawn()
        .expect("the program runs");
    let answer = get_hello();
    let seen = server.wait_for(1, PATIENCE);
    program.kill().expect("the program runs still");
    program.wait().expect("the program ends");
    assert!(answer.ends_with("hello"), "{answer}");
    assert_eq!(seen[0].body["transactions"][0]["transaction"], "GET /hello/{name}");
}
