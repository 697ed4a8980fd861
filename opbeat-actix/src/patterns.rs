//! Which pattern a path matches.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;
use std::hash::BuildHasher;

use actix_web::HttpRequest;
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
        let name = request.match_pattern().map(|pattern| name_of(method, &pattern));
        if path.len() <= LONGEST {
            let recent = Recent { method: method.clone(), path: path.into(), name: name.clone() };
            self.recent.borrow_mut()[slot] = Some(recent);
        }
        name
    }
}

/// Returns the name of the resource that a request took.
///
/// It may be another one than its path told before: a middleware may have normalized the path, and guards tell resources
/// apart that match the same one. Actix remembers the way through its resources, so that nothing is matched again.
pub(crate) fn taken(request: &HttpRequest) -> Option<TransactionName> {
    request.match_pattern().map(|pattern| name_of(request.method(), &pattern))
}

fn name_of(method: &Method, pattern: &str) -> TransactionName {
    route(method.as_str(), &without_expressions(pattern))
}

/// Leaves out what parameters have to look like: `{id:\d+}` is `{id}`.
fn without_expressions(pattern: &str) -> Cow<'_, str> {
    if !pattern.contains(':') {
        return Cow::Borrowed(pattern);
    }
    let (mut depth, mut is_expression) = (0_u32, false);
    let is_told = |character: &char| {
        match character {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        is_expression = (is_expression || *character == ':') && depth > 0;
        !is_expression
    };
    Cow::Owned(pattern.chars().filter(is_told).collect())
}

impl fmt::Debug for Patterns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Patterns").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_named_without_their_expressions() {
        for (pattern, template) in [
            ("/books/{id}", "/books/{id}"),
            (r"/num/{id:\d+}", "/num/{id}"),
            ("/v{version:[[:digit:]]{1}}/{tail:.*}", "/v{version}/{tail}"),
            ("/time:{hour}", "/time:{hour}"),
            ("/open/{id:", "/open/{id"),
        ] {
            assert_eq!(without_expressions(pattern), template);
        }
    }
}
