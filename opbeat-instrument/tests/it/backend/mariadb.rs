//! MariaDB, without passwords.

use super::server::{self, Server};
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

/// The URL of the server that all tests of the process use. A test uses temporary tables or names of its own.
pub(crate) fn url() -> String {
    static SERVER: OnceLock<(Server, u16)> = OnceLock::new();
    let (_, port) = SERVER.get_or_init(start);
    format!("mysql://root@127.0.0.1:{port}/mysql")
}

fn start() -> (Server, u16) {
    let directory = server::directory();
    let mut create = command(&directory, "mariadb-install-db");
    create.args(["--auth-root-authentication-method=normal", "--skip-test-db", "--innodb-log-file-size=4M"]);
    server::run(&mut create);

    let port = server::free_port();
    let mut command = command(&directory, "mariadbd");
    command.args(["--bind-address=127.0.0.1", &format!("--port={port}"), "--lc-messages=en_US"]);
    command.arg(format!("--socket={}", directory.join("socket").display()));
    command.args(["--innodb-log-file-size=4M", "--innodb-flush-log-at-trx-commit=0"]);
    (Server::start(&command, &directory, "KILL", "ready for connections"), port)
}

/// A command that ignores the system's settings.
fn command(directory: &Path, program: &str) -> Command {
    let mut command = Command::new(server::program(program, &[], "mariadb-server"));
    command.arg("--no-defaults").arg(format!("--datadir={}", directory.join("data").display()));
    if server::is_root() {
        command.arg("--user=root");
    }
    command
}
