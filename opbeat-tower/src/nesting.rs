//! Nested layers around the same request, of which only the outer one records it.
//!
//! Usually the inner layer finds the outer one's transaction current. A middleware between both may call the inner one on
//! another task, though: tower's `buffer` does. So the transaction is also in the request's extensions. Adding it there
//! costs each request an allocation, so it is added only if the process has more than one layer.

use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use opbeat_core::CurrentTransaction;

/// The number of layers in the process. A copy that the application makes counts too; copies that a framework makes, to
/// add a layer to each route, do not.
static LAYERS: AtomicUsize = AtomicUsize::new(0);

/// A layer, which its copies and services share.
#[derive(Clone, Debug)]
pub(crate) struct CountedLayer(#[expect(dead_code, reason = "its drop counts")] Arc<Counted>);

#[derive(Debug)]
struct Counted;

impl CountedLayer {
    pub(crate) fn new() -> Self {
        LAYERS.fetch_add(1, Ordering::Relaxed);
        Self(Arc::new(Counted))
    }

    /// Returns the layer for a copy that was made at this location. Crates of the registry, such as axum and tower, and
    /// the closures in them make copies of the same layer.
    pub(crate) fn copied_at(&self, location: &Location<'_>) -> Self {
        // The compiler's own copies of closures have a location in the standard library.
        const LIBRARIES: [&str; 2] = ["/registry/src/", "/library/core/src/"];
        let file = location.file().replace('\\', "/");
        if LIBRARIES.iter().any(|library| file.contains(library)) { self.clone() } else { Self::new() }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        LAYERS.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Returns whether another layer may be around the same request.
#[inline]
pub(crate) fn may_be_nested() -> bool {
    LAYERS.load(Ordering::Relaxed) > 1
}

/// The transaction that records a request, in the request's extensions.
#[derive(Clone)]
pub(crate) struct RecordedBy(pub(crate) CurrentTransaction);
