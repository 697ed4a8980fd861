//! Errors that responses carry.

use std::error::Error;

use http::{Extensions, Response};
use opbeat_core::http::{HttpTransaction, outcome_of_status};
use opbeat_core::{CurrentTransaction, Failure, Outcome};

/// Reports the error that a response's extensions hold, if it is of the type that this one knows.
pub(crate) type Carrier = fn(&Extensions, &CurrentTransaction);

/// Returns the carrier for errors of a type.
pub(crate) fn of<T: Error + Clone + Send + Sync + 'static>() -> Carrier {
    |extensions, transaction| {
        if let Some(error) = extensions.get::<T>() {
            transaction.capture_error(error);
        }
    }
}

/// Reports what a failed response carries. What the client did wrong is noted with the transaction; time limits are
/// outcomes, and no errors.
pub(crate) fn report<B>(response: &Response<B>, carriers: &[Carrier], transaction: &HttpTransaction) {
    let failure = response.extensions().get::<Failure>();
    if outcome_of_status(response.status().as_u16()) == Outcome::ServerError {
        if let Some(failure) = failure {
            transaction.report_failure(failure);
        }
        let current = transaction.current();
        carriers.iter().for_each(|carrier| carrier(response.extensions(), &current));
    } else if response.status().is_client_error()
        && let Some(failure) = failure
    {
        transaction.current().set_extra("error", failure.to_string());
    }
}
