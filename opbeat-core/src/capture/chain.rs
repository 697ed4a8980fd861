//! The chain of an error's sources.

use std::error::Error;
use std::iter;

use super::{text, type_name};
use crate::record::Cause;

/// The largest number of errors in a chain. A longer chain most likely runs in a circle.
const MAX_CHAIN: usize = 16;

/// Returns an error and its sources, the nearest first. It ends after sixteen errors, because sources may run in a
/// circle.
///
/// # Examples
///
/// ```
/// let error = std::io::Error::other(std::fmt::Error);
/// assert!(opbeat_core::http::error_chain(&error).any(|error| error.is::<std::io::Error>()));
/// ```
pub fn error_chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| (*error).source()).take(MAX_CHAIN)
}

/// Returns the sources of an error, the nearest first.
pub(super) fn causes<E: Error + ?Sized>(error: &E) -> Vec<Cause> {
    let sources = error.source().into_iter().flat_map(error_chain);
    let cause = |cause| {
        let message = text::display(cause);
        Cause { type_name: type_name::from_debug(cause, &message), message }
    };
    let mut causes: Vec<Cause> = sources.map(cause).collect();
    // An error that is its own source would appear sixteen times.
    causes.dedup();
    causes
}
