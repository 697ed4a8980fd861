//! Stores of unit tests: one of SQLite, and one of PostgreSQL with `OPBEAT_TEST_STORE=postgres://user@host:port/`.

use std::ops::Deref;
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;
use tokio_postgres::NoTls;

use super::engine::SqliteFile;
use super::{NewApp, Store, StoreAddress};

/// A new database, which is removed with this value.
#[derive(Debug)]
pub(crate) struct TestDatabase {
    /// Its address.
    pub(crate) address: StoreAddress,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Folder { _folder: TempDir },
    Server { url: String, name: String },
}

/// An open store in a database of its own, which is removed with this value.
#[derive(Debug)]
pub(crate) struct TestStore {
    store: Store,
    database: TestDatabase,
}

/// Returns a store of each engine that the tests use.
pub(crate) async fn stores() -> Vec<TestStore> {
    let mut stores = Vec::new();
    for database in TestDatabase::all().await {
        stores.push(TestStore { store: database.open().await, database });
    }
    stores
}

impl TestStore {
    /// Opens the store once more, as another process does.
    pub(crate) async fn open_again(&self) -> Store {
        self.database.open().await
    }

    /// Returns whether the database is one of PostgreSQL.
    pub(crate) const fn is_postgres(&self) -> bool {
        matches!(self.database.address, StoreAddress::Postgres(_))
    }

    /// Creates an app, and returns its id.
    pub(crate) async fn create_app(&self, name: &str) -> String {
        let new = NewApp { organization: "acme".to_owned(), app: name.to_owned(), ..NewApp::default() };
        let token = std::array::from_fn(|index| name.as_bytes().get(index).copied().unwrap_or_default());
        self.store.create_app(&new, &token, 0).await.unwrap().app_id
    }
}

impl Deref for TestStore {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

impl TestDatabase {
    /// Returns a new, empty database of each engine that the tests use.
    pub(crate) async fn all() -> Vec<Self> {
        let folder = tempfile::tempdir().unwrap();
        let file = SqliteFile { path: folder.path().join("opbeat.sqlite"), may_be_created: true, may_be_empty: true };
        let mut databases =
            vec![Self { address: StoreAddress::Sqlite(file), place: Place::Folder { _folder: folder } }];
        if let Some(url) = std::env::var("OPBEAT_TEST_STORE").ok().filter(|url| !url.is_empty()) {
            static NUMBER: AtomicU32 = AtomicU32::new(0);
            let url = url.trim_end_matches('/').to_owned();
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let name = format!("opbeat_unit_{}_{number}_{:08x}", std::process::id(), fastrand::u32(..));
            run(&url, &format!("CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0")).await;
            let address = StoreAddress::Postgres(format!("{url}/{name}"));
            databases.push(Self { address, place: Place::Server { url, name } });
        }
        databases
    }

    /// Opens the database.
    pub(crate) async fn open(&self) -> Store {
        Store::open(self.address.clone(), Store::TIME_LIMIT, Store::TIME_LIMIT).await.unwrap()
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let Place::Server { url, name } = &self.place else { return };
        let (url, drop) = (url.clone(), format!("DROP DATABASE {name} WITH (FORCE)"));
        // Without the runtime of the test, which may be ending.
        let removed = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(run(&url, &drop));
        });
        removed.join().unwrap();
    }
}

async fn run(url: &str, statement: &str) {
    let (client, connection) = tokio_postgres::connect(&format!("{url}/postgres"), NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute(statement).await.unwrap();
}
