//! Redis, which keeps everything in memory.

use super::server::{self, Server};
use std::process::Command;
use std::sync::OnceLock;

/// The URL of the server that all tests of the process use. A test uses keys of its own.
pub(crate) fn url() -> String {
    static SERVER: OnceLock<(Server, u16)> = OnceLock::new();
    let (_, port) = SERVER.get_or_init(start);
    format!("redis://127.0.0.1:{port}")
}

fn start() -> (Server, u16) {
    let directory = server::directory();
    let port = server::free_port();
    let mut command = Command::new(server::program("redis-server", &[], "redis-server"));
    command.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", "", "--appendonly", "no"]);
    command.arg("--dir").arg(&directory);
    (Server::start(&command, &directory, "KILL", "Ready to accept connections"), port)
}

#[test]
fn a_dropped_server_is_stopped() {
    let (server, port) = start();
    std::net::TcpStream::connect(("127.0.0.1", port)).expect("the server accepts connections");
    drop(server);
    let error = std::net::TcpStream::connect(("127.0.0.1", port)).expect_err("the server is stopped");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
}
