//! Errors that responses carry.

use std::error::Error;

use http::{Extensions, Response};
use opbeat_core::http::HttpTransaction;
use opbeat_core::{CurrentTransaction, Failure};

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

/// Reports what a failed response carries. What the client did wrong is noted with the transaction.
pub(crate) fn report<B>(response: &Response<B>, carriers: &[Carrier], transaction: &HttpTransaction) {
    let failure = response.extensions().get::<Failure>();
    if response.status().is_server_error() {
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
