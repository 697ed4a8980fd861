//! Which route a request takes.

use std::net::IpAddr;

use http::{Extensions, HeaderMap, Method, Request, Uri};
use opbeat_core::record::TransactionName;

/// What is known of a request before its body.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RequestHead<'a> {
    /// The method.
    pub method: &'a Method,
    /// The target.
    pub uri: &'a Uri,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// What earlier layers and the router left.
    pub extensions: &'a Extensions,
}

impl<'a> RequestHead<'a> {
    /// Looks at a request.
    pub fn of<B>(request: &'a Request<B>) -> Self {
        Self {
            method: request.method(),
            uri: request.uri(),
            headers: request.headers(),
            extensions: request.extensions(),
        }
    }
}

/// Names requests after their routes.
///
/// Names have few values: `GET /books/{id}`, not `GET /books/1`. Requests without one are counted together, as
/// `GET unmatched`. Closures are route names too.
pub trait RouteName: Clone {
    /// Returns the name of the route that the request takes, if there is one.
    fn route_name(&self, head: &RequestHead<'_>) -> Option<TransactionName>;

    /// Returns the address of the other end of the connection, where the framework knows it.
    fn client(&self, _: &RequestHead<'_>) -> Option<IpAddr> {
        None
    }
}

impl<F> RouteName for F
where
    F: Fn(&RequestHead<'_>) -> Option<TransactionName> + Clone,
{
    fn route_name(&self, head: &RequestHead<'_>) -> Option<TransactionName> {
        self(head)
    }
}

/// Knows no routes: requests keep the name that the application gives them.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoRouteName;

impl RouteName for NoRouteName {
    fn route_name(&self, _: &RequestHead<'_>) -> Option<TransactionName> {
        None
    }
}
