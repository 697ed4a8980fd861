//! What services fail with.

use std::any::Any;
use std::error::Error;
use std::fmt::Display;
use std::io;
use std::sync::Arc;

use opbeat_core::http::HttpTransaction;
use opbeat_core::http::{CapturedError, error_chain};
use opbeat_core::record::Outcome;

use crate::carrier::Carrier;

/// Finds the error in what a service or a body failed with, if it is of a type that this one knows.
pub(crate) type Downcast = fn(&dyn Any) -> Option<&(dyn Error + 'static)>;

/// What is known of all services: boxed errors, as those of tower's own layers are, and those of I/O.
const KNOWN: [Downcast; 4] = [
    |failure| failure.downcast_ref::<Box<dyn Error + Send + Sync>>().map(|error| &**error as _),
    |failure| failure.downcast_ref::<Box<dyn Error + Send>>().map(|error| &**error as _),
    |failure| failure.downcast_ref::<Box<dyn Error>>().map(|error| &**error),
    |failure| failure.downcast_ref::<io::Error>().map(|error| error as _),
];

/// Where errors are found. It goes with each request, and so the application's own places lie behind one pointer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    /// The framework's errors, in what services and bodies fail with.
    pub(crate) framework: Option<Downcast>,
    own: Option<Arc<Own>>,
}

/// The application's errors: in what services and bodies fail with, and in responses.
#[derive(Clone, Debug, Default)]
struct Own {
    downcasts: Vec<Downcast>,
    carriers: Vec<Carrier>,
}

impl Places {
    pub(crate) fn add_type<E: Error + 'static>(&mut self) {
        let downcast: Downcast = |failure| failure.downcast_ref::<E>().map(|error| error as _);
        Arc::make_mut(self.own.get_or_insert_default()).downcasts.push(downcast);
    }

    pub(crate) fn add_carrier(&mut self, carrier: Carrier) {
        Arc::make_mut(self.own.get_or_insert_default()).carriers.push(carrier);
    }

    /// Returns where responses carry errors, besides our own place.
    pub(crate) fn carriers(&self) -> &[Carrier] {
        self.own.as_ref().map_or(&[], |own| &own.carriers)
    }

    fn find<'a>(&self, failure: &'a dyn Any) -> Option<&'a (dyn Error + 'static)> {
        let own = self.own.iter().flat_map(|own| &own.downcasts);
        { own.chain(&self.framework).chain(&KNOWN) }.find_map(|downcast| downcast(failure))
    }
}

/// Ends a transaction whose service or body failed: with the error and its causes, where its type is known, or else with
/// what it says. Time limits and shed load are outcomes, and no errors.
pub(crate) fn end<E: Display + 'static>(transaction: HttpTransaction, failure: &E, places: &Places) {
    let error = places.find(failure);
    let outcome = error.map_or(Outcome::ServerError, outcome_of);
    match error {
        _ if outcome != Outcome::ServerError => {}
        Some(error) => transaction.report_captured(&CapturedError::received(error)),
        None => transaction.capture_display(failure),
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
    error_chain(error).find_map(known).unwrap_or(Outcome::ServerError)
}
