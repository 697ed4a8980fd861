//! Layers that lie around the router, where no route is known yet: all requests are unmatched.

use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

use opbeat_core::http::warn_once;

/// So many requests without a route, and not one with, are no accident.
const SUSPICIOUS: u32 = 100;

/// What stands for a layer that has seen a route.
const SEEN: u32 = u32::MAX;

static WARNED: Once = Once::new();

/// Warns of a service whose type tells that it is a router. `Router::layer` wraps its routes instead.
pub(crate) fn warn_if_router<S>() {
    if std::any::type_name::<S>().contains("axum::routing::Router") {
        warn_once(
            &WARNED,
            "OpbeatLayer lies around the router, where no route is known: requests are counted as unmatched. Add it by \
             Router::layer instead",
        );
    }
}

/// Whether a layer has ever seen a route: one around a boxed router never does.
#[derive(Debug, Default)]
pub(crate) struct Sightings(AtomicU32);

impl Sightings {
    /// Notes a request with a route.
    #[inline]
    pub(crate) fn note(&self) {
        if self.0.load(Ordering::Relaxed) != SEEN {
            self.0.store(SEEN, Ordering::Relaxed);
        }
    }

    /// Notes a request without one, and warns if there are too many.
    #[cold]
    pub(crate) fn note_none(&self) {
        let one_more = |count: u32| (count < SUSPICIOUS).then(|| count + 1);
        if self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more) == Ok(SUSPICIOUS - 1) {
            warn_once(
                &WARNED,
                "No request has had a route yet, and all are counted as unmatched. If OpbeatLayer lies around the router, \
                 add it by Router::layer instead; if a fallback answers everything, name requests by \
                 opbeat_axum::current().set_name",
            );
        }
    }
}
