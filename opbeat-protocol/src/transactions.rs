//! The body of `transactions/`: durations of every transaction, and where the time of some of them went.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, IgnoredAny, SeqAccess, Visitor};
use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::lenient::or_default;
use super::{Machine, Timestamp};

/// The keys that [`TransactionsBody::drops`] can have: the kinds of data that an agent drops.
pub const DROP_REASONS: [&str; 5] = ["errors", "transactions", "samples", "spans", "rejected"];

/// The body that agents post to `transactions/`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TransactionsBody {
    /// Every transaction's duration, grouped.
    pub transactions: Vec<TransactionGroup>,
    /// What happened inside of transactions. This agent sends samples behind the counts, in bodies of their own without
    /// `transactions`; they add nothing to the time by kind, which came with the counts.
    #[serde(default, deserialize_with = "or_default")]
    pub traces: Traces,
    /// *Extension.* Exact time by kind of span, over all transactions and not only the sampled ones.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub breakdown: Vec<BreakdownGroup>,
    /// The machine that sends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<Machine>,
    /// *Extension.* What the agent left out since its last body, by what was left out: `errors`, `samples`, …
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub drops: BTreeMap<String, u64>,
}

/// The durations of all transactions of one name, result, kind and minute.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TransactionGroup {
    /// The transactions' name; empty for an unmatched URL of the Python agent.
    #[serde(default, deserialize_with = "or_default")]
    pub transaction: String,
    /// The result: a status code, a word, any JSON; absent from browsers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
    /// The kind; the Python agent sends none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Timestamp>,
    /// One duration a transaction, in milliseconds.
    #[serde(default, deserialize_with = "or_default")]
    pub durations: Vec<f64>,
}

/// What happened inside of transactions, in one of the two forms that agents send.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Traces {
    /// Python and Ruby: groups that hold all durations.
    Groups(Vec<TraceGroup>),
    /// Node.js, browsers and this agent: groups without durations, and sampled transactions that point at them.
    Sampled {
        /// What the samples' spans are.
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

/// A span by what it has in common with others of its transaction's name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TraceGroup {
    /// The name of the transactions that the spans belong to.
    #[serde(default, deserialize_with = "or_default")]
    pub transaction: String,
    /// The kind of those transactions; Node.js and this agent only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction_kind: Option<String>,
    /// The spans' short name.
    #[serde(default, deserialize_with = "or_default")]
    pub signature: String,
    /// The spans' kind.
    #[serde(default, deserialize_with = "or_default")]
    pub kind: String,
    /// Signatures from the root down to the direct parent.
    #[serde(default, deserialize_with = "or_default")]
    pub parents: Vec<String>,
    /// Pairs of the span's and its transaction's duration in milliseconds; [`Traces::Groups`] only.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub durations: Vec<(f64, f64)>,
    /// The start in milliseconds after the direct parent's; [`Traces::Groups`] only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_time: Option<f64>,
    /// The minute; absent from Python.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Timestamp>,
    /// Facts such as `sql` and `url`; under `_frames` the stack that the span was started from.
    #[serde(default, deserialize_with = "or_default")]
    pub extra: Map<String, Value>,
}

/// One sampled transaction of [`Traces::Sampled`].
///
/// On the wire it is an array: the duration, then a triple per span, then the context.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RawTransaction {
    /// The transaction's duration in milliseconds.
    pub duration: f64,
    /// Its spans, the root included.
    pub spans: Vec<RawSpan>,
    /// What is known of this very transaction; older Node.js agents send none.
    pub context: Option<SampleContext>,
}

/// One span of a sampled transaction: `[group index, start, duration]` on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "(usize, f64, f64)", into = "(usize, f64, f64)")]
pub struct RawSpan {
    /// The index into the groups of the same body.
    pub group: usize,
    /// The start in milliseconds after the transaction's.
    pub start: f64,
    /// The duration in milliseconds.
    pub duration: f64,
}

/// What is known of one sampled transaction.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SampleContext {
    /// *Extension.* The transaction's id, which its errors carry too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// *Extension.* When the transaction began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Timestamp>,
    /// *Extension.* The transaction's result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
    /// *Extension.* How it ended: `ok`, `client_error`, `server_error`, `panicked`, `client_gone`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// *Extension.* Milliseconds from the start until the response's head was ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head_ms: Option<f64>,
    /// *Extension.* Milliseconds that the request waited before it reached the application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queued_ms: Option<f64>,
    /// *Extension.* Milliseconds that the handler was at work on its executor's thread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub busy_ms: Option<f64>,
    /// *Extension.* The id of the distributed trace that the transaction is part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// *Extension.* The id of the transaction that started this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// *Extension.* Spans that were not kept, because there were too many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dropped_spans: Option<u64>,
    /// *Extension.* The release that the application runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rev: Option<String>,
    /// The request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<Value>,
    /// The user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Value>,
    /// *Extension.* Words to find the transaction by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Value>,
    /// Whatever the application added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra: Option<Value>,
    /// Keys of other agents.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// *Extension.* The exact time that all transactions of one name and minute spent in spans of one kind.
///
/// The time is *self time*: what a span's own children took is theirs. The part of a transaction that no span covers
/// is counted under the kind `app`.
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
    /// How many spans there were.
    pub count: u64,
    /// Their self time in milliseconds.
    pub self_ms: f64,
}

impl From<(usize, f64, f64)> for RawSpan {
    fn from((group, start, duration): (usize, f64, f64)) -> Self {
        Self { group, start, duration }
    }
}

impl From<RawSpan> for (usize, f64, f64) {
    fn from(span: RawSpan) -> Self {
        (span.group, span.start, span.duration)
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
        f.write_str("an array of a duration, triples of group index, start and duration, and a context object")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<RawTransaction, A::Error> {
        let duration = array.next_element()?.ok_or_else(|| de::Error::invalid_length(0, &self))?;
        let mut raw = RawTransaction { duration, ..RawTransaction::default() };
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
