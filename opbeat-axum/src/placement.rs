//! Warnings about a layer that wraps the whole router. It is called before the router matches, so it knows no routes.

use std::sync::Once;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use opbeat_core::http::warn_once;

/// The number of requests without a route after which a layer warns, if it has seen no route by then.
const WARNING_COUNT: u32 = 100;

/// The counter's value after a layer has seen a route.
const HAS_ROUTES: u32 = u32::MAX;

static WARNED: Once = Once::new();

/// Finds layers that know no routes: by the type of the service that they wrap, and by counting the requests without a
/// route, until one has a route. Counting finds layers around a boxed router, whose type does not show that it is one.
///
/// The clones of a layer share it, since a clone inside the router names the requests of one around it.
#[derive(Debug, Default)]
pub(crate) struct RouteCheck {
    unmatched: AtomicU32,
    is_in_router: AtomicBool,
}

impl RouteCheck {
    /// Warns if the type of the service that a layer wraps shows that it is a router, unless a clone of the layer is
    /// inside of a router. `Router::layer` passes each route to the layer.
    pub(crate) fn check_placement<S>(&self) {
        let service = std::any::type_name::<S>();
        if service.starts_with("axum::routing::route::Route") {
            self.is_in_router.store(true, Ordering::Relaxed);
        } else if service.contains("axum::routing::Router") && !self.is_in_router.load(Ordering::Relaxed) {
            warn_once(
                &WARNED,
                "OpbeatLayer wraps the whole router, so it knows no routes: all requests are counted as unmatched. Add it \
                 with Router::layer instead, or a clone of it too",
            );
        }
    }

    /// Records a request with a route.
    #[inline]
    pub(crate) fn record_route(&self) {
        if self.unmatched.load(Ordering::Relaxed) != HAS_ROUTES {
            self.unmatched.store(HAS_ROUTES, Ordering::Relaxed);
        }
    }

    /// Counts a request without a route, and warns at the limit.
    #[cold]
    pub(crate) fn record_unmatched(&self) {
        let one_more = |count: u32| (count < WARNING_COUNT).then(|| count + 1);
        if self.unmatched.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more) == Ok(WARNING_COUNT - 1) {
            warn_once(
                &WARNED,
                "no request has had a route yet, so all are counted as unmatched. If OpbeatLayer wraps the whole router, add \
                 it with Router::layer instead; if a fallback handles all requests, name them with \
                 opbeat_axum::current().set_name",
            );
        }
    }
}
