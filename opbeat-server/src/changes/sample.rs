//! Sampled transactions and the stacks of their spans.

use serde::{Deserialize, Serialize};

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
    /// The number of transactions that it is the average of, or 0 if it is a single one.
    pub(crate) average_of: u64,
    /// Its spans and context: a [`SampleDocument`](super::SampleDocument) as JSON.
    #[serde(with = "serde_bytes")]
    pub(crate) document: Vec<u8>,
}

/// A stack that spans were started from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct NewSpanStack {
    /// The app's id.
    pub(crate) app_id: String,
    /// The site of the spans, as in [`SpanGroup::sites`](super::SpanGroup::sites).
    pub(crate) site: String,
    /// The frames, the oldest call first: an array of [`Frame`](opbeat_protocol::Frame)s as JSON.
    #[serde(with = "serde_bytes")]
    pub(crate) frames: Vec<u8>,
}
