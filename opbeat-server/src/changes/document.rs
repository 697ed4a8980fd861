//! The documents of samples, in the form in which they are stored, and the earlier form that is still read.

use opbeat_protocol::{Frame, SampleContext};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One sampled transaction, or the average of several ones, as the waterfall shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "StoredDocument")]
pub(crate) struct SampleDocument {
    /// The facts that spans share.
    pub(crate) groups: Vec<SpanGroup>,
    /// The spans in the order of their start, parents before their children; without the root.
    pub(crate) spans: Vec<SampleSpan>,
    /// The number of spans that were left out because there were too many.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) omitted_spans: u64,
    /// The number of transactions that it is the average of, or 0 if it is a single one.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) average_of: u64,
    /// The time that the agent sent, in microseconds since 1970, if the sample is shown at the time of its receipt
    /// instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) claimed_at: Option<i64>,
    /// The context of this one transaction: request, user, tags, extra values.
    pub(crate) context: SampleContext,
}

/// The facts that several spans share.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SpanGroup {
    /// The spans' short name, such as `SELECT FROM books`.
    pub(crate) signature: String,
    /// The kind, such as `db.sqlite.query`.
    pub(crate) kind: String,
    /// Extra values such as `sql` and `url`.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(crate) extra: Map<String, Value>,
    /// The stack that the spans were started from, the oldest call first, if the body contained it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) frames: Vec<Frame>,
    /// The sites by which a stack of an earlier body is found. The first one with a stack counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) sites: Vec<String>,
    /// Whether extra values and frames were left out because they were too large.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_cut: bool,
}

/// Returns the application's frame that started a span, given its stack with the oldest call first.
pub(crate) fn issuing_frame(frames: &[Frame]) -> Option<&Frame> {
    frames.iter().rev().find(|frame| frame.in_app == Some(true))
}

/// One span of a sampled transaction, or the average of the spans with one path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SampleSpan {
    /// The index of its group in the document.
    pub(crate) group: usize,
    /// The number of spans that contain it.
    pub(crate) depth: usize,
    /// The time from the transaction's start to the span's start, in milliseconds.
    pub(crate) start_ms: f64,
    /// The duration in milliseconds; in an average, the time per transaction.
    pub(crate) duration_ms: f64,
    /// The number of spans that it stands for: in an average, those of all transactions; in a single transaction, the
    /// repeats that the agent combined, or 0 for a single span.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) count: u64,
    /// In an average: the number of transactions that have the span.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) transactions: u64,
    /// The sum of the durations of combined repeats, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) total_ms: Option<f64>,
    /// The agent found that the repeats could be one query or one call.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) n_plus_one: bool,
    /// The id that the span sent to the service it called, as in `traceparent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<u64>,
}

/// A document as it is read: in the current form, or in the earlier one, in which each span has its own facts.
#[derive(Deserialize)]
struct StoredDocument {
    #[serde(default)]
    groups: Vec<SpanGroup>,
    #[serde(default)]
    spans: Vec<StoredSpan>,
    #[serde(default)]
    omitted_spans: u64,
    #[serde(default)]
    average_of: u64,
    #[serde(default)]
    claimed_at: Option<i64>,
    #[serde(default)]
    context: SampleContext,
}

#[derive(Deserialize)]
struct StoredSpan {
    group: Option<usize>,
    #[serde(default)]
    depth: usize,
    #[serde(default)]
    start_ms: f64,
    #[serde(default)]
    duration_ms: f64,
    #[serde(default)]
    count: u64,
    #[serde(default)]
    transactions: u64,
    #[serde(default)]
    total_ms: Option<f64>,
    #[serde(default)]
    n_plus_one: bool,
    #[serde(default)]
    id: Option<u64>,
    #[serde(default)]
    signature: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    extra: Map<String, Value>,
    #[serde(default)]
    frames: Vec<Frame>,
}

impl From<StoredDocument> for SampleDocument {
    fn from(stored: StoredDocument) -> Self {
        let StoredDocument { mut groups, spans, omitted_spans, average_of, claimed_at, context } = stored;
        let spans = spans.into_iter().map(|span| {
            let StoredSpan { depth, start_ms, duration_ms, count, transactions, total_ms, n_plus_one, id, .. } = span;
            let group = span.group.unwrap_or_else(|| {
                groups.push(SpanGroup {
                    sites: vec![earlier_site(&span.kind, &span.signature)],
                    signature: span.signature,
                    kind: span.kind,
                    extra: span.extra,
                    frames: span.frames,
                    is_cut: false,
                });
                groups.len() - 1
            });
            SampleSpan { group, depth, start_ms, duration_ms, count, transactions, total_ms, n_plus_one, id }
        });
        let spans = spans.collect();
        // Earlier documents have the number in their context.
        let number = || context.other.get("transactions")?.as_u64().filter(|_| is_earlier_average(&context));
        let average_of = if average_of == 0 { number().unwrap_or(0) } else { average_of };
        Self { groups, spans, omitted_spans, average_of, claimed_at, context }
    }
}

fn is_earlier_average(context: &SampleContext) -> bool {
    context.other.get("aggregate").and_then(Value::as_bool) == Some(true)
}

/// Returns the site of stacks that were stored by kind and signature only. The migration writes the same text.
fn earlier_site(kind: &str, signature: &str) -> String {
    format!("{kind} {signature}")
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn documents_of_the_earlier_form_are_read() {
        let earlier = json!({
            "spans": [{"signature": "SELECT FROM t", "kind": "db.sql", "depth": 1, "start_ms": 1.0, "duration_ms": 2.0,
                "extra": {"sql": "SELECT 1"}}],
            "context": {"aggregate": true, "transactions": 3, "http": {"url": "/"}},
        });
        let document: SampleDocument = serde_json::from_value(earlier).unwrap();
        let group = &document.groups[document.spans[0].group];
        assert_eq!((group.signature.as_str(), &group.extra["sql"]), ("SELECT FROM t", &json!("SELECT 1")));
        assert_eq!(group.sites, ["db.sql SELECT FROM t"]);
        assert_eq!((document.average_of, document.spans[0].depth), (3, 1));
    }

    #[test]
    fn documents_are_read_as_they_were_written() {
        let group = SpanGroup { signature: "s".to_owned(), kind: "db".to_owned(), ..SpanGroup::default() };
        let span = SampleSpan {
            depth: 2,
            start_ms: 1.5,
            duration_ms: 2.5,
            count: 4,
            transactions: 3,
            total_ms: Some(9.5),
            n_plus_one: true,
            id: Some(u64::MAX),
            ..SampleSpan::default()
        };
        let document = SampleDocument {
            groups: vec![group],
            spans: vec![span, SampleSpan { start_ms: 5.0, ..SampleSpan::default() }],
            omitted_spans: 7,
            average_of: 8,
            claimed_at: Some(9),
            context: SampleContext::default(),
        };
        let json = serde_json::to_vec(&document).unwrap();
        assert_eq!(serde_json::from_slice::<SampleDocument>(&json).unwrap(), document);
    }
}
