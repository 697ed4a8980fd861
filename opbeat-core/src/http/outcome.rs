//! What a status says of a request.

use crate::record::Outcome;

/// Returns how a request with this status ended, as far as the status tells. 408 and 504 are what time limits answer.
#[must_use]
pub fn outcome_of_status(status: u16) -> Outcome {
    of(Some(status))
}

/// Returns how a request ended. One without a response has failed.
pub(super) fn of(status: Option<u16>) -> Outcome {
    match status {
        Some(101) => Outcome::Upgraded,
        Some(100..=399) => Outcome::Ok,
        Some(408 | 504) => Outcome::TimedOut,
        Some(400..=499) => Outcome::ClientError,
        _ => Outcome::ServerError,
    }
}
