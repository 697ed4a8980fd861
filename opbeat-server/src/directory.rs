//! Secret tokens in memory, so that intake works while the database is not available.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::intake::{DirectoryUnavailable, TokenDirectory, TokenOwner};
use crate::store::{Store, StoreError};

/// The least time between two reads of the store, however many unknown tokens arrive.
const READ_INTERVAL: Duration = Duration::from_millis(50);

/// The known tokens, and the store that they are read from.
#[derive(Clone, Debug)]
pub(crate) struct StoreDirectory {
    store: Store,
    known: Arc<RwLock<HashMap<[u8; 32], TokenOwner>>>,
    /// The time of the last read of the store, and whether it succeeded.
    last_read: Arc<Mutex<Option<(Instant, bool)>>>,
}

impl StoreDirectory {
    /// Makes a directory, and reads all tokens of the store.
    pub(crate) async fn open(store: Store) -> Result<Self, StoreError> {
        let directory = Self { store, known: Arc::default(), last_read: Arc::default() };
        directory.read().await?;
        Ok(directory)
    }

    async fn read(&self) -> Result<(), StoreError> {
        let owners = self.store.secret_tokens().await?;
        let known = owners.into_iter().map(|owner| (owner.token_hash, owner)).collect();
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = known;
        Ok(())
    }

    fn get(&self, hash: &[u8; 32]) -> Option<TokenOwner> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(hash).cloned()
    }

    async fn find(&self, hash: &[u8; 32]) -> Result<Option<TokenOwner>, DirectoryUnavailable> {
        if let Some(owner) = self.get(hash) {
            return Ok(Some(owner));
        }
        // Requests that wait for a read share its result. A burst of unknown tokens therefore costs one read.
        let requested_at = Instant::now();
        let mut last_read = self.last_read.lock().await;
        if last_read.is_none_or(|(at, _)| at < requested_at) {
            if let Some((at, _)) = *last_read {
                tokio::time::sleep_until(at + READ_INTERVAL).await;
            }
            let at = Instant::now();
            let read = self.read().await;
            if let Err(error) = &read {
                tracing::warn!(
                    error = error as &dyn std::error::Error,
                    "cannot look up an unknown token; known tokens still work"
                );
            }
            *last_read = Some((at, read.is_ok()));
        }
        match *last_read {
            Some((_, false)) => Err(DirectoryUnavailable),
            _ => Ok(self.get(hash)),
        }
    }
}

impl TokenDirectory for StoreDirectory {
    fn find<'a>(&'a self, hash: &'a [u8; 32]) -> BoxFuture<'a, Result<Option<TokenOwner>, DirectoryUnavailable>> {
        Box::pin(self.find(hash))
    }
}
