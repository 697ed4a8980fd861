//! What caused an error.

use std::error::Error;
use std::iter;

use super::{text, type_name};
use crate::record::Cause;

/// Longer chains are cut: one that long most likely runs in a circle.
const MOST: usize = 16;

/// Returns an error and its sources, the nearest first: sixteen of them at the most, since sources may run in a circle.
///
/// # Examples
///
/// ```
/// let error = std::io::Error::other(std::fmt::Error);
/// assert!(opbeat_core::http::error_chain(&error).any(|error| error.is::<std::io::Error>()));
/// ```
pub fn error_chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| (*error).source()).take(MOST)
}

/// Returns the sources of an error, the nearest first.
pub(super) fn causes<E: Error + ?Sized>(error: &E) -> Vec<Cause> {
    let sources = error.source().into_iter().flat_map(error_chain);
    let cause = |cause| Cause { type_name: type_name::from_debug(cause), message: text::shown(cause) };
    let mut causes: Vec<Cause> = sources.map(cause).collect();
    // What is its own source says the same again and again.
    causes.dedup();
    causes
}
