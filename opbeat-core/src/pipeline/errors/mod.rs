//! Captured errors on their way into a batch.
//!
//! ```text
//! queue ─► waiting for the transaction's end ─► one failure, one report ─► storm limit ─► symbols, scrubbing ─► batch
//! ```

mod fingerprint;
mod merge;
mod storm;
mod told;
mod waiting;

use std::sync::Arc;

pub(super) use storm::{Repeats, Storm};
pub(super) use waiting::Waiting;

use super::Finished;
use crate::record::ErrorRecord;

/// An error, and the transaction that it happened in.
#[derive(Clone)]
pub(super) struct PendingError {
    pub(super) record: ErrorRecord,
    pub(super) transaction: Option<Arc<dyn Finished>>,
}

impl PendingError {
    /// Returns whether both happened in the same transaction.
    fn shares_transaction(&self, other: &Self) -> bool {
        match (&self.transaction, &other.transaction) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }

    fn has_ended(&self) -> bool {
        self.transaction.as_ref().is_none_or(|transaction| transaction.has_ended())
    }

    /// Returns whether its transaction has a name. Those of jobs most often get it at their end.
    fn has_name(&self) -> bool {
        self.transaction.as_ref().is_none_or(|transaction| transaction.has_name())
    }

    /// Fills in what the transaction knows.
    pub(super) fn complete(self) -> ErrorRecord {
        let Self { mut record, transaction } = self;
        record.told = Vec::new();
        if let Some(transaction) = transaction {
            transaction.complete_error(&mut record);
        }
        record
    }
}
