//! The two forms of the server, as processes.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use tempfile::TempDir;
use test_backends::{Opbeat, Postgres, Rabbitmq};

use crate::api::{Api, PATIENCE, pause};

/// Returns the path of the binary: that of `OPBEAT_BINARY`, or the one of this build.
fn binary() -> PathBuf {
    env::var_os("OPBEAT_BINARY").map_or_else(|| env!("CARGO_BIN_EXE_opbeat").into(), PathBuf::from)
}

/// Variables of a process.
pub(crate) type Variables = Vec<(OsString, OsString)>;

/// The ids and the token are fixed, so that two deployments can be compared.
const ORGANIZATION_ID: &str = "0123456789abcdef";
const APP_ID: &str = "abcdef";
const SECRET_TOKEN: &str = "0123456789012345678901234567890123456789";

/// Runs a command of the binary to its end, and returns what it prints.
pub(crate) fn opbeat(arguments: &[&str], data: &Path, options: &[&str]) -> String {
    let output = command(arguments, data, options).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a command that fails, and returns what it prints as an error.
pub(crate) fn refused(arguments: &[&str], data: &Path, options: &[&str]) -> String {
    let output = command(arguments, data, options).output().unwrap();
    assert!(!output.status.success(), "{arguments:?} succeeded");
    String::from_utf8(output.stderr).unwrap()
}

/// Returns a command of the binary, to be run.
pub(crate) fn command(arguments: &[&str], data: &Path, options: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command.args(arguments).arg("--data").arg(data).args(options).env("OPBEAT_NEW_SECRET_TOKEN", SECRET_TOKEN);
    command
}

/// Creates the app `acme/shop`, and returns a read token.
fn create_app(data: &Path, options: &[&str]) -> String {
    let ids = ["--organization-id", ORGANIZATION_ID, "--app-id", APP_ID];
    let _ = opbeat(&["app", "create", "acme/shop"], data, &[&ids, options].concat());
    opbeat(&["token", "create", "acme"], data, options).trim().to_owned()
}

/// Returns the URL of an endpoint of the intake.
pub(crate) fn intake_url(server: &str, endpoint: &str) -> String {
    format!("{server}/api/v1/organizations/{ORGANIZATION_ID}/apps/{APP_ID}/{endpoint}/")
}

/// Returns the header value with the app's secret token.
pub(crate) fn authorization() -> String {
    format!("Bearer {SECRET_TOKEN}")
}

/// Adds the app's secret token to a request.
pub(crate) fn with_token(request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
    request.bearer_auth(SECRET_TOKEN)
}

/// A deployment that has been given bodies.
pub(crate) trait Deployment {
    /// Returns the URLs of the processes that accept bodies.
    fn intakes(&self) -> Vec<String>;

    /// Returns the API.
    fn api(&self) -> &Api;

    /// Waits until no accepted body is left to store.
    async fn drained(&self);
}

/// One process with SQLite and its own queue.
pub(crate) struct Embedded {
    pub(crate) server: Opbeat,
    pub(crate) api: Api,
    folder: Folder,
}

/// A data folder in the directory for temporary files, or elsewhere.
enum Folder {
    Temporary(TempDir),
    Other(PathBuf),
}

impl Embedded {
    pub(crate) fn start() -> Self {
        Self::in_folder(Folder::Temporary(tempfile::tempdir().unwrap()), &[])
    }

    /// Starts a server that stores its data in PostgreSQL.
    pub(crate) fn start_on(postgres: &Postgres) -> Self {
        Self::in_folder(Folder::Temporary(tempfile::tempdir().unwrap()), &["--store", &postgres.url()])
    }

    /// Starts a server with a data folder that exists.
    pub(crate) fn start_in(folder: &Path) -> Self {
        Self::in_folder(Folder::Other(folder.to_owned()), &[])
    }

    /// Starts a server with a data folder that exists, and variables of its environment.
    pub(crate) fn start_with(folder: &Path, variables: Variables) -> Self {
        let read_token = create_app(folder, &[]);
        let server = Opbeat::start_with(binary(), "serve", folder, &[], variables);
        let api = Api::new(server.url(), read_token);
        Self { server, api, folder: Folder::Other(folder.to_owned()) }
    }

    fn in_folder(folder: Folder, options: &[&str]) -> Self {
        let read_token = create_app(folder.path(), options);
        let server = Opbeat::start(binary(), "serve", folder.path(), options);
        let api = Api::new(server.url(), read_token);
        Self { server, api, folder }
    }

    /// Starts a server on a folder with a copy of this one's data.
    pub(crate) fn start_copy(&self, folder: &Path) -> Self {
        let server = Opbeat::start(binary(), "serve", folder, &[]);
        let api = self.api.at(server.url());
        Self { server, api, folder: Folder::Other(folder.to_owned()) }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// Copies a folder with everything in it.
pub(crate) fn copy_folder(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-r").arg(from).arg(to).status().unwrap();
    assert!(status.success(), "cp -r {} {}", from.display(), to.display());
}

impl Folder {
    fn path(&self) -> &Path {
        match self {
            Self::Temporary(folder) => folder.path(),
            Self::Other(folder) => folder,
        }
    }
}

impl Deployment for Embedded {
    fn intakes(&self) -> Vec<String> {
        vec![self.server.url().to_owned()]
    }

    fn api(&self) -> &Api {
        &self.api
    }

    async fn drained(&self) {
        let deadline = Instant::now() + PATIENCE;
        while self.api.backlog().await > 0 {
            assert!(Instant::now() < deadline, "the queue was not stored in time");
            pause().await;
        }
    }
}

/// Two intakes, three workers and one process for the pages, with RabbitMQ and PostgreSQL.
pub(crate) struct Scaled {
    pub(crate) intakes: Vec<Opbeat>,
    pub(crate) workers: Vec<Opbeat>,
    pub(crate) web: Opbeat,
    pub(crate) postgres: Postgres,
    pub(crate) rabbitmq: Rabbitmq,
    api: Api,
    _folder: Folder,
}

impl Scaled {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::in_folder(Folder::Temporary(folder), |_| Variables::new())
    }

    /// Starts the processes with folders in one that exists, and variables of the environment of each.
    pub(crate) fn start_in(folder: &Path, variables: impl Fn(&str) -> Variables) -> Self {
        Self::in_folder(Folder::Other(folder.to_owned()), variables)
    }

    fn in_folder(folder: Folder, variables: impl Fn(&str) -> Variables) -> Self {
        let (postgres, rabbitmq) = (Postgres::start(), Rabbitmq::start());
        let (store, queue) = (postgres.url(), rabbitmq.url());
        let read_token = create_app(folder.path(), &["--store", &store]);
        let options = ["--queue", &queue, "--store", &store];
        let start = |role: &str, number: usize| {
            let name = format!("{role}-{number}");
            Opbeat::start_with(binary(), role, &folder.path().join(&name), &options, variables(&name))
        };
        let intakes = (0..2).map(|number| start("intake", number)).collect();
        let workers = (0..3).map(|number| start("worker", number)).collect();
        let web = start("web", 0);
        let api = Api::new(web.url(), read_token);
        Self { intakes, workers, web, postgres, rabbitmq, api, _folder: folder }
    }
}

impl Deployment for Scaled {
    fn intakes(&self) -> Vec<String> {
        self.intakes.iter().map(|intake| intake.url().to_owned()).collect()
    }

    fn api(&self) -> &Api {
        &self.api
    }

    async fn drained(&self) {
        let deadline = Instant::now() + PATIENCE;
        while self.rabbitmq.messages() > 0 {
            assert!(Instant::now() < deadline, "the queues of RabbitMQ are not empty: {}", self.rabbitmq.messages());
            pause().await;
        }
    }
}
