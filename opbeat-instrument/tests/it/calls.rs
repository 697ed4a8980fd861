//! A transaction in which a test makes calls to other services.

#![expect(clippy::unwrap_used, reason = "test code")]

use opbeat_core::record::{SpanRecord, TraceParent, TransactionRecord};
use opbeat_core::{Agent, Config, Transaction};
use opbeat_testing::MemoryExporter;

use crate::tree;

/// An agent that records into memory.
pub(crate) struct Calls {
    pub(crate) agent: Agent,
    exporter: MemoryExporter,
}

impl Calls {
    pub(crate) fn new() -> Self {
        let exporter = MemoryExporter::default();
        Self { agent: Agent::with_exporter(&Config::default(), exporter.clone()), exporter }
    }

    /// Begins a transaction.
    pub(crate) fn begin(&self) -> Transaction {
        self.agent.begin_transaction("task.calls")
    }

    /// Ends the transaction and returns its record.
    pub(crate) fn end(&self, transaction: Transaction) -> TransactionRecord {
        let id = transaction.id();
        transaction.end("calls", "ok");
        self.samples().into_iter().find(|sample| Some(sample.id) == id).expect("the first of a name is a sample")
    }

    /// Returns the sampled transactions.
    pub(crate) fn samples(&self) -> Vec<TransactionRecord> {
        tree::flush(&self.agent);
        self.exporter.samples()
    }
}

/// Returns the `traceparent` of the call with this index.
pub(crate) fn trace_parent_of(sample: &TransactionRecord, index: usize) -> TraceParent {
    let is_call = |span: &&SpanRecord| span.kind.starts_with("ext.") || span.kind.starts_with("messaging.");
    let call = sample.spans.iter().filter(is_call).nth(index).expect("there is a call");
    let trace_id = u128::from_str_radix(&sample.id.to_string(), 16).unwrap();
    TraceParent { trace_id, parent_id: call.id.expect("the call has an id"), sampled: true }
}

/// Asserts that the only call among the spans ended after the span `before its end` and before the span `after it`.
pub(crate) fn assert_ends_between(sample: &TransactionRecord) {
    let find = |signature: &str| sample.spans.iter().find(|span| span.signature == signature).unwrap();
    let call = sample.spans.iter().find(|span| span.kind.starts_with("ext.")).unwrap();
    let end = |span: &SpanRecord| span.start + span.duration.unwrap();
    assert!(end(call) >= end(find("before its end")), "the call lasts to the end of the body: {sample:#?}");
    assert!(end(call) <= find("after it").start, "the call ends at the end of the body: {sample:#?}");
}
