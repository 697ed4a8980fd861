//! What calls are named after.
//!
//! Clients choose the path, and only the answer shows whether there is such a method. So a call is counted as one to an
//! unknown method until its answer tells more, and the method's name is known from then on.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use opbeat_core::http::HttpTransaction;
use opbeat_core::record::TransactionName;

use crate::route_name::{RequestHead, RouteName};

/// The name of calls to methods that nobody has, as far as is known.
const UNKNOWN: &str = "unknown method";

/// Methods whose names are kept, for as long as the process runs. Applications have fewer.
const MOST: usize = 1_000;

/// The name of what comes later.
const OTHERS: &str = "(other methods)";

/// A path that is longer is no method's.
const LONGEST: usize = 512;

/// Names calls after their service and method: `shop.Catalogue/Find`.
///
/// Clients choose the path, and so a call is an `unknown method` until an answer shows that the method is there. From then
/// on the name is known when a call begins.
#[derive(Clone, Default)]
pub struct GrpcMethodName {
    known: Arc<RwLock<HashSet<&'static str>>>,
}

impl GrpcMethodName {
    fn find(&self, method: &str) -> Option<&'static str> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(method).copied()
    }

    /// Keeps a method's name.
    #[cold]
    fn learn(&self, method: &str) -> &'static str {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        match known.get(method) {
            Some(method) => method,
            None if known.len() >= MOST => OTHERS,
            None => {
                let method: &'static str = Box::leak(method.to_owned().into_boxed_str());
                known.insert(method);
                method
            }
        }
    }
}

impl RouteName for GrpcMethodName {
    fn route_name(&self, head: &RequestHead<'_>) -> Option<TransactionName> {
        let method = method(head.uri.path())?;
        Some(self.find(method).unwrap_or(UNKNOWN).into())
    }
}

impl fmt::Debug for GrpcMethodName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrpcMethodName").finish_non_exhaustive()
    }
}

/// Returns the service and the method that a path names.
fn method(path: &str) -> Option<&str> {
    let method = path.strip_prefix('/').filter(|method| method.len() <= LONGEST)?;
    let (service, name) = method.split_once('/')?;
    (!service.is_empty() && !name.is_empty() && !name.contains('/')).then_some(method)
}

/// A call, and its method's name until it is known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Call {
    /// Empty where the application names its calls by itself.
    methods: Option<GrpcMethodName>,
    method: Option<Box<str>>,
}

impl Call {
    pub(crate) fn new(methods: GrpcMethodName) -> Self {
        Self { methods: Some(methods), method: None }
    }

    /// Returns a call to a path.
    pub(crate) fn to(&self, path: &str) -> Self {
        let unknown = |methods: &GrpcMethodName| method(path).filter(|method| methods.find(method).is_none());
        let method = self.methods.as_ref().and_then(unknown).map(Into::into);
        let methods = self.methods.clone().filter(|_| method.is_some());
        Self { methods, method }
    }

    /// Names the call after its method: the answer shows that there is one.
    pub(crate) fn prove(&mut self, transaction: &mut HttpTransaction) {
        if let (Some(method), Some(methods)) = (self.method.take(), &self.methods) {
            transaction.set_route_name(methods.learn(&method).into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_have_a_service_and_a_name() {
        assert_eq!(method("/shop.Cart/Add"), Some("shop.Cart/Add"));
        let long = format!("/shop.Cart/{}", "x".repeat(LONGEST));
        for path in ["/", "/shop.Cart", "/shop.Cart/", "//Add", "/shop/Cart/Add", "*", &long] {
            assert_eq!(method(path), None, "{path}");
        }
    }

    #[test]
    fn there_is_room_for_so_many() {
        let methods = GrpcMethodName::default();
        let learnt = (0..=MOST).filter(|number| methods.learn(&format!("shop.Cart/Add{number}")) != OTHERS).count();
        assert_eq!(learnt, MOST);
        assert_eq!(methods.find("shop.Cart/Add0"), Some("shop.Cart/Add0"));
    }
}
