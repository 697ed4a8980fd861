//! Redis, which keeps everything in memory.

use std::process::Command;
use std::sync::OnceLock;

use crate::program::{directory, free_port, program};
use crate::server::{Recipe, Server};

/// Returns the URL of the server that all tests of the process use. A test uses keys of its own.
///
/// # Panics
///
/// Panics if Redis is not installed or does not start.
#[must_use]
pub fn url() -> String {
    static SERVER: OnceLock<(Server, u16)> = OnceLock::new();
    let (_, port) = SERVER.get_or_init(start);
    format!("redis://127.0.0.1:{port}")
}

fn start() -> (Server, u16) {
    let directory = directory();
    let port = free_port();
    let mut command = Command::new(program("redis-server", &[], "redis-server"));
    command.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", "", "--appendonly", "no"]);
    command.arg("--dir").arg(&directory);
    (Server::start(Recipe { command, directory, signal: "KILL", ready: "Ready to accept connections" }), port)
}
