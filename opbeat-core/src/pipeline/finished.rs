//! What the pipeline asks of a live transaction.

use crate::record::{ErrorId, ErrorRecord, TransactionName};

/// A live transaction, as the pipeline sees it.
pub(crate) trait Finished: Send + Sync {
    /// Returns whether it has ended, so that its name and result are final.
    fn has_ended(&self) -> bool;

    /// Returns its name as it is now.
    fn name(&self) -> String;

    /// Returns whether it was named yet.
    fn has_name(&self) -> bool {
        self.name() != TransactionName::default().to_string()
    }

    /// Returns the id of the report that its failure is known by.
    fn error_id(&self) -> Option<ErrorId>;

    /// Fills in what the transaction knows of an error that happened in it: name, request, user, tags.
    fn complete_error(&self, error: &mut ErrorRecord);
}
