//! The errors that clients and bodies return, which may be of any type that can be displayed.

use std::any::Any;
use std::error::Error;
use std::fmt::Display;
use std::io;

use crate::outgoing::{chain_text, display_text};

/// Returns a value as `dyn Error`, if it has the type that this function expects.
type Downcast = fn(&dyn Any) -> Option<&(dyn Error + 'static)>;

/// The error types that need no registration.
const BUILT_IN: &[Downcast] = &[
    |error| error.downcast_ref::<Box<dyn Error + Send + Sync>>().map(|error| &**error as _),
    |error| error.downcast_ref::<Box<dyn Error + Send>>().map(|error| &**error as _),
    |error| error.downcast_ref::<io::Error>().map(|error| error as _),
    #[cfg(feature = "reqwest")]
    |error| error.downcast_ref::<reqwest::Error>().map(|error| error as _),
    #[cfg(feature = "reqwest-middleware")]
    |error| error.downcast_ref::<reqwest_middleware::Error>().map(|error| error as _),
    #[cfg(feature = "tonic")]
    |error| error.downcast_ref::<tonic::transport::Error>().map(|error| error as _),
    #[cfg(feature = "tonic")]
    |error| error.downcast_ref::<tonic::Status>().map(|error| error as _),
];

/// The error types whose sources are shown.
#[derive(Clone, Debug, Default)]
pub(super) struct ErrorTypes {
    registered: Option<Downcast>,
}

impl ErrorTypes {
    pub(super) fn add<E: Error + 'static>(&mut self) {
        self.registered = Some(|error| error.downcast_ref::<E>().map(|error| error as _));
    }

    /// Returns the text of an error, with its sources if its type is known.
    pub(super) fn text<E: Display + 'static>(&self, error: &E) -> String {
        let known = self.registered.iter().chain(BUILT_IN).find_map(|downcast| downcast(error));
        known.map_or_else(|| display_text(error), chain_text)
    }
}

/// Returns the text of an error whose type needs no registration.
#[cfg(feature = "reqwest")]
pub(crate) fn error_text<E: Display + 'static>(error: &E) -> String {
    ErrorTypes::default().text(error)
}
