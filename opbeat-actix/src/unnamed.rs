//! Requests that have no name yet.

use std::rc::Rc;

use actix_web::dev::ResourceMap;
use opbeat_core::http::HttpTransaction;

use crate::patterns::expected;

/// What names a request that has no response yet.
///
/// A response tells the resource that it is of. Before, its path has to be matched against all resources, which takes longer
/// than all else that is recorded of a request. So that is done only where nobody can wait for the response: when the
/// handler waits, since its errors may be sent meanwhile, and at ends that have none.
pub(crate) struct Unnamed {
    /// Empty once they were asked.
    resources: Option<Rc<ResourceMap>>,
}

impl Unnamed {
    pub(crate) fn new(resources: &Rc<ResourceMap>) -> Self {
        Self { resources: Some(Rc::clone(resources)) }
    }

    /// Does a part of the current request's work, and names it unless the outcome makes that needless: a panic never does.
    #[inline]
    pub(crate) fn name_unless<T>(&mut self, is_needless: impl FnOnce(&T) -> bool, work: impl FnOnce() -> T) -> T {
        let mut naming = Naming { request: Some(self) };
        let outcome = work();
        if is_needless(&outcome) {
            naming.request = None;
        }
        outcome
    }

    /// Names the current request, once.
    #[inline]
    pub(crate) fn name(&mut self) {
        if let Some(resources) = self.resources.take() {
            name_current(&resources);
        }
    }
}

/// Names the request when it is dropped: a panic may go on, and ends the transaction as soon as it leaves it.
struct Naming<'a> {
    request: Option<&'a mut Unnamed>,
}

impl Drop for Naming<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(request) = &mut self.request {
            request.name();
        }
    }
}

/// What records nothing lies within what is current, and names that: our own transaction, or that of a layer around.
#[cold]
fn name_current(resources: &ResourceMap) {
    HttpTransaction::default().set_route_name_with(|| {
        let (method, target) = HttpTransaction::default().request_line()?;
        expected(resources, &method, &target)
    });
}
