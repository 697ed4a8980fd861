//! The database of a server, as another process sees it: a file, or a database of a PostgreSQL server.
//!
//! With `OPBEAT_TEST_STORE=postgres://user@host:port/`, each server of the tests gets a database of its own there.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::Mutex;
use tokio_postgres::{Client, NoTls};

use crate::running::Running;

/// A database of PostgreSQL that is removed with this value.
#[derive(Debug)]
pub(crate) struct TestDatabase {
    /// The URL of the server, without the database.
    server: String,
    name: String,
}

impl TestDatabase {
    /// Creates a database if the tests use PostgreSQL.
    pub(crate) async fn create() -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let server = std::env::var("OPBEAT_TEST_STORE").ok().filter(|url| !url.is_empty())?;
        let server = server.trim_end_matches('/').to_owned();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("opbeat_test_{}_{number}_{:08x}", std::process::id(), fastrand::u32(..));
        let client = connect(&format!("{server}/postgres")).await;
        static TEMPLATE: Mutex<Option<String>> = Mutex::const_new(None);
        let mut template = TEMPLATE.lock().await;
        if template.is_none() {
            *template = Some(migrated_template(&client, &server).await);
        }
        let template = template.as_deref().unwrap();
        let create = format!("CREATE DATABASE {name} STRATEGY file_copy TEMPLATE {template}");
        client.batch_execute(&create).await.unwrap();
        Some(Self { server, name })
    }

    /// Returns the URL.
    pub(crate) fn url(&self) -> String {
        format!("{}/{}", self.server, self.name)
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        // Without the runtime of the test, which may be ending.
        let removed = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let client = connect(&format!("{server}/postgres")).await;
                // The server under test would connect again.
                client.batch_execute(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false")).await.unwrap();
                // PostgreSQL waits for five seconds until a session of an endless query ends. The server of the tests ends
                // with them, and its databases too.
                let _left = client.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)")).await;
            });
        });
        removed.join().unwrap();
    }
}

/// Creates a database with the current schema, and returns its name. Copying it is quicker than making the schema for each
/// test. Migrations have tests of their own.
async fn migrated_template(client: &Client, server: &str) -> String {
    let name = format!("opbeat_template_{}", std::process::id());
    client.batch_execute(&format!("CREATE DATABASE {name} STRATEGY file_copy TEMPLATE template0")).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    // Any command that opens the database migrates it.
    let mut command = Command::new(env!("CARGO_BIN_EXE_opbeat"));
    command.args(["token", "list", "--data"]).arg(folder.path()).env("OPBEAT_STORE", format!("{server}/{name}"));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    name
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// A connection of another process to the database of a server. Constraints between tables are not checked.
pub(crate) enum Database {
    File(rusqlite::Connection),
    Server(Client),
}

impl Database {
    pub(crate) async fn of(running: &Running) -> Self {
        match &running.database {
            Some(database) => {
                let client = connect(&database.url()).await;
                client.batch_execute("SET session_replication_role = replica").await.unwrap();
                Self::Server(client)
            }
            None => Self::file(&running.folder.path().join("opbeat.sqlite")),
        }
    }

    /// Opens a file.
    pub(crate) fn file(path: &Path) -> Self {
        let connection = rusqlite::Connection::open(path).unwrap();
        connection.pragma_update(None, "foreign_keys", false).unwrap();
        Self::File(connection)
    }

    /// Runs statements. They are text that both engines understand.
    pub(crate) async fn run(&self, statements: &str) {
        match self {
            Self::File(file) => file.execute_batch(statements).unwrap(),
            Self::Server(client) => client.batch_execute(statements).await.unwrap(),
        }
    }

    /// Runs a statement, and returns the number of rows that it changed.
    pub(crate) async fn execute(&self, statement: &str) -> u64 {
        match self {
            Self::File(file) => file.execute(statement, []).unwrap() as u64,
            Self::Server(client) => client.execute(statement, &[]).await.unwrap(),
        }
    }

    /// Begins a transaction that keeps the server from storing data and sessions.
    pub(crate) async fn lock(&self) {
        match self {
            Self::File(file) => file.execute_batch("BEGIN IMMEDIATE").unwrap(),
            Self::Server(client) => {
                let lock = "BEGIN; LOCK TABLE queue_cursor, sessions IN EXCLUSIVE MODE";
                client.batch_execute(lock).await.unwrap();
            }
        }
    }

    /// Ends the transaction, with the changes in it.
    pub(crate) async fn unlock(&self) {
        self.run("COMMIT").await;
    }

    /// Returns bytes as a part of a statement.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> String {
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        match self {
            Self::File(_) => format!("x'{digits}'"),
            Self::Server(_) => format!("'\\x{digits}'::bytea"),
        }
    }

    /// Returns the values of all rows of all tables, each with its position.
    pub(crate) async fn values(&self) -> Vec<(String, Vec<u8>)> {
        match self {
            Self::File(file) => values_of_file(file),
            Self::Server(client) => values_of_server(client).await,
        }
    }
}

fn values_of_file(file: &rusqlite::Connection) -> Vec<(String, Vec<u8>)> {
    use rusqlite::types::ValueRef::{Blob, Text};
    let mut tables = file.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").unwrap();
    let tables: Vec<String> = tables.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let mut values = Vec::new();
    for table in tables {
        let mut select = file.prepare(&format!("SELECT * FROM \"{table}\"")).unwrap();
        let columns = select.column_count();
        let mut rows = select.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for index in 0..columns {
                if let Text(bytes) | Blob(bytes) = row.get_ref(index).unwrap() {
                    values.push((format!("column {index} of {table}"), bytes.to_vec()));
                }
            }
        }
    }
    values
}

async fn values_of_server(client: &Client) -> Vec<(String, Vec<u8>)> {
    let tables = "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'";
    let mut values = Vec::new();
    for table in client.query(tables, &[]).await.unwrap() {
        let table: String = table.get(0);
        for row in client.query(&format!("SELECT * FROM \"{table}\""), &[]).await.unwrap() {
            for index in 0..row.len() {
                let text = row.try_get::<_, Option<String>>(index).map(|text| text.map(String::into_bytes));
                let bytes = text.or_else(|_| row.try_get::<_, Option<Vec<u8>>>(index));
                values.extend(bytes.ok().flatten().map(|bytes| (format!("column {index} of {table}"), bytes)));
            }
        }
    }
    values
}
