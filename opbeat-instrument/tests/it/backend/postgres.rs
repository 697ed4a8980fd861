//! PostgreSQL, without passwords.

use super::server::{self, Server};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Debian's directories of programs, one for each major version.
const VERSIONS: &str = "/usr/lib/postgresql";

/// The URL of the server that all tests of the process use. A test uses temporary tables or names of its own.
pub(crate) fn url() -> String {
    static SERVER: OnceLock<(Server, u16)> = OnceLock::new();
    let (_, port) = SERVER.get_or_init(start);
    format!("postgres://postgres@127.0.0.1:{port}/postgres")
}

fn start() -> (Server, u16) {
    let directory = server::directory();
    let data = directory.join("data");
    let mut create = as_allowed_user(&directory, "initdb");
    // Data need not survive a crash of the machine.
    create.args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]);
    server::run(create.arg("--pgdata").arg(&data));

    let port = server::free_port();
    let mut command = as_allowed_user(&directory, "postgres");
    command.arg("-D").arg(&data).args(["-p", &port.to_string(), "-h", "127.0.0.1", "-F"]);
    command.args(["-c", "unix_socket_directories="]);
    // Log lines are in English, whatever the language of the system is.
    command.args(["-c", "lc_messages=C"]);
    // SIGQUIT ends the server at once, and unlike SIGKILL leaves no shared memory.
    (Server::start(&command, &directory, "QUIT", "database system is ready to accept connections"), port)
}

/// A command of PostgreSQL, which refuses to run as root. The user `postgres` of Debian's package then runs it.
fn as_allowed_user(directory: &Path, program: &str) -> Command {
    let program = server::program(program, &versions(), "postgresql");
    if !server::is_root() {
        return Command::new(program);
    }
    server::run(Command::new("chown").args(["postgres:postgres"]).arg(directory));
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]).arg(program);
    command.current_dir(directory);
    command
}

/// The directories of PostgreSQL's programs, newest version first.
fn versions() -> Vec<PathBuf> {
    let entries = fs::read_dir(VERSIONS).into_iter().flatten().filter_map(Result::ok);
    let mut versions: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    versions.sort_by_key(|path| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok()));
    versions.into_iter().rev().map(|version| version.join("bin")).collect()
}
