//! The end of a transaction: how it ended, and the result that it is counted under.

use std::time::Duration;

use crate::record::{Outcome, TransactionResult};

/// Returns the result that an outcome is counted under. Protocols and jobs use different names for the same outcome.
pub(crate) type ResultNames = fn(Outcome) -> &'static str;

/// How a transaction ended, as its owner saw it.
pub(crate) struct End {
    pub(crate) duration: Duration,
    pub(crate) outcome: Outcome,
    /// The end overrides the outcome and the result that the application set: a panic or a disconnect, for example.
    pub(crate) is_forced: bool,
    /// The HTTP status of the response, if the transaction is a request's and got one.
    pub(crate) status: Option<u16>,
    /// The result for an outcome that the status does not express.
    pub(crate) result_names: ResultNames,
    /// Nanoseconds from the start to the response head.
    pub(crate) head: Option<u64>,
    /// Nanoseconds that polls took in total.
    pub(crate) busy: Option<u64>,
    /// The number of bytes of the response body that were sent.
    pub(crate) sent: Option<u64>,
}

impl End {
    /// Returns the result that the transaction is counted under: its status, if that implies the outcome, or else the
    /// name of the outcome.
    pub(super) fn result(&self, outcome: Outcome) -> TransactionResult {
        match self.status {
            Some(status) if Outcome::of_status(status) == outcome => status.into(),
            _ => (self.result_names)(outcome).into(),
        }
    }
}

/// Returns the result of a job with this outcome. A job has no client that could disconnect: it was cancelled.
pub(crate) fn job_result(outcome: Outcome) -> &'static str {
    if outcome == Outcome::ClientGone { "cancelled" } else { outcome.as_str() }
}

/// Converts a duration to nanoseconds. A `u64` of nanoseconds overflows after five centuries.
#[inline]
pub(crate) fn nanoseconds(duration: Duration) -> u64 {
    duration.as_secs().wrapping_mul(1_000_000_000).wrapping_add(u64::from(duration.subsec_nanos()))
}
