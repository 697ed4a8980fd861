//! What caused an error.

use std::error::Error;

use super::type_name;
use crate::record::Cause;

/// Longer chains are cut: one that long most likely runs in a circle.
const MAX_CAUSES: usize = 16;

/// Returns the sources of an error, the nearest first.
pub(super) fn causes<E: Error + ?Sized>(error: &E) -> Vec<Cause> {
    std::iter::successors(error.source(), |cause: &&dyn Error| (*cause).source())
        .take(MAX_CAUSES)
        .map(|cause| Cause { type_name: type_name::from_debug(cause), message: cause.to_string() })
        .collect()
}
