//! The ids of a transaction's spans in its trace.

use crate::record::{SpanRecord, TraceParent, TransactionId, TransactionRecord};

/// The ids of a transaction: those that it sends to other services in `traceparent`.
#[derive(Clone, Copy)]
pub(super) struct TraceIds {
    trace_id: u128,
    transaction: u64,
}

impl TraceIds {
    pub(super) fn of(record: &TransactionRecord) -> Self {
        Self::new(record.id, record.trace)
    }

    /// Returns the ids of a transaction, given the trace that it joined.
    pub(super) fn new(id: TransactionId, joined: Option<TraceParent>) -> Self {
        // A transaction's id is random, so its lower half is the id of a span.
        let transaction = u64::try_from(id.0 & u128::from(u64::MAX)).unwrap_or(1);
        Self { trace_id: joined.map_or(id.0, |trace| trace.trace_id), transaction }
    }

    pub(super) fn trace(self) -> Vec<u8> {
        self.trace_id.to_be_bytes().to_vec()
    }

    /// Returns the id of the transaction's own span.
    pub(super) fn transaction(self) -> Vec<u8> {
        bytes(self.transaction.max(1))
    }

    /// Returns the id of one of its spans: that of `traceparent`, or else the id that it would have had there.
    ///
    /// Each span adds its number to the transaction's id. A span that `before_send` has added has no number.
    pub(super) fn span(self, span: &SpanRecord, index: usize) -> Vec<u8> {
        let index = u64::try_from(index).unwrap_or(u64::MAX);
        let derived = match span.number {
            0 => self.transaction.wrapping_sub(index.saturating_add(1)),
            number => self.transaction.wrapping_add(number.into()),
        };
        bytes(span.id.unwrap_or(derived).max(1))
    }
}

pub(super) fn bytes(span_id: u64) -> Vec<u8> {
    span_id.to_be_bytes().to_vec()
}
