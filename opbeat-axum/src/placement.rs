//! Warnings about a layer that wraps the whole router. It is called before the router matches, so it knows no routes.

use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

use opbeat_core::http::warn_once;

/// The number of requests without a route after which a layer warns, if it has seen no route by then.
const WARNING_COUNT: u32 = 100;

/// The counter's value after a layer has seen a route.
const HAS_ROUTES: u32 = u32::MAX;

static WARNED: Once = Once::new();

/// Warns if the type of a service shows that it is a router. `Router::layer` passes each route to the layer instead.
pub(crate) fn warn_if_router<S>() {
    if std::any::type_name::<S>().contains("axum::routing::Router") {
        warn_once(
            &WARNED,
            "OpbeatLayer wraps the whole router, so it knows no routes: all requests are counted as unmatched. Add it with \
             Router::layer instead",
        );
    }
}

/// Counts the requests without a route, until one has a route. It finds layers around a boxed router, whose type does
/// not show that it is one.
#[derive(Debug, Default)]
pub(crate) struct RouteCheck(AtomicU32);

impl RouteCheck {
    /// Records a request with a route.
    #[inline]
    pub(crate) fn record_route(&self) {
        if self.0.load(Ordering::Relaxed) != HAS_ROUTES {
            self.0.store(HAS_ROUTES, Ordering::Relaxed);
        }
    }

    /// Counts a request without a route, and warns at the limit.
    #[cold]
    pub(crate) fn record_unmatched(&self) {
        let one_more = |count: u32| (count < WARNING_COUNT).then(|| count + 1);
        if self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more) == Ok(WARNING_COUNT - 1) {
            warn_once(
                &WARNED,
                "no request has had a route yet, so all are counted as unmatched. If OpbeatLayer wraps the whole router, add \
                 it with Router::layer instead; if a fallback handles all requests, name them with \
                 opbeat_axum::current().set_name",
            );
        }
    }
}
