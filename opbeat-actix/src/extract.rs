//! The current transaction as an argument of a handler.

use std::convert::Infallible;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use opbeat_core::CurrentTransaction;

/// Extracts the current transaction. Without one, the handle does nothing.
///
/// # Examples
///
/// ```
/// use opbeat_actix::Current;
///
/// async fn checkout(Current(transaction): Current) -> &'static str {
///     transaction.set_tag("plan", "gold");
///     "done"
/// }
/// # let _ = actix_web::web::to(checkout);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Current(pub CurrentTransaction);

impl FromRequest for Current {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(_: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(opbeat_core::current())))
    }
}
