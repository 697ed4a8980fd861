//! What the pipeline asks of a live transaction.

use super::Clock;
use crate::record::{ErrorRecord, TransactionRecord};

/// A live transaction, as the pipeline sees it.
pub(crate) trait Finished: Send + Sync {
    /// Moves what was recorded out of it. Called once, after its end.
    fn take(&self, clock: &Clock) -> TransactionRecord;

    /// Returns whether it has ended, so that its name and result are final.
    fn has_ended(&self) -> bool;

    /// Fills in what the transaction knows of an error that happened in it: name, request, user, tags.
    fn complete_error(&self, error: &mut ErrorRecord);
}
