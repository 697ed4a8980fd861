//! Secret tokens and allowed origins in memory, so that intake works while the database is not available.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::intake::{BrowserApp, DirectoryUnavailable, OriginDirectory, TokenDirectory, TokenOwner};
use crate::store::{Store, StoreError};

/// The least time between two reads of the tokens, however many unknown tokens arrive.
const TOKEN_INTERVAL: Duration = Duration::from_millis(50);

/// The least time between two reads of the origins. Anybody can send requests from unknown origins.
const ORIGIN_INTERVAL: Duration = Duration::from_secs(1);

/// The age at which origins are read again, so that a removed one is noticed.
const MAX_ORIGIN_AGE: Duration = Duration::from_secs(10);

/// The known tokens and origins, and the store that they are read from.
#[derive(Clone, Debug)]
pub(crate) struct StoreDirectory {
    store: Store,
    tokens: Arc<Known<HashMap<[u8; 32], TokenOwner>>>,
    /// The apps that allow an origin, by each form of their names.
    apps: Arc<Known<BrowserApps>>,
}

/// Apps that allow an origin, by the names of their organization and their own.
type BrowserApps = HashMap<(String, String), Arc<BrowserApp>>;

/// Values of the store in memory.
#[derive(Debug, Default)]
struct Known<T> {
    values: RwLock<Arc<T>>,
    /// The time of the last read of the store, and whether it succeeded.
    last_read: Mutex<Option<(Instant, bool)>>,
}

impl<T> Known<T> {
    fn get(&self) -> Arc<T> {
        Arc::clone(&self.values.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn set(&self, values: T) {
        *self.values.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(values);
    }

    /// Reads the store once more. Returns an error if it cannot be read.
    ///
    /// Requests that wait for a read share its result. A burst of unknown values therefore costs one read.
    async fn renew(
        &self,
        interval: Duration,
        read: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<(), DirectoryUnavailable> {
        let requested_at = Instant::now();
        let mut last_read = self.last_read.lock().await;
        if last_read.is_none_or(|(at, _)| at < requested_at) {
            if let Some((at, _)) = *last_read {
                tokio::time::sleep_until(at + interval).await;
            }
            let at = Instant::now();
            let read = read.await;
            *last_read = Some((at, read.is_ok()));
            match read {
                Ok(values) => self.set(values),
                Err(error) => tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "cannot look up an unknown token or origin; known ones still work"
                ),
            }
        }
        match *last_read {
            Some((_, false)) => Err(DirectoryUnavailable),
            _ => Ok(()),
        }
    }

    /// Returns whether the last read is older than `age`, and no read is running.
    fn is_older_than(&self, age: Duration) -> bool {
        self.last_read.try_lock().is_ok_and(|last| last.is_none_or(|(at, _)| at.elapsed() > age))
    }
}

impl StoreDirectory {
    /// Makes a directory, and reads all tokens and origins of the store.
    pub(crate) async fn open(store: Store) -> Result<Self, StoreError> {
        let directory = Self { store, tokens: Arc::default(), apps: Arc::default() };
        directory.tokens.set(directory.read_tokens().await?);
        directory.apps.set(directory.read_apps().await?);
        Ok(directory)
    }

    async fn read_tokens(&self) -> Result<HashMap<[u8; 32], TokenOwner>, StoreError> {
        let owners = self.store.secret_tokens().await?;
        Ok(owners.into_iter().map(|owner| (owner.token_hash, owner)).collect())
    }

    async fn read_apps(&self) -> Result<HashMap<(String, String), Arc<BrowserApp>>, StoreError> {
        let mut known = HashMap::new();
        for app in self.store.browser_apps().await? {
            let app = Arc::new(app);
            for organization in [&app.organization_id, &app.organization] {
                for name in [&app.app_id, &app.app] {
                    known.insert((organization.clone(), name.clone()), Arc::clone(&app));
                }
            }
        }
        Ok(known)
    }

    async fn find_token(&self, hash: &[u8; 32]) -> Result<Option<TokenOwner>, DirectoryUnavailable> {
        if let Some(owner) = self.tokens.get().get(hash) {
            return Ok(Some(owner.clone()));
        }
        self.tokens.renew(TOKEN_INTERVAL, self.read_tokens()).await?;
        Ok(self.tokens.get().get(hash).cloned())
    }

    async fn find_app(
        &self,
        names: (String, String),
        origin: &str,
    ) -> Result<Option<Arc<BrowserApp>>, DirectoryUnavailable> {
        if let Some(app) = self.known_app(&names, origin) {
            self.renew_old_origins();
            return Ok(Some(app));
        }
        self.apps.renew(ORIGIN_INTERVAL, self.read_apps()).await?;
        Ok(self.known_app(&names, origin))
    }

    fn known_app(&self, names: &(String, String), origin: &str) -> Option<Arc<BrowserApp>> {
        let apps = self.apps.get();
        let app = apps.get(names).filter(|app| app.origins.iter().any(|allowed| allowed.allows(origin)))?;
        Some(Arc::clone(app))
    }

    /// Reads old origins again, beside the request that uses them: it must not wait for the database.
    fn renew_old_origins(&self) {
        if self.apps.is_older_than(MAX_ORIGIN_AGE) {
            let directory = self.clone();
            tokio::spawn(async move { directory.apps.renew(ORIGIN_INTERVAL, directory.read_apps()).await });
        }
    }
}

impl TokenDirectory for StoreDirectory {
    fn find<'a>(&'a self, hash: &'a [u8; 32]) -> BoxFuture<'a, Result<Option<TokenOwner>, DirectoryUnavailable>> {
        Box::pin(self.find_token(hash))
    }
}

impl OriginDirectory for StoreDirectory {
    fn find_allowed<'a>(
        &'a self,
        organization: &'a str,
        app: &'a str,
        origin: &'a str,
    ) -> BoxFuture<'a, Result<Option<Arc<BrowserApp>>, DirectoryUnavailable>> {
        Box::pin(self.find_app((organization.to_owned(), app.to_owned()), origin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::hash_token;
    use crate::store::NewApp;

    #[tokio::test]
    async fn known_tokens_and_origins_work_without_the_database() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_file(&folder.path().join("opbeat.sqlite")).await;
        let new = NewApp { organization: "acme".to_owned(), app: "shop".to_owned(), ..NewApp::default() };
        let app = store.create_app(&new, &hash_token("token"), 0).await.unwrap();
        let origin = "https://shop.example".parse().unwrap();
        store.change_origins(("acme", "shop"), &[origin], &[], 0).await.unwrap();
        let directory = StoreDirectory::open(store.clone()).await.unwrap();
        store.close().await;
        assert!(directory.find(&hash_token("token")).await.unwrap().is_some());
        assert_eq!(directory.find(&hash_token("other")).await, Err(DirectoryUnavailable));
        for (organization, name) in [("acme", "shop"), (&*app.organization_id, &*app.app_id), ("acme", &app.app_id)] {
            let found = directory.find_allowed(organization, name, "https://shop.example").await.unwrap();
            assert_eq!(found.unwrap().app_id, app.app_id);
        }
        let unknown = directory.find_allowed("acme", "shop", "https://other.example").await;
        assert_eq!(unknown.err(), Some(DirectoryUnavailable));
    }
}
