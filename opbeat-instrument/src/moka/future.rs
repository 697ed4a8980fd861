//! Caches for asynchronous code.

use std::borrow::Borrow;
use std::fmt;
use std::future::Future;
use std::hash::{BuildHasher, Hash, RandomState};
use std::ops::Deref;
use std::sync::Arc;

use super::operations::{Operations, note_hit, start};
use crate::timed::timed;

/// A [`moka::future::Cache`] whose operations become spans of the kind `cache.moka`.
///
/// The functions without a span are those of the cache itself.
///
/// # Examples
///
/// ```
/// use opbeat_instrument::moka::future::Cache;
///
/// # async fn title(id: u32) -> String {
/// let books = Cache::new(moka::future::Cache::builder().name("books").max_capacity(100).build());
/// books.get_with(id, async { "Dune".to_owned() }).await
/// # }
/// ```
pub struct Cache<K, V, S = RandomState> {
    inner: moka::future::Cache<K, V, S>,
    operations: Arc<Operations>,
}

impl<K, V, S> Cache<K, V, S> {
    /// Wraps a cache.
    #[must_use]
    pub fn new(cache: moka::future::Cache<K, V, S>) -> Self {
        let operations = Arc::new(Operations::of(cache.name()));
        Self { inner: cache, operations }
    }
}

impl<K, V, S> Cache<K, V, S>
where
    K: Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
    S: BuildHasher + Clone + Send + Sync + 'static,
{
    /// Returns a value, as [`moka::future::Cache::get`] does.
    pub async fn get<Q>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let start = |position: &_| start(position, &self.operations.get).leaf();
        timed(start, self.inner.get(key), |span, value| note_hit(span, value.is_some())).await
    }

    /// Returns a value or computes it, as [`moka::future::Cache::get_with`] does.
    ///
    /// Spans that start in `init` are inside the span of this call.
    pub async fn get_with(&self, key: K, init: impl Future<Output = V>) -> V {
        let start = |position: &_| start(position, &self.operations.get_with);
        let entry = self.inner.entry(key).or_insert_with(init);
        timed(start, entry, |span, entry| note_hit(span, !entry.is_fresh())).await.into_value()
    }

    /// Returns a value or computes it, as [`moka::future::Cache::optionally_get_with`] does.
    ///
    /// Spans that start in `init` are inside the span of this call.
    pub async fn optionally_get_with(&self, key: K, init: impl Future<Output = Option<V>>) -> Option<V> {
        let start = |position: &_| start(position, &self.operations.get_with);
        let entry = self.inner.entry(key).or_optionally_insert_with(init);
        let is_hit = |entry: &Option<moka::Entry<K, V>>| entry.as_ref().is_some_and(|entry| !entry.is_fresh());
        timed(start, entry, |span, entry| note_hit(span, is_hit(entry))).await.map(moka::Entry::into_value)
    }

    /// Returns a value or computes it, as [`moka::future::Cache::try_get_with`] does.
    ///
    /// Spans that start in `init` are inside the span of this call.
    ///
    /// # Errors
    ///
    /// Returns the error of `init`.
    pub async fn try_get_with<E>(&self, key: K, init: impl Future<Output = Result<V, E>>) -> Result<V, Arc<E>>
    where
        E: Send + Sync + 'static,
    {
        let start = |position: &_| start(position, &self.operations.get_with);
        let entry = self.inner.entry(key).or_try_insert_with(init);
        let is_hit = |entry: &Result<moka::Entry<K, V>, _>| entry.as_ref().is_ok_and(|entry| !entry.is_fresh());
        timed(start, entry, |span, entry| note_hit(span, is_hit(entry))).await.map(moka::Entry::into_value)
    }

    /// Inserts a value, as [`moka::future::Cache::insert`] does.
    pub async fn insert(&self, key: K, value: V) {
        let start = |position: &_| start(position, &self.operations.insert).leaf();
        timed(start, self.inner.insert(key, value), |_, ()| ()).await;
    }

    /// Removes and returns a value, as [`moka::future::Cache::remove`] does.
    pub async fn remove<Q>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let start = |position: &_| start(position, &self.operations.remove).leaf();
        timed(start, self.inner.remove(key), |span, value| note_hit(span, value.is_some())).await
    }
}

impl<K, V, S> Clone for Cache<K, V, S> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), operations: Arc::clone(&self.operations) }
    }
}

/// Other functions of the cache.
impl<K, V, S> Deref for Cache<K, V, S> {
    type Target = moka::future::Cache<K, V, S>;

    fn deref(&self) -> &Self::Target {
        &self.inner
    }
}

impl<K, V, S> fmt::Debug for Cache<K, V, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("name", &self.inner.name()).finish_non_exhaustive()
    }
}
