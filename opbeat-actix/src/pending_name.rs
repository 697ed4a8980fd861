//! Names of requests that have no response yet.

use std::rc::Rc;

use actix_web::dev::ResourceMap;
use opbeat_core::http::HttpTransaction;

use crate::route_name::expected;

/// The name of a request that has no response yet.
///
/// A response contains the resource that it comes from. Before the response, the path must be matched against all
/// resources, which takes longer than all other recording of a request. The path is therefore matched only in two
/// cases: while the handler waits, since its errors may be sent meanwhile, and if the request ends without a response.
pub(crate) struct PendingName {
    /// `None` after they were matched.
    resources: Option<Rc<ResourceMap>>,
}

impl PendingName {
    pub(crate) fn new(resources: &Rc<ResourceMap>) -> Self {
        Self { resources: Some(Rc::clone(resources)) }
    }

    /// Runs a part of the current request, and then names the request unless `is_needless` holds for the output. A
    /// panic always names it.
    #[inline]
    pub(crate) fn name_unless<T>(&mut self, is_needless: impl FnOnce(&T) -> bool, work: impl FnOnce() -> T) -> T {
        let mut naming = Naming { request: Some(self) };
        let output = work();
        if is_needless(&output) {
            naming.request = None;
        }
        output
    }

    /// Names the current request, at most once.
    #[inline]
    pub(crate) fn name(&mut self) {
        if let Some(resources) = self.resources.take() {
            name_current(&resources);
        }
    }
}

/// Names the request when it is dropped, also by a panic: an unwinding panic ends the transaction right after this.
struct Naming<'a> {
    request: Option<&'a mut PendingName>,
}

impl Drop for Naming<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(request) = &mut self.request {
            request.name();
        }
    }
}

/// Names the current transaction: the middleware's own, or that of an outer layer.
///
/// A default `HttpTransaction` records nothing. Its methods use the current transaction instead.
#[cold]
fn name_current(resources: &ResourceMap) {
    HttpTransaction::default().set_route_name_with(|| {
        let (method, target) = HttpTransaction::default().request_line()?;
        expected(resources, &method, &target)
    });
}
