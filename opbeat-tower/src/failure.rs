//! Errors of services and bodies, and the outcomes that they stand for.

use std::any::Any;
use std::error::Error;
use std::fmt::Display;
use std::io;
use std::sync::Arc;

use opbeat_core::http::{CapturedError, HttpTransaction, error_chain};
use opbeat_core::record::Outcome;

use crate::extension::ErrorExtension;

/// Returns a service's or body's error as `dyn Error`, if it has the type that this function expects.
pub(crate) type Downcast = fn(&dyn Any) -> Option<&(dyn Error + 'static)>;

/// Error types that need no registration: boxed errors, which tower's own layers return, and errors of I/O.
const BUILT_IN: [Downcast; 4] = [
    |error| error.downcast_ref::<Box<dyn Error + Send + Sync>>().map(|error| &**error as _),
    |error| error.downcast_ref::<Box<dyn Error + Send>>().map(|error| &**error as _),
    |error| error.downcast_ref::<Box<dyn Error>>().map(|error| &**error),
    |error| error.downcast_ref::<io::Error>().map(|error| error as _),
];

/// The error types that the layer recognises. Each request has a copy, so the application's types are behind one
/// pointer.
#[derive(Clone, Debug, Default)]
pub(crate) struct ErrorTypes {
    /// The framework's errors, as services and bodies return them.
    pub(crate) framework: Option<Downcast>,
    application: Option<Arc<ApplicationTypes>>,
}

/// The error types that the application registers.
#[derive(Clone, Debug, Default)]
struct ApplicationTypes {
    /// Errors that services and bodies return.
    downcasts: Vec<Downcast>,
    /// Errors in the extensions of responses.
    extensions: Vec<ErrorExtension>,
}

impl ErrorTypes {
    pub(crate) fn add_type<E: Error + 'static>(&mut self) {
        let downcast: Downcast = |error| error.downcast_ref::<E>().map(|error| error as _);
        Arc::make_mut(self.application.get_or_insert_default()).downcasts.push(downcast);
    }

    pub(crate) fn add_extension(&mut self, extension: ErrorExtension) {
        Arc::make_mut(self.application.get_or_insert_default()).extensions.push(extension);
    }

    /// Returns the error types that responses may have in their extensions, besides `CapturedError`.
    pub(crate) fn extensions(&self) -> &[ErrorExtension] {
        self.application.as_ref().map_or(&[], |application| &application.extensions)
    }

    fn find<'a>(&self, error: &'a dyn Any) -> Option<&'a (dyn Error + 'static)> {
        let application = self.application.iter().flat_map(|application| &application.downcasts);
        { application.chain(&self.framework).chain(&BUILT_IN) }.find_map(|downcast| downcast(error))
    }
}

/// Ends a transaction whose service or body returned an error.
///
/// The report contains the error and its sources if the error's type is known, or else its `Display` text. Timeouts and
/// shed load are outcomes, so they are not reported.
pub(crate) fn end<E: Display + 'static>(transaction: HttpTransaction, failure: &E, types: &ErrorTypes) {
    let error = types.find(failure);
    let outcome = error.map_or(Outcome::ServerError, outcome_of);
    match error {
        _ if outcome != Outcome::ServerError => {}
        Some(error) => transaction.report_captured(&CapturedError::received(error)),
        None => transaction.capture_display(failure),
    }
    transaction.end(outcome);
}

/// Returns whether an error is the body timeout of another version of tower-http, whose type is unknown here.
fn is_body_timeout(error: &(dyn Error + 'static)) -> bool {
    // Formatting an error may panic, which `CapturedError` stops.
    CapturedError::received(error).to_string() == "data was not received within the designated timeout"
}

/// Returns the outcome of a request that failed with an error of a tower layer. It looks at the error and its sources:
///
/// - [`Outcome::TimedOut`] for `timeout`, and for the body timeouts of tower-http,
/// - [`Outcome::Shed`] for `load_shed`,
/// - [`Outcome::ServerError`] for any other error.
///
/// Use it in a handler that turns the errors of layers into responses.
///
/// # Examples
///
/// ```
/// use opbeat_tower::{Outcome, failure::outcome_of};
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
            || is_body_timeout(error)
        {
            Some(Outcome::TimedOut)
        } else if error.is::<tower::load_shed::error::Overloaded>() {
            Some(Outcome::Shed)
        } else {
            None
        }
    };
    error_chain(error).find_map(known).unwrap_or(Outcome::ServerError)
}
