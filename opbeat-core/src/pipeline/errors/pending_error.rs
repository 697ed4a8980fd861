//! An error that is not in a batch yet.

use std::sync::Arc;

use super::TransactionHandle;
use crate::record::ErrorRecord;

/// A captured error, and the transaction in which it happened.
#[derive(Clone)]
pub(in crate::pipeline) struct PendingError {
    pub(in crate::pipeline) record: ErrorRecord,
    pub(in crate::pipeline) transaction: Option<Arc<dyn TransactionHandle>>,
}

impl PendingError {
    /// Returns whether both errors happened in the same transaction.
    pub(super) fn shares_transaction(&self, other: &Self) -> bool {
        match (&self.transaction, &other.transaction) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        self.transaction.as_ref().is_none_or(|transaction| transaction.has_ended())
    }

    /// Returns whether its transaction has a name. Most jobs are named at their end.
    pub(super) fn has_name(&self) -> bool {
        self.transaction.as_ref().is_none_or(|transaction| transaction.has_name())
    }

    /// Adds the transaction's name, request, user and values to the record.
    pub(in crate::pipeline) fn complete(self) -> ErrorRecord {
        let Self { mut record, transaction } = self;
        record.other_texts = Vec::new();
        if let Some(transaction) = transaction {
            transaction.complete_error(&mut record);
        }
        record
    }
}
