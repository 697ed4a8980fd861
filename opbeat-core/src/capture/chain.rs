//! What caused an error.

use std::error::Error;

use super::type_name;
use crate::record::Cause;

/// Longer chains are cut: one that long most likely runs in a circle.
const MAX_CAUSES: usize = 16;

/// Returns the sources of an error, the nearest first.
pub(super) fn causes<E: Error + ?Sized>(error: &E) -> Vec<Cause> {
    let sources = std::iter::successors(error.source(), |cause: &&dyn Error| (*cause).source()).take(MAX_CAUSES);
    let cause = |cause: &dyn Error| Cause { type_name: type_name::from_debug(cause), message: cause.to_string() };
    let mut causes: Vec<Cause> = sources.map(cause).collect();
    // What is its own source says the same again and again.
    causes.dedup();
    causes
}
