//! The pipeline's view of a running transaction.

use crate::record::{ErrorId, ErrorRecord, TransactionName};

/// A transaction that runs or has ended, as the pipeline sees it.
pub(crate) trait TransactionHandle: Send + Sync {
    /// Returns whether the transaction has ended, so that its name and result are final.
    fn has_ended(&self) -> bool;

    /// Returns the current name.
    fn name(&self) -> String;

    /// Returns whether the transaction was named already.
    fn has_name(&self) -> bool {
        self.name() != TransactionName::default().to_string()
    }

    /// Returns the id of the transaction's primary error: the report that its failure is known by.
    fn error_id(&self) -> Option<ErrorId>;

    /// Adds the transaction's name, request, user and values to an error that happened in it.
    fn complete_error(&self, error: &mut ErrorRecord);
}
