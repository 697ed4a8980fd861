//! Errors in the extensions of responses.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use http::{Extensions, Response};
use opbeat_core::http::{CapturedError, HttpTransaction};

/// A type whose values are reported if a failed response has one in its extensions.
#[derive(Clone)]
pub(crate) struct ErrorExtension(Arc<ReadExtension>);

/// Reads the value from the extensions of a response, if it is there.
type ReadExtension = dyn Fn(&Extensions) -> Option<CapturedError> + Send + Sync;

impl ErrorExtension {
    /// Makes an extension from a function that describes its values.
    pub(crate) fn new<T: Send + Sync + 'static>(
        describe: impl Fn(&T) -> CapturedError + Send + Sync + 'static,
    ) -> Self {
        // The location would be that of `describe`, which is the same for all errors.
        Self(Arc::new(move |extensions| extensions.get::<T>().map(|error| describe(error).without_location())))
    }

    /// Makes an extension from an error type.
    pub(crate) fn of<T: Error + Send + Sync + 'static>() -> Self {
        Self::new(|error: &T| CapturedError::received(error))
    }
}

/// Reports the errors in the extensions of a response, if its status is 5xx. For any other status, the message of a
/// `CapturedError` is added to the transaction as an extra value, because the client made the mistake.
pub(crate) fn report<B>(response: &Response<B>, error_extensions: &[ErrorExtension], transaction: &HttpTransaction) {
    let extensions = response.extensions();
    let captured = extensions.get::<CapturedError>();
    if response.status().is_server_error() {
        let registered: Vec<CapturedError> =
            error_extensions.iter().filter_map(|extension| (extension.0)(extensions)).collect();
        captured.into_iter().chain(&registered).for_each(|error| transaction.report_captured(error));
    } else if let Some(error) = captured {
        transaction.current().set_extra("error", error.to_string());
    }
}

impl fmt::Debug for ErrorExtension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ErrorExtension").finish_non_exhaustive()
    }
}
