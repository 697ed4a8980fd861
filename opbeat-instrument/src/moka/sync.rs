//! Caches for code without `async`.

use std::borrow::Borrow;
use std::fmt;
use std::hash::{BuildHasher, Hash, RandomState};
use std::ops::Deref;
use std::sync::Arc;

use opbeat_core::Span;
use opbeat_core::instrument::Position;

use super::operations::{Operations, note_hit, start};

/// A [`moka::sync::Cache`] whose operations become spans of the kind `cache.moka`.
///
/// The functions without a span are those of the cache itself.
///
/// # Examples
///
/// ```
/// use opbeat_instrument::moka::sync::Cache;
///
/// let books = Cache::new(moka::sync::Cache::builder().name("books").max_capacity(100).build());
/// books.insert(1, "Dune");
/// assert_eq!(books.get(&1), Some("Dune"));
/// ```
pub struct Cache<K, V, S = RandomState> {
    inner: moka::sync::Cache<K, V, S>,
    operations: Arc<Operations>,
}

impl<K, V, S> Cache<K, V, S> {
    /// Wraps a cache.
    #[must_use]
    pub fn new(cache: moka::sync::Cache<K, V, S>) -> Self {
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
    /// Returns a value, as [`moka::sync::Cache::get`] does.
    pub fn get<Q>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let get = || self.inner.get(key);
        timed_leaf(&self.operations.get, get, |span, value| note_hit(span, value.is_some()))
    }

    /// Returns a value or computes it, as [`moka::sync::Cache::get_with`] does.
    ///
    /// Spans that start in `init` are inside the span of this call.
    pub fn get_with(&self, key: K, init: impl FnOnce() -> V) -> V {
        let entry = || self.inner.entry(key).or_insert_with(init);
        timed(&self.operations.get_with, entry, |span, entry| note_hit(span, !entry.is_fresh())).into_value()
    }

    /// Returns a value or computes it, as [`moka::sync::Cache::optionally_get_with`] does.
    ///
    /// Spans that start in `init` are inside the span of this call.
    pub fn optionally_get_with(&self, key: K, init: impl FnOnce() -> Option<V>) -> Option<V> {
        let entry = || self.inner.entry(key).or_optionally_insert_with(init);
        let is_hit = |entry: &Option<moka::Entry<K, V>>| entry.as_ref().is_some_and(|entry| !entry.is_fresh());
        timed(&self.operations.get_with, entry, |span, entry| note_hit(span, is_hit(entry)))
            .map(moka::Entry::into_value)
    }

    /// Returns a value or computes it, as [`moka::sync::Cache::try_get_with`] does.
    ///
    /// Spans that start in `init` are inside the span of this call.
    ///
    /// # Errors
    ///
    /// Returns the error of `init`.
    pub fn try_get_with<E>(&self, key: K, init: impl FnOnce() -> Result<V, E>) -> Result<V, Arc<E>>
    where
        E: Send + Sync + 'static,
    {
        let entry = || self.inner.entry(key).or_try_insert_with(init);
        let is_hit = |entry: &Result<moka::Entry<K, V>, _>| entry.as_ref().is_ok_and(|entry| !entry.is_fresh());
        timed(&self.operations.get_with, entry, |span, entry| note_hit(span, is_hit(entry)))
            .map(moka::Entry::into_value)
    }

    /// Inserts a value, as [`moka::sync::Cache::insert`] does.
    pub fn insert(&self, key: K, value: V) {
        timed_leaf(&self.operations.insert, || self.inner.insert(key, value), |_, ()| ());
    }

    /// Removes and returns a value, as [`moka::sync::Cache::remove`] does.
    pub fn remove<Q>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let remove = || self.inner.remove(key);
        timed_leaf(&self.operations.remove, remove, |span, value| note_hit(span, value.is_some()))
    }
}

/// Runs an operation in a span, so that spans in the operation are inside it.
fn timed<T>(signature: &str, operation: impl FnOnce() -> T, finish: impl FnOnce(&Span, &T)) -> T {
    let Some(position) = Position::current() else { return operation() };
    let span = start(&position, signature);
    let output = {
        let _entered = span.position().unwrap_or(position).enter();
        operation()
    };
    finish(&span, &output);
    output
}

/// Runs an operation that contains no other spans in a span.
fn timed_leaf<T>(signature: &str, operation: impl FnOnce() -> T, finish: impl FnOnce(&Span, &T)) -> T {
    let Some(position) = Position::current() else { return operation() };
    let span = start(&position, signature).leaf();
    let output = operation();
    finish(&span, &output);
    output
}

impl<K, V, S> Clone for Cache<K, V, S> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), operations: Arc::clone(&self.operations) }
    }
}

/// Other functions of the cache.
impl<K, V, S> Deref for Cache<K, V, S> {
    type Target = moka::sync::Cache<K, V, S>;

    fn deref(&self) -> &Self::Target {
        &self.inner
    }
}

impl<K, V, S> fmt::Debug for Cache<K, V, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("name", &self.inner.name()).finish_non_exhaustive()
    }
}
