//! Which pattern a path matches.

use std::cell::RefCell;
use std::fmt;
use std::hash::BuildHasher;

use actix_web::dev::ServiceRequest;
use actix_web::http::Method;
use foldhash::fast::RandomState;
use opbeat_core::TransactionName;
use opbeat_core::http::route;

/// Paths that are remembered: a power of two.
const SLOTS: usize = 256;

/// Longer paths are not remembered: nobody sends them often.
const LONGEST: usize = 256;

/// The patterns of the paths that came last.
///
/// Actix tells a middleware the pattern by matching the path against all resources, which takes longer than all else that
/// is recorded of a request. Many requests have a path that came before.
pub(crate) struct Patterns {
    hasher: RandomState,
    recent: RefCell<Box<[Option<Recent>; SLOTS]>>,
}

#[derive(Clone)]
struct Recent {
    method: Method,
    path: Box<str>,
    name: Option<TransactionName>,
}

impl Default for Patterns {
    fn default() -> Self {
        let recent = RefCell::new(Box::new([const { None }; SLOTS]));
        Self { hasher: RandomState::default(), recent }
    }
}

impl Patterns {
    /// Returns the name of the resource that a request takes, if there is one.
    pub(crate) fn name(&self, request: &ServiceRequest) -> Option<TransactionName> {
        let (method, path) = (request.method(), request.path());
        let slot = usize::try_from(self.hasher.hash_one(path) % SLOTS as u64).unwrap_or(0);
        if let Some(recent) = &self.recent.borrow()[slot]
            && *recent.path == *path
            && recent.method == *method
        {
            return recent.name.clone();
        }
        let name = request.match_pattern().map(|pattern| route(method.as_str(), &pattern));
        if path.len() <= LONGEST {
            let recent = Recent { method: method.clone(), path: path.into(), name: name.clone() };
            self.recent.borrow_mut()[slot] = Some(recent);
        }
        name
    }
}

impl fmt::Debug for Patterns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Patterns").finish_non_exhaustive()
    }
}
