//! Databases of tests: of SQLite, and of PostgreSQL with `OPBEAT_TEST_STORE=postgres://user@host:port/`.

use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

use super::engine::SqliteFile;
use super::{NewApp, Store, StoreAddress};

/// A new database.
pub(super) struct TestDatabase {
    /// Its address.
    pub(super) address: StoreAddress,
    /// Removed with this value.
    _folder: TempDir,
    server: Option<(String, String)>,
}

impl TestDatabase {
    /// Returns a new, empty database of each engine that the tests use.
    pub(super) async fn all() -> Vec<Self> {
        let folder = tempfile::tempdir().unwrap();
        let file = SqliteFile { path: folder.path().join("opbeat.sqlite"), may_be_created: true, may_be_empty: true };
        let mut databases = vec![Self { address: StoreAddress::Sqlite(file), _folder: folder, server: None }];
        if let Some(server) = std::env::var("OPBEAT_TEST_STORE").ok().filter(|url| !url.is_empty()) {
            static NUMBER: AtomicU32 = AtomicU32::new(0);
            let server = server.trim_end_matches('/').to_owned();
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let name = format!("opbeat_unit_{}_{number}_{:08x}", std::process::id(), fastrand::u32(..));
            run(&server, &format!("CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0")).await;
            databases.push(Self {
                address: StoreAddress::Postgres(format!("{server}/{name}")),
                _folder: tempfile::tempdir().unwrap(),
                server: Some((server, name)),
            });
        }
        databases
    }

    /// Opens the database, and creates an app in it. Returns the app's id.
    pub(super) async fn open(&self) -> (Store, String) {
        let store = Store::open(self.address.clone(), Store::TIME_LIMIT).await.unwrap();
        let new = NewApp { organization: "acme".to_owned(), app: "shop".to_owned(), ..NewApp::default() };
        let app = store.create_app(&new, &[0; 32], 0).await.unwrap();
        (store, app.app_id)
    }

    /// Removes the database.
    pub(super) async fn remove(self, store: Store) {
        store.close().await;
        if let Some((server, name)) = &self.server {
            run(server, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
        }
    }
}

async fn run(server: &str, statement: &str) {
    let url = format!("{server}/postgres");
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    let running = tokio::spawn(connection);
    client.batch_execute(statement).await.unwrap();
    drop(client);
    running.await.unwrap().unwrap();
}
