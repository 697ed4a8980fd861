//! A part of a transaction.

use std::borrow::Cow;
use std::time::Duration;

use super::Value;

/// A part of a transaction that was timed by itself: a query, a call, a template.
#[derive(Clone, Debug, PartialEq)]
pub struct SpanRecord {
    /// The short name that spans of a kind are told apart by, such as `SELECT FROM books`.
    pub signature: Cow<'static, str>,
    /// The dotted kind, such as `db.sqlite.query`.
    pub kind: Cow<'static, str>,
    /// The span that it lies within, as an index into the transaction's spans; always a smaller one than its own.
    pub parent: Option<usize>,
    /// The time from the transaction's start to the span's.
    pub start: Duration,
    /// How long it took; `None` if it had not ended when the transaction did.
    pub duration: Option<Duration>,
    /// Facts such as `sql` and `url`.
    pub extra: Vec<(Cow<'static, str>, Value)>,
}
