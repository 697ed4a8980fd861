//! The names of calls: the service and the method.
//!
//! Clients choose the path, and only the response shows whether the method exists. So a call is named `unknown method`
//! until its response confirms the method, or after its route if a router knows one. Later calls to the method have its
//! name from their start.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use http::HeaderMap;
use opbeat_core::http::HttpTransaction;
use opbeat_core::record::TransactionName;

use super::content_type::is_grpc;
use crate::request::RequestHead;
use crate::route_name::RouteName;

/// The name of calls to methods that no response has confirmed.
const UNKNOWN: &str = "unknown method";

/// The largest number of method names, which are kept until the process ends. Applications have fewer.
const MAX_METHODS: usize = 1_000;

/// The name of calls to all methods beyond that number.
const OTHERS: &str = "(other methods)";

/// The maximum length of a method's name in bytes. Calls with a longer path have no name.
const MAX_LENGTH: usize = 512;

/// Names calls after their service and method: `shop.Catalogue/Find`.
///
/// Clients choose the path, so a call is named `unknown method` until its response confirms that the method exists.
/// Later calls to the method have its name from their start.
#[derive(Clone, Default)]
pub struct GrpcMethodName {
    known: Arc<RwLock<HashSet<&'static str>>>,
}

impl GrpcMethodName {
    fn find(&self, method: &str) -> Option<&'static str> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(method).copied()
    }

    /// Returns the name of a confirmed method. Otherwise it is that of the route, since the request may be no call.
    pub(crate) fn name_beside_routes(
        &self,
        path: &str,
        route: impl FnOnce() -> Option<TransactionName>,
    ) -> Option<TransactionName> {
        let Some(method) = method(path) else { return route() };
        self.find(method).map(Into::into).or_else(route).or_else(|| Some(UNKNOWN.into()))
    }

    /// Keeps the name of a confirmed method.
    #[cold]
    fn add(&self, method: &str) -> &'static str {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        match known.get(method) {
            Some(method) => method,
            None if known.len() >= MAX_METHODS => OTHERS,
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

/// Returns the service and the method of a path, as `Service/Method`.
fn method(path: &str) -> Option<&str> {
    let method = path.strip_prefix('/').filter(|method| method.len() <= MAX_LENGTH)?;
    let (service, name) = method.split_once('/')?;
    (!service.is_empty() && !name.is_empty() && !name.contains('/')).then_some(method)
}

/// A call, and the name of its method until a response confirms it.
#[derive(Clone, Debug, Default)]
pub(crate) struct GrpcCall {
    /// `None` if the method is confirmed, or if the application names its calls with its own `RouteName`.
    unconfirmed: Option<(GrpcMethodName, Box<str>)>,
    /// Whether only the request's content type shows that it is a call.
    is_detected: bool,
}

impl GrpcCall {
    /// Makes a call to a path. The names are `None` if the application names its calls with its own `RouteName`.
    pub(crate) fn new(methods: Option<&GrpcMethodName>, path: &str) -> Self {
        let method = method(path);
        let unconfirmed = methods.zip(method).filter(|(methods, method)| methods.find(method).is_none());
        Self { unconfirmed: unconfirmed.map(|(methods, method)| (methods.clone(), method.into())), is_detected: false }
    }

    /// Sets that only the request's content type shows that this is a call.
    pub(crate) fn detected(self) -> Self {
        Self { is_detected: true, ..self }
    }

    /// Returns whether a response answers the call. Other handlers than those of gRPC may get such a request too.
    pub(crate) fn is_answered_by(&self, headers: &HeaderMap) -> bool {
        !self.is_detected || is_grpc(headers)
    }

    /// Names the call after its method, because its response shows that the method exists.
    pub(crate) fn confirm_method(&mut self, transaction: &mut HttpTransaction) {
        if let Some((methods, method)) = self.unconfirmed.take() {
            transaction.set_route_name(methods.add(&method).into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_has_a_service_and_a_name() {
        assert_eq!(method("/shop.Cart/Add"), Some("shop.Cart/Add"));
        let long = format!("/shop.Cart/{}", "x".repeat(MAX_LENGTH));
        for path in ["/", "/shop.Cart", "/shop.Cart/", "//Add", "/shop/Cart/Add", "*", &long] {
            assert_eq!(method(path), None, "{path}");
        }
    }

    #[test]
    fn names_are_limited() {
        let methods = GrpcMethodName::default();
        let added = (0..=MAX_METHODS).filter(|number| methods.add(&format!("shop.Cart/Add{number}")) != OTHERS).count();
        assert_eq!(added, MAX_METHODS);
        assert_eq!(methods.find("shop.Cart/Add0"), Some("shop.Cart/Add0"));
    }
}
