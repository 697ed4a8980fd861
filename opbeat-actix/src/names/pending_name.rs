//! The names of requests that have no response yet.

use std::rc::Rc;

use actix_web::dev::ResourceMap;
use opbeat_core::http::HttpTransaction;

use super::route_name::expected;

/// The name of a request that has no response yet.
///
/// A response contains the resource that made it. Before the response exists, the path must be matched against all
/// resources, which takes longer than the rest of the recording. So the path is matched only if the name cannot wait
/// for the response:
///
/// - when the handler waits, because its errors may be sent in the meantime
/// - when the request ends without a response
pub(crate) struct PendingName {
    /// All resources of the application; `None` once the path was matched.
    resources: Option<Rc<ResourceMap>>,
}

impl PendingName {
    pub(crate) fn new(resources: &Rc<ResourceMap>) -> Self {
        Self { resources: Some(Rc::clone(resources)) }
    }

    /// Runs a part of the current request's work, and names the request afterwards unless `is_needless` returns true
    /// for the outcome. If the work panics, the request is always named.
    #[inline]
    pub(crate) fn resolve_unless<T>(&mut self, is_needless: impl FnOnce(&T) -> bool, work: impl FnOnce() -> T) -> T {
        let mut guard = ResolveOnDrop { pending: Some(self) };
        let outcome = work();
        if is_needless(&outcome) {
            guard.pending = None;
        }
        outcome
    }

    /// Names the current request. Further calls do nothing.
    #[inline]
    pub(crate) fn resolve(&mut self) {
        if let Some(resources) = self.resources.take() {
            name_current(&resources);
        }
    }
}

/// A guard that names the request when it is dropped, also while a panic unwinds. A panic that is not caught ends the
/// transaction soon afterwards.
struct ResolveOnDrop<'a> {
    pending: Option<&'a mut PendingName>,
}

impl Drop for ResolveOnDrop<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(pending) = &mut self.pending {
            pending.resolve();
        }
    }
}

/// Names the current transaction: this middleware's own, or that of an outer layer.
///
/// An `HttpTransaction` that does not record passes its route name on to the current transaction.
#[cold]
fn name_current(resources: &ResourceMap) {
    HttpTransaction::default().set_route_name_with(|| {
        let (method, target) = HttpTransaction::default().request_line()?;
        expected(resources, &method, &target)
    });
}
