//! What the pipeline asks of a live transaction.

use std::sync::Arc;

use super::Clock;
use crate::record::{ErrorRecord, TransactionRecord};

/// A live transaction, as the pipeline sees it.
pub(crate) trait Finished: Send + Sync {
    /// Lets `look` see what was recorded. Called once, after its end.
    fn look(&self, clock: &Clock, look: &mut dyn FnMut(&mut TransactionRecord));

    /// Moves the whole record out, for a sample.
    fn take(&self) -> TransactionRecord;

    /// Returns whether it has ended, so that its name and result are final.
    fn has_ended(&self) -> bool;

    /// Returns its name as it is now.
    fn name(&self) -> String;

    /// Fills in what the transaction knows of an error that happened in it: name, request, user, tags.
    fn complete_error(&self, error: &mut ErrorRecord);

    /// Gives its memory to the next transaction, if nobody else looks at it any more.
    fn recycle(self: Arc<Self>);
}
