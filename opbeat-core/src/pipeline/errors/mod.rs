//! Captured errors on their way into a batch.
//!
//! ```text
//! queue ─► waiting for the transaction's end ─► merge: one report for one failure ─► recently sent: no repetition
//!                                                                                          │
//!                           batch ◄─ symbols, scrubbing ◄─ rate limit of similar errors ◄──┘
//! ```

mod fingerprint;
mod merge;
mod pending_error;
mod rate_limit;
mod recently_sent;
mod transaction_handle;
mod waiting;

pub(super) use pending_error::PendingError;
pub(super) use rate_limit::{ErrorOverflow, RateLimit};
pub(crate) use transaction_handle::TransactionHandle;
pub(super) use waiting::WaitingErrors;
