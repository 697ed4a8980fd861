//! The groups of spans that samples refer to.

use std::collections::HashMap;

use serde_json::{Map, Value as Json};

use super::values::{frame, values};
use crate::record::{SpanRecord, TransactionRecord};
use opbeat_protocol::TraceGroup;

/// The groups that samples refer to by index, each once.
#[derive(Default)]
pub(super) struct Groups {
    pub(super) list: Vec<TraceGroup>,
    /// The index of each group. Spans share a group only if their values are equal.
    known: HashMap<(String, String, Vec<String>), usize>,
}

/// The signature and the kind of the root span, which is the whole transaction.
const ROOT: &str = "transaction";

impl Groups {
    pub(super) fn root(&mut self, sample: &TransactionRecord) -> usize {
        self.group(sample, ROOT, ROOT, Vec::new(), Map::new())
    }

    pub(super) fn span(&mut self, sample: &TransactionRecord, span: &SpanRecord) -> usize {
        let mut parents: Vec<String> = ancestors(sample, span).map(|parent| parent.signature.to_string()).collect();
        parents.push(ROOT.to_owned());
        parents.reverse();
        // As in the Node.js agent, the suffix marks a span that the end of the transaction ended.
        let kind = match span.duration {
            Some(_) => span.kind.to_string(),
            None => format!("{}.truncated", span.kind),
        };
        let mut extra = values(&span.extra).unwrap_or_default();
        if !span.frames.is_empty() {
            let frames = span.frames.iter().map(|frame| serde_json::to_value(self::frame(frame)).unwrap_or_default());
            extra.insert("_frames".to_owned(), frames.collect());
        }
        self.group(sample, &span.signature, &kind, parents, extra)
    }

    /// Removes all groups but the first ones.
    pub(super) fn truncate(&mut self, length: usize) {
        self.list.truncate(length);
        self.known.retain(|_, index| *index < length);
    }

    fn group(
        &mut self,
        sample: &TransactionRecord,
        signature: &str,
        kind: &str,
        parents: Vec<String>,
        extra: Map<String, Json>,
    ) -> usize {
        let transaction = sample.name.to_string();
        let values = if extra.is_empty() { String::new() } else { Json::Object(extra.clone()).to_string() };
        let key = (format!("{transaction}\n{}\n{signature}\n{kind}", sample.kind), values, parents);
        if let Some(index) = self.known.get(&key) {
            return *index;
        }
        self.list.push(TraceGroup {
            transaction,
            transaction_kind: Some(sample.kind.to_string()),
            signature: signature.to_owned(),
            kind: kind.to_owned(),
            parents: key.2.clone(),
            timestamp: Some(opbeat_protocol::Timestamp::from(sample.started_at).minute()),
            extra,
            ..TraceGroup::default()
        });
        self.known.insert(key, self.list.len() - 1);
        self.list.len() - 1
    }
}

/// Returns the enclosing spans of a span, the nearest first.
fn ancestors<'a>(sample: &'a TransactionRecord, span: &'a SpanRecord) -> impl Iterator<Item = &'a SpanRecord> {
    std::iter::successors(span.parent.and_then(|parent| sample.spans.get(parent)), |span| {
        span.parent.and_then(|parent| sample.spans.get(parent))
    })
}
