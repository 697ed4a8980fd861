//! Errors that responses carry.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use http::{Extensions, Response};
use opbeat_core::http::CapturedError;
use opbeat_core::http::HttpTransaction;

/// Makes a failure of what a response's extensions hold, if it is of the type that this one knows.
#[derive(Clone)]
pub(crate) struct Carrier(Arc<Carried>);

type Carried = dyn Fn(&Extensions) -> Option<CapturedError> + Send + Sync;

impl Carrier {
    /// Returns the carrier of a type that is made a failure of by a function.
    pub(crate) fn new<T: Send + Sync + 'static>(failure: impl Fn(&T) -> CapturedError + Send + Sync + 'static) -> Self {
        // Where the function made it says nothing: it is the same place for all errors.
        Self(Arc::new(move |extensions| extensions.get::<T>().map(|error| failure(error).without_location())))
    }

    /// Returns the carrier of errors of a type.
    pub(crate) fn of<T: Error + Send + Sync + 'static>() -> Self {
        Self::new(|error: &T| CapturedError::received(error))
    }
}

/// Reports what a failed response carries, whatever its status of 5xx. What the client did wrong is noted with the
/// transaction.
pub(crate) fn report<B>(response: &Response<B>, carriers: &[Carrier], transaction: &HttpTransaction) {
    let extensions = response.extensions();
    let failure = extensions.get::<CapturedError>();
    if response.status().is_server_error() {
        let carried: Vec<CapturedError> = carriers.iter().filter_map(|carrier| (carrier.0)(extensions)).collect();
        failure.into_iter().chain(&carried).for_each(|failure| transaction.report_captured(failure));
    } else if let Some(failure) = failure {
        transaction.current().set_extra("error", failure.to_string());
    }
}

impl fmt::Debug for Carrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Carrier").finish_non_exhaustive()
    }
}
