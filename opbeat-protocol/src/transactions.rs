//! The body of `transactions/`: the durations of all transactions, and the span trees of sampled ones.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, IgnoredAny, SeqAccess, Visitor};
use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::check_ins::CheckIn;
use super::fields::{Float, Machine, float, floats, or_default, pairs};
use super::timestamp::Timestamp;

/// The possible keys of [`TransactionsBody::drops`].
///
/// The first four are the kinds of data that an agent drops; `rejected` counts bodies that the server rejected.
pub const DROP_REASONS: [&str; 5] = ["errors", "transactions", "samples", "spans", "rejected"];

/// The body that agents post to `transactions/`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TransactionsBody {
    /// The durations of all transactions, grouped.
    pub transactions: Vec<TransactionGroup>,
    /// The spans of transactions.
    ///
    /// This agent sends samples after the counts, in separate bodies in which `transactions` is empty. These add
    /// nothing to the time by kind, which was sent with the counts.
    #[serde(default, deserialize_with = "or_default")]
    pub traces: Traces,
    /// *Extension.* Exact time by kind of span, over all transactions and not only the sampled ones.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub breakdown: Vec<BreakdownGroup>,
    /// The machine that sends the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<Machine>,
    /// *Extension.* The number of items that the agent dropped since its last body, by one of [`DROP_REASONS`].
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub drops: BTreeMap<String, u64>,
    /// *Extension.* The starts and ends of scheduled jobs.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub check_ins: Vec<CheckIn>,
}

/// The durations of all transactions of one name, result, kind and minute.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TransactionGroup {
    /// The transactions' name; empty for an unmatched URL of the Python agent.
    #[serde(default, deserialize_with = "or_default")]
    pub transaction: String,
    /// The result: a status code, a string, or any JSON. Browsers send none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
    /// The kind. The Python agent sends none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The minute that the group counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Timestamp>,
    /// The duration of each transaction, in milliseconds.
    #[serde(default, deserialize_with = "floats")]
    pub durations: Vec<f64>,
    /// *Extension.* The time until the response head (status and headers) of each transaction was ready, in
    /// milliseconds. It has the same order and length as `durations`. It is absent if these times equal the durations,
    /// apart from bodies that took less than 1 ms or less than a tenth of the duration.
    #[serde(default, deserialize_with = "floats", skip_serializing_if = "Vec::is_empty")]
    pub head_durations: Vec<f64>,
}

/// The spans of transactions, in one of the two forms that agents send.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Traces {
    /// Groups that contain all durations (Python and Ruby).
    Groups(Vec<TraceGroup>),
    /// Groups without durations, and sampled transactions that refer to them (Node.js, browsers and this agent).
    Sampled {
        /// The groups that the spans of the samples refer to.
        #[serde(default)]
        groups: Vec<TraceGroup>,
        /// The sampled transactions.
        #[serde(default)]
        raw: Vec<RawTransaction>,
    },
}

impl Default for Traces {
    fn default() -> Self {
        Self::Groups(Vec::new())
    }
}

/// The common properties of equal spans in transactions of one name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TraceGroup {
    /// The name of the transactions that the spans belong to.
    #[serde(default, deserialize_with = "or_default")]
    pub transaction: String,
    /// The kind of those transactions. Only Node.js and this agent send it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction_kind: Option<String>,
    /// The signature of the spans: their short name.
    #[serde(default, deserialize_with = "or_default")]
    pub signature: String,
    /// The spans' kind.
    #[serde(default, deserialize_with = "or_default")]
    pub kind: String,
    /// The signatures of the ancestors, from the root to the direct parent.
    #[serde(default, deserialize_with = "or_default")]
    pub parents: Vec<String>,
    /// Pairs of the span's duration and its transaction's duration, in milliseconds. Only in [`Traces::Groups`].
    #[serde(default, deserialize_with = "pairs", skip_serializing_if = "Vec::is_empty")]
    pub durations: Vec<(f64, f64)>,
    /// The start in milliseconds after the start of the direct parent. Only in [`Traces::Groups`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_time: Option<f64>,
    /// The minute. The Python agent sends none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Timestamp>,
    /// Values such as `sql` and `url`. The key `_frames` contains the stack that the span was started from.
    #[serde(default, deserialize_with = "or_default")]
    pub extra: Map<String, Value>,
}

/// One sampled transaction of [`Traces::Sampled`].
///
/// On the wire, it is an array of the duration, an array for each span, and the context.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RawTransaction {
    /// The transaction's duration in milliseconds.
    pub duration: f64,
    /// The spans, including the root.
    pub spans: Vec<RawSpan>,
    /// The context of this transaction. Older Node.js agents send none.
    pub context: Option<SampleContext>,
}

/// One span of a sampled transaction: `[group index, start, duration]` on the wire, and then the details if it has any.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RawSpan {
    /// The index of the span's group in the same body.
    pub group: usize,
    /// The start in milliseconds after the start of the transaction.
    pub start: f64,
    /// The duration in milliseconds. For combined spans, it is the time from the start of the first to the end of the
    /// last.
    pub duration: f64,
    /// *Extension.* The details that only few spans have. They are boxed, since samples have many spans.
    pub details: Option<Box<SpanDetails>>,
}

