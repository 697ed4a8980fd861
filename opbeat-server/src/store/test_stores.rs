//! The stores of unit tests, one of each engine.

use std::ops::Deref;
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;
use tokio_postgres::NoTls;

use super::database::Store;
use super::engine::{SqliteFile, StoreAddress};

/// A new store, which is removed with this value.
#[derive(Debug)]
pub(crate) struct TestStore {
    store: Store,
    address: StoreAddress,
    _folder: Option<TempDir>,
    _database: Option<TestDatabase>,
}

impl Deref for TestStore {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

impl TestStore {
    /// Opens the store once more, as another process does.
    pub(crate) async fn open_again(&self) -> Store {
        Store::open(self.address.clone(), Store::TIME_LIMIT).await.unwrap()
    }
}

/// Returns a store in a file, and one in the PostgreSQL that `OPBEAT_TEST_STORE=postgres://user@host:port/` names, if it
/// is set.
pub(crate) async fn stores() -> Vec<TestStore> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("opbeat.sqlite");
    let address = StoreAddress::Sqlite(SqliteFile { path, may_be_created: true, may_be_empty: true });
    let store = Store::open(address.clone(), Store::TIME_LIMIT).await.unwrap();
    let mut stores = vec![TestStore { store, address, _folder: Some(folder), _database: None }];
    if let Some(server) = std::env::var("OPBEAT_TEST_STORE").ok().filter(|url| !url.is_empty()) {
        let database = TestDatabase::create(server.trim_end_matches('/').to_owned()).await;
        let address = StoreAddress::Postgres(format!("{}/{}", database.server, database.name));
        let store = Store::open(address.clone(), Store::TIME_LIMIT).await.unwrap();
        stores.push(TestStore { store, address, _folder: None, _database: Some(database) });
    }
    stores
}

/// A database of a PostgreSQL server, which is removed with this value.
#[derive(Debug)]
struct TestDatabase {
    server: String,
    name: String,
}

impl TestDatabase {
    async fn create(server: String) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("opbeat_unit_{}_{number}_{:08x}", std::process::id(), fastrand::u32(..));
        run(&server, &format!("CREATE DATABASE {name} TEMPLATE template0")).await;
        Self { server, name }
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (server, drop) = (self.server.clone(), format!("DROP DATABASE {} WITH (FORCE)", self.name));
        // Without the runtime of the test, which may be ending.
        let removed = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(run(&server, &drop));
        });
        removed.join().unwrap();
    }
}

async fn run(server: &str, statement: &str) {
    let (client, connection) = tokio_postgres::connect(&format!("{server}/postgres"), NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute(statement).await.unwrap();
}
