//! What a status says of a request.

use crate::record::Outcome;

/// Returns how a request with this status ended, as far as the status tells. 408 and 504 are what time limits answer.
#[must_use]
pub fn outcome_of_status(status: u16) -> Outcome {
    Outcome::of_status(status)
}
