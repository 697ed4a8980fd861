//! A part of a transaction.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use super::{Frame, Value};

/// A timed part of a transaction: a query, a call, a template.
///
/// Equal leaf spans of a transaction are combined into one record: those of the same signature, kind and parent.
#[derive(Clone, Debug, PartialEq)]
pub struct SpanRecord {
    /// The short name that distinguishes spans of a kind, such as `SELECT FROM books`.
    pub signature: Cow<'static, str>,
    /// The dotted kind, such as `db.sqlite.query`.
    pub kind: Cow<'static, str>,
    /// The enclosing span, as an index into the transaction's spans. It is always smaller than the span's own index.
    pub parent: Option<usize>,
    /// The time from the transaction's start to the span's.
    pub start: Duration,
    /// Its duration; `None` if it had not ended when the transaction did. For combined spans, it is the time from the
    /// start of the first to the end of the last.
    pub duration: Option<Duration>,
    /// The number of spans that the record stands for: 1, or more if it combines equal ones.
    pub count: u32,
    /// The sum of the durations of these spans. It is zero if the span had not ended.
    pub total: Duration,
    /// Whether the span is a leaf: spans that start in it are not recorded.
    pub is_leaf: bool,
    /// Whether the record combines many equal queries or calls, which should be a single one (N+1).
    pub n_plus_one: bool,
    /// The span's id in the `traceparent` of calls to other services, if one was taken from it.
    pub id: Option<u64>,
    /// The calls of the application that led to the span, the outermost first. Only slow spans, N+1 queries and the
    /// first span of a signature have them.
    pub frames: Vec<Frame>,
    /// Values such as `sql` and `url`. Combined spans have the values of the first.
    pub extra: Vec<(Cow<'static, str>, Value)>,
    /// Its number among all spans of the transaction, from 1. Its id is made of it.
    pub(crate) number: u32,
    /// The return addresses from which the worker looks up the frames.
    pub(crate) call_stack: Option<Arc<[usize]>>,
}

impl Default for SpanRecord {
    fn default() -> Self {
        Self {
            signature: Cow::Borrowed(""),
            kind: Cow::Borrowed(""),
            parent: None,
            start: Duration::ZERO,
            duration: None,
            count: 1,
            total: Duration::ZERO,
            is_leaf: false,
            n_plus_one: false,
            id: None,
            frames: Vec::new(),
            extra: Vec::new(),
            number: 0,
            call_stack: None,
        }
    }
}

/// The spans of a single kind that are not kept, since their transaction has too many.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DroppedSpans {
    /// The dotted kind of the spans; `other` if there are too many kinds.
    pub kind: Cow<'static, str>,
    /// The number of spans.
    pub count: u64,
    /// The sum of their durations.
    pub total: Duration,
}