/// *Extension.* The details that only few spans of a sampled transaction have.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SpanDetails {
    /// The number of equal spans that the agent combined into this one, if there are at least 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// The sum of the durations of the combined spans, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_ms: Option<f64>,
    /// Whether the agent found the same query many times (N+1): one query for each row of an earlier one.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_false")]
    pub n_plus_one: bool,
    /// The span's id in the `traceparent` headers that were sent from it, as 16 hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// *Extension.* The spans of a single kind that were dropped, since their transaction had too many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DroppedSpans {
    /// The number of spans.
    #[serde(default, deserialize_with = "or_default")]
    pub count: u64,
    /// The sum of their durations, in milliseconds.
    #[serde(default, deserialize_with = "float")]
    pub total_ms: f64,
}

/// The context of one sampled transaction.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SampleContext {
    /// *Extension.* The transaction's id, which its errors contain too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// *Extension.* The start of the transaction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Timestamp>,
    /// *Extension.* The transaction's result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
    /// *Extension.* The outcome: `ok`, `client_error`, `server_error`, `panicked`, `client_gone`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// *Extension.* The time from the start until the response head (status and headers) was ready, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head_ms: Option<f64>,
    /// *Extension.* The time that the request waited before it reached the application, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queued_ms: Option<f64>,
    /// *Extension.* The time that the handler ran on a thread of its executor, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub busy_ms: Option<f64>,
    /// *Extension.* The length of the request body in bytes, as the request declares it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_bytes: Option<u64>,
    /// *Extension.* The number of bytes of the response body that were sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_bytes: Option<u64>,
    /// *Extension.* The id of the distributed trace that the transaction is part of. This agent always sends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// *Extension.* The id of the transaction that started this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// *Extension.* The id of the caller's span, from the request's `traceparent`, as 16 hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_span: Option<String>,
    /// *Extension.* The number of spans that were dropped because there were too many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dropped_spans: Option<u64>,
    /// *Extension.* The spans that were dropped because there were too many, by their kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dropped: Option<BTreeMap<String, DroppedSpans>>,
    /// *Extension.* The release that the application runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rev: Option<String>,
    /// The request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<Value>,
    /// The user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Value>,
    /// *Extension.* Tags, by which the transaction can be found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Value>,
    /// Extra values that the application added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra: Option<Value>,
    /// Keys that only other agents send.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// *Extension.* The exact time that all transactions of one name and minute spent in spans of a single kind.
///
/// The time is *self time*: the time of a span without the time of its direct children. The part of a transaction that
/// no span covers is counted under the kind `app`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BreakdownGroup {
    /// The transactions' name.
    pub transaction: String,
    /// The transactions' kind.
    pub transaction_kind: String,
    /// The minute.
    pub timestamp: Timestamp,
    /// The spans' kind.
    pub kind: String,
    /// The number of spans.
    pub count: u64,
    /// The self time of these spans, in milliseconds.
    #[serde(deserialize_with = "float")]
    pub self_ms: f64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

impl Serialize for RawSpan {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { group, start, duration, details } = self;
        match details {
            Some(details) => (group, start, duration, details).serialize(serializer),
            None => (group, start, duration).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for RawSpan {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(RawSpanVisitor)
    }
}

struct RawSpanVisitor;

impl<'de> Visitor<'de> for RawSpanVisitor {
    type Value = RawSpan;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of a group index, a start and a duration, and perhaps an object of details")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<RawSpan, A::Error> {
        let missing = |index| de::Error::invalid_length(index, &self);
        let group = array.next_element()?.ok_or_else(|| missing(0))?;
        let start: Float = array.next_element()?.ok_or_else(|| missing(1))?;
        let duration: Float = array.next_element()?.ok_or_else(|| missing(2))?;
        let details: Option<Option<Box<SpanDetails>>> = array.next_element()?;
        while array.next_element::<IgnoredAny>()?.is_some() {}
        Ok(RawSpan { group, start: start.into(), duration: duration.into(), details: details.flatten() })
    }
}

impl Serialize for RawTransaction {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let length = 1 + self.spans.len() + usize::from(self.context.is_some());
        let mut array = serializer.serialize_seq(Some(length))?;
        array.serialize_element(&self.duration)?;
        for span in &self.spans {
            array.serialize_element(span)?;
        }
        if let Some(context) = &self.context {
            array.serialize_element(context)?;
        }
        array.end()
    }
}

impl<'de> Deserialize<'de> for RawTransaction {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(RawTransactionVisitor)
    }
}

/// An element of a sampled transaction's array after the first.
#[derive(Deserialize)]
#[serde(untagged)]
enum RawElement {
    Span(RawSpan),
    Context(Box<SampleContext>),
    Nothing(()),
}

struct RawTransactionVisitor;

impl<'de> Visitor<'de> for RawTransactionVisitor {
    type Value = RawTransaction;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of a duration, an array for each span, and a context object")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<RawTransaction, A::Error> {
        let duration: Float = array.next_element()?.ok_or_else(|| de::Error::invalid_length(0, &self))?;
        let mut raw = RawTransaction { duration: duration.into(), ..RawTransaction::default() };
        while let Some(element) = array.next_element()? {
            match element {
                RawElement::Span(span) => raw.spans.push(span),
                RawElement::Context(context) => raw.context = Some(*context),
                RawElement::Nothing(()) => {}
            }
            if raw.context.is_some() {
                break;
            }
        }
        while array.next_element::<IgnoredAny>()?.is_some() {}
        Ok(raw)
    }
}
