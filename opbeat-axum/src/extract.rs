//! The current transaction as an argument of a handler.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use opbeat_core::CurrentTransaction;

/// Extracts the current transaction; a handle that does nothing where there is none.
///
/// # Examples
///
/// ```
/// use opbeat_axum::Current;
///
/// async fn checkout(Current(transaction): Current) {
///     transaction.set_tag("plan", "gold");
/// }
/// # let _: axum::Router = axum::Router::new().route("/", axum::routing::get(checkout));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Current(pub CurrentTransaction);

impl<S: Sync> FromRequestParts<S> for Current {
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(opbeat_core::current()))
    }
}
