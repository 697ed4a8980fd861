//! PostgreSQL, without passwords.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use rustix::process::Signal;

use crate::program::{self, directory, free_port, is_root};
use crate::server::{Recipe, Server};

/// Debian's directories of programs, one for each major version.
const VERSIONS: &str = "/usr/lib/postgresql";

/// The user of Debian's package.
const USER: &str = "postgres";

/// Debian's package.
const PACKAGE: &str = "postgresql";

/// A database server with a database of its own.
#[derive(Debug)]
pub struct Postgres {
    server: Server,
    port: u16,
}

/// Returns the URL of the server that all tests of the process use. A test uses temporary tables or names of its own.
#[must_use]
pub fn url() -> String {
    static SERVER: OnceLock<Postgres> = OnceLock::new();
    SERVER.get_or_init(Postgres::start).url()
}

impl Postgres {
    /// Returns whether the programs of PostgreSQL are installed.
    #[must_use]
    pub fn is_installed() -> bool {
        ["initdb", "postgres"].iter().all(|name| program::find(name, &versions()).is_some())
    }

    /// Starts a server that has no data yet.
    ///
    /// Committed data survives [`kill`](Self::kill), but not a crash of the machine: nothing is flushed to the disk.
    ///
    /// # Panics
    ///
    /// Panics if PostgreSQL is not installed or does not start.
    #[must_use]
    pub fn start() -> Self {
        Self::start_in(directory(), &[])
    }

    /// Starts a server that takes encrypted connections too, with a certificate for `localhost`.
    ///
    /// # Panics
    ///
    /// Panics if PostgreSQL is not installed, does not start, or cannot use the certificate.
    #[must_use]
    pub fn start_with_tls(certificate: &Path, key: &Path) -> Self {
        let directory = directory();
        let copy = |file: &Path, name: &str| {
            let path = directory.join(name);
            fs::copy(file, &path).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            // PostgreSQL refuses a key that others can read.
            program::run(Command::new("chmod").arg("600").arg(&path));
            if is_root() {
                program::give(&path, USER);
            }
            path.display().to_string()
        };
        let settings = [
            "ssl=on".to_owned(),
            format!("ssl_cert_file={}", copy(certificate, "server.crt")),
            format!("ssl_key_file={}", copy(key, "server.key")),
        ];
        Self::start_in(directory, &settings)
    }

    fn start_in(directory: PathBuf, settings: &[String]) -> Self {
        let data = directory.join("data");
        let mut create = as_allowed_user(&directory, "initdb");
        create.args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]);
        program::run(create.arg("--pgdata").arg(&data));

        let port = free_port();
        let mut command = as_allowed_user(&directory, "postgres");
        command.arg("-D").arg(&data).args(["-p", &port.to_string(), "-h", "127.0.0.1", "-F"]);
        command.args(["-c", "unix_socket_directories="]);
        // Files in the data directory, so that a killed server leaves nothing in `/dev/shm`.
        command.args(["-c", "dynamic_shared_memory_type=mmap"]);
        // Log lines are in English, whatever the language of the system is.
        command.args(["-c", "lc_messages=C"]);
        for setting in settings {
            command.args(["-c", setting]);
        }
        // SIGQUIT ends the server at once, and unlike SIGKILL leaves no shared memory.
        let ready = "database system is ready to accept connections";
        Self { server: Server::start(Recipe { command, directory, signal: "QUIT", ready }), port }
    }

    /// Returns the URL of the database.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Returns the URL of the database by the name of a certificate for `localhost`.
    #[must_use]
    pub fn tls_url(&self) -> String {
        format!("postgres://postgres@localhost:{}/postgres", self.port)
    }

    /// Kills all processes of the server with SIGKILL, and waits until they have ended.
    pub fn kill(&mut self) {
        self.server.kill();
    }

    /// Shuts the server down, without waiting for its clients.
    pub fn stop(&mut self) {
        self.server.stop(Signal::INT);
    }

    /// Starts the server on the same port with the same data, after it was killed or stopped.
    ///
    /// # Panics
    ///
    /// Panics if the server runs, or does not start.
    pub fn start_again(&mut self) {
        // The file of a killed server names a process, whose id may belong to another process by now. The server that
        // it describes has ended. An error means that the server was stopped, and that the file does not exist.
        let _ = fs::remove_file(self.server.directory().join("data/postmaster.pid"));
        self.server.start_again();
    }

    /// Suspends the process that accepts connections. Established connections continue to work.
    pub fn pause(&self) {
        self.server.signal(Signal::STOP);
    }

    /// Continues after [`pause`](Self::pause).
    pub fn resume(&self) {
        self.server.signal(Signal::CONT);
    }
}

/// A command of PostgreSQL, which refuses to run as root. The user `postgres` of Debian's package then runs it.
fn as_allowed_user(directory: &Path, name: &str) -> Command {
    let program = program::program(name, &versions(), PACKAGE);
    if !is_root() {
        return Command::new(program);
    }
    program::give(directory, USER);
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
