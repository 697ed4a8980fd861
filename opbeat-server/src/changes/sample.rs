//! Sampled transactions and the stacks of their spans.

use opbeat_protocol::{Frame, SampleContext};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::TransactionKey;

/// A sampled transaction.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct NewSample {
    /// The transaction.
    pub(crate) transaction: TransactionKey,
    /// When it began, in microseconds since 1970.
    pub(crate) happened_at: i64,
    /// Its duration, in milliseconds.
    pub(crate) duration_ms: f64,
    /// Its result.
    pub(crate) result: String,
    /// Its outcome, or an empty string.
    pub(crate) outcome: String,
    /// The id that the agent gave it, or an empty string.
    pub(crate) external_id: String,
    /// Its spans and context: a [`SampleDocument`] as JSON.
    pub(crate) document: Vec<u8>,
}

/// A stack that spans were started from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct NewSpanStack {
    /// The app's id.
    pub(crate) app_id: String,
    /// The spans' kind.
    pub(crate) kind: String,
    /// The spans' short name.
    pub(crate) signature: String,
    /// The frames, the oldest call first: an array of [`Frame`]s as JSON.
    pub(crate) frames: Vec<u8>,
}

/// One sampled transaction, as the waterfall shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SampleDocument {
    /// The spans in the order of their start, parents before their children; without the root.
    pub(crate) spans: Vec<SampleSpan>,
    /// The context of this one transaction: request, user, tags, extra values.
    pub(crate) context: SampleContext,
}

/// One span of a sampled transaction.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SampleSpan {
    /// The span's short name, such as `SELECT FROM books`.
    pub(crate) signature: String,
    /// The kind, such as `db.sqlite.query`.
    pub(crate) kind: String,
    /// The number of spans that contain it.
    pub(crate) depth: usize,
    /// The time from the transaction's start to the span's start, in milliseconds.
    pub(crate) start_ms: f64,
    /// The duration, in milliseconds.
    pub(crate) duration_ms: f64,
    /// Extra values such as `sql` and `url`.
    #[serde(default)]
    pub(crate) extra: Map<String, Value>,
    /// The stack that it was started from, the oldest call first. The worker leaves it empty, since it stores stacks by
    /// kind and signature ([`NewSpanStack`]).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) frames: Vec<Frame>,
}
