//! Spans of [`moka`] caches.
//!
//! Wrap each cache once, and use the wrapper instead. The name of the cache is part of its spans:
//!
//! ```
//! use opbeat_instrument::moka::sync::Cache;
//!
//! let books = Cache::new(moka::sync::Cache::builder().name("books").max_capacity(100).build());
//! let title = books.get_with(1, || "Dune".to_owned());
//! # assert_eq!(title, "Dune");
//! ```
//!
//! Spans have the kind `cache.moka`, and the extra value `hit`. Work that computes a missing value is inside the span
//! of `get_with`. Keys and values are never part of a span.

pub mod future;
mod operations;
pub mod sync;
