//! MariaDB, without passwords.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use crate::program::{self, directory, free_port, is_root};
use crate::server::{Recipe, Server};

/// Returns the URL of the server that all tests of the process use. A test uses temporary tables or names of its own.
///
/// # Panics
///
/// Panics if MariaDB is not installed or does not start.
#[must_use]
pub fn url() -> String {
    static SERVER: OnceLock<(Server, u16)> = OnceLock::new();
    let (_, port) = SERVER.get_or_init(start);
    format!("mysql://root@127.0.0.1:{port}/mysql")
}

fn start() -> (Server, u16) {
    let directory = directory();
    let mut create = command(&directory, "mariadb-install-db");
    create.args(["--auth-root-authentication-method=normal", "--skip-test-db", "--innodb-log-file-size=4M"]);
    program::run(&mut create);

    let port = free_port();
    let mut command = command(&directory, "mariadbd");
    command.args(["--bind-address=127.0.0.1", &format!("--port={port}"), "--lc-messages=en_US"]);
    command.arg(format!("--socket={}", directory.join("socket").display()));
    command.args(["--innodb-log-file-size=4M", "--innodb-flush-log-at-trx-commit=0"]);
    (Server::start(Recipe { command, directory, signal: "KILL", ready: "ready for connections" }), port)
}

/// A command that ignores the system's settings.
fn command(directory: &Path, name: &str) -> Command {
    let mut command = Command::new(program::program(name, &[], "mariadb-server"));
    command.arg("--no-defaults").arg(format!("--datadir={}", directory.join("data").display()));
    if is_root() {
        command.arg("--user=root");
    }
    command
}
