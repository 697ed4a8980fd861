//! A part of a transaction.

use std::borrow::Cow;
use std::time::Duration;

use super::Value;

/// A timed part of a transaction: a query, a call, a template.
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
    /// Its duration; `None` if it had not ended when the transaction did.
    pub duration: Option<Duration>,
    /// Values such as `sql` and `url`.
    pub extra: Vec<(Cow<'static, str>, Value)>,
}
