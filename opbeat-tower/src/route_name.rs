//! The names of requests.

use std::net::IpAddr;

use http::Uri;
use opbeat_core::record::TransactionName;

use crate::request::RequestHead;

/// Names requests after their routes.
///
/// There should be few different names: `GET /books/{id}`, not `GET /books/1`. Requests without a name are counted
/// together, as `GET unmatched`. Closures implement this trait.
pub trait RouteName: Clone {
    /// Returns the name of the route that matches the request, if there is one.
    fn route_name(&self, head: &RequestHead<'_>) -> Option<TransactionName>;

    /// Returns the target that the client sent. A router may have shortened the one of the request.
    ///
    /// It is called only for requests that are recorded.
    fn target<'a>(&self, head: &RequestHead<'a>) -> &'a Uri {
        head.uri
    }

    /// Returns the address of the other end of the connection, if the framework knows it.
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

/// Knows no routes. Requests have the name that the application sets, or else `GET unmatched`.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoRouteName;

impl RouteName for NoRouteName {
    fn route_name(&self, _: &RequestHead<'_>) -> Option<TransactionName> {
        None
    }
}
