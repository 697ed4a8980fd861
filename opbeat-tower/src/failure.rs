//! What services fail with.

use std::any::Any;
use std::error::Error;
use std::fmt::Display;
use std::iter;

use opbeat_core::Outcome;
use opbeat_core::http::HttpTransaction;

/// The error of tower's own layers, and of most services.
type BoxError = Box<dyn Error + Send + Sync>;

/// Ends a transaction whose service or body failed: with the error and its causes, where it is a boxed error, as it is
/// most often. Time limits and shed load are outcomes, and no errors.
pub(crate) fn end<E: Display + 'static>(transaction: HttpTransaction, failure: &E) {
    let boxed = (failure as &dyn Any).downcast_ref::<BoxError>();
    let outcome = boxed.map_or(Outcome::ServerError, |error| outcome_of(&**error));
    match boxed {
        _ if outcome != Outcome::ServerError => {}
        Some(error) => {
            transaction.current().capture_error(&**error);
        }
        None => transaction.capture_failure(failure),
    }
    transaction.end(outcome);
}

/// Tells what an error of tower's layers says of the request: [`Outcome::TimedOut`] for `timeout` and tower-http's time
/// limits of bodies, [`Outcome::Shed`] for
/// `load_shed`, [`Outcome::ServerError`] for any other.
///
/// # Examples
///
/// ```
/// use opbeat_tower::{Outcome, outcome_of};
///
/// assert_eq!(outcome_of(&tower::timeout::error::Elapsed::new()), Outcome::TimedOut);
/// assert_eq!(outcome_of(&std::fmt::Error), Outcome::ServerError);
/// ```
#[must_use]
pub fn outcome_of(error: &(dyn Error + 'static)) -> Outcome {
    let known = |error: &(dyn Error + 'static)| {
        if error.is::<tower::timeout::error::Elapsed>()
            || error.is::<tokio::time::error::Elapsed>()
            || error.is::<tower_http::timeout::TimeoutError>()
        {
            Some(Outcome::TimedOut)
        } else if error.is::<tower::load_shed::error::Overloaded>() {
            Some(Outcome::Shed)
        } else {
            None
        }
    };
    let chain = iter::successors(Some(error), |error: &&(dyn Error + 'static)| (*error).source());
    { chain }.find_map(known).unwrap_or(Outcome::ServerError)
}
